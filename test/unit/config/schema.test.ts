import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { covers } from '../../contract/covers.js';
import { ConfigFile } from '#src/config/schema.js';
import { schemaFaults } from '#src/config/schema-check.js';
import { load, rejection } from './fake-files.js';

const NODE = { name: 'n', type: 'DL model', model_name: 'm', inputs: [], outputs: [] };
const PIPELINE = { name: 'p', inputs: [], nodes: [NODE], outputs: [] };

function withModel(config: object): object {
  return { model_config_list: [{ config: { name: 'm', base_path: '/m', ...config } }] };
}
function withNode(node: object): object {
  return { model_config_list: [], pipeline_config_list: [{ ...PIPELINE, nodes: [{ ...NODE, ...node }] }] };
}
function withoutKey(value: object, key: string): object {
  return Object.fromEntries(Object.entries(value).filter(([name]) => name !== key));
}

const MODEL_AT = '/model_config_list/0/config';
const NODE_AT = '/pipeline_config_list/0/nodes/0';

const VIOLATIONS: readonly (readonly [string, unknown, string])[] = [
  ['no object', [], '/: expected object, received []'],
  ['null', null, '/: expected object, received null'],
  ['no model list', {}, '/model_config_list: expected array, received nothing'],
  ['a model list that is no array', { model_config_list: {} }, '/model_config_list: expected array, received {}'],
  [
    'a model without config',
    { model_config_list: [{}] },
    '/model_config_list/0/config: expected object, received nothing',
  ],
  [
    'a model without name',
    { model_config_list: [{ config: {} }] },
    `${MODEL_AT}/name: expected string, received nothing`,
  ],
  ['text for nireq', withModel({ nireq: 'four' }), `${MODEL_AT}/nireq: expected integer, received "four"`],
  ['nireq below 0', withModel({ nireq: -1 }), `${MODEL_AT}/nireq: expected a number >= 0, received -1`],
  ['a fraction for nireq', withModel({ nireq: 1.5 }), `${MODEL_AT}/nireq: expected integer, received 1.5`],
  [
    'a batch size below 0',
    withModel({ batch_size: -1 }),
    `${MODEL_AT}/batch_size: expected a number >= 0, received -1`,
  ],
  [
    'a batch size that is true',
    withModel({ batch_size: true }),
    `${MODEL_AT}/batch_size: expected integer or string, received true`,
  ],
  ['a shape of numbers', withModel({ shape: [1, 3] }), `${MODEL_AT}/shape: expected string or object, received [1,3]`],
  [
    'a named shape of numbers',
    withModel({ shape: { 'a/b': [1] } }),
    `${MODEL_AT}/shape/a~1b: expected string, received [1]`,
  ],
  ['a layout that is a number', withModel({ layout: 1 }), `${MODEL_AT}/layout: expected string or object, received 1`],
  [
    'a policy that is text',
    withModel({ model_version_policy: 'all' }),
    `${MODEL_AT}/model_version_policy: expected object, received "all"`,
  ],
  ...(
    [
      [{}, ': expected at least 1 key, received {}'],
      [
        { all: {}, latest: { num_versions: 1 } },
        ': expected at most 1 key, received {"all":{},"latest":{"num_versions":1}}',
      ],
      [
        { latest: { num_versions: 1 }, specific: { versions: [1] } },
        ': expected at most 1 key, received {"latest":{"num_versions":1},"specific":{"versions":[1]}}',
      ],
      [{ newest: {} }, '/newest: expected one of the keys all, latest, specific, received "newest"'],
      [{ all: { x: 1 } }, '/all/x: expected no key, received "x"'],
      [{ all: 3 }, '/all: expected object, received 3'],
      [{ latest: { num_versions: 0 } }, '/latest/num_versions: expected a number >= 1, received 0'],
      [{ latest: { num_versions: [2, 3] } }, '/latest/num_versions: expected integer, received [2,3]'],
      [{ latest: {} }, '/latest/num_versions: expected integer, received nothing'],
      [{ latest: { num_versions: 1, x: 1 } }, '/latest/x: expected one of the keys num_versions, received "x"'],
      [{ specific: {} }, '/specific/versions: expected array, received nothing'],
      [{ specific: { versions: [0] } }, '/specific/versions/0: expected a number >= 1, received 0'],
      [{ specific: { versions: [1, '2'] } }, '/specific/versions/1: expected integer, received "2"'],
      [{ specific: { versions: 1 } }, '/specific/versions: expected array, received 1'],
    ] as const
  ).map(
    ([policy, fault]) =>
      [
        `version policy ${JSON.stringify(policy)}`,
        withModel({ model_version_policy: policy }),
        `${MODEL_AT}/model_version_policy${fault}`,
      ] as const,
  ),
  [
    'nested plugin config',
    withModel({ plugin_config: { A: {} } }),
    `${MODEL_AT}/plugin_config/A: expected string or number or boolean, received {}`,
  ],
  [
    'text for allow_cache',
    withModel({ allow_cache: 'yes' }),
    `${MODEL_AT}/allow_cache: expected boolean, received "yes"`,
  ],
  [
    'loader options without name',
    withModel({ custom_loader_options: {} }),
    `${MODEL_AT}/custom_loader_options/loader_name: expected string, received nothing`,
  ],
  ...['mean', 'scale', 'color_format', 'precision', 'version'].map(
    (key) =>
      [
        `the key ${key} of a model`,
        withModel({ [key]: '1' }),
        new RegExp(`^${MODEL_AT}/${key}: expected one of the keys name, base_path, .*, received "${key}"$`),
      ] as never,
  ),
  [
    'a second key beside config',
    { model_config_list: [{ config: { name: 'm' }, x: 1 }] },
    '/model_config_list/0/x: expected one of the keys config, received "x"',
  ],
  [
    'MediaPipe graphs',
    { model_config_list: [], mediapipe_config_list: [] },
    '/mediapipe_config_list: expected one of the keys model_config_list, pipeline_config_list, custom_node_library_config_list, custom_loader_config_list, monitoring, received "mediapipe_config_list"',
  ],
  [
    'monitoring without enable',
    { model_config_list: [], monitoring: { metrics: {} } },
    '/monitoring/metrics/enable: expected boolean, received nothing',
  ],
  [
    'a library without path',
    { model_config_list: [], custom_node_library_config_list: [{ name: 'l' }] },
    '/custom_node_library_config_list/0/base_path: expected string, received nothing',
  ],
  ...['name', 'inputs', 'nodes', 'outputs'].map(
    (key) =>
      [
        `a pipeline without ${key}`,
        { model_config_list: [], pipeline_config_list: [withoutKey(PIPELINE, key)] },
        `/pipeline_config_list/0/${key}: expected ${key === 'name' ? 'string' : 'array'}, received nothing`,
      ] as const,
  ),
  ...['name', 'type', 'inputs', 'outputs'].map(
    (key) =>
      [
        `a node without ${key}`,
        { model_config_list: [], pipeline_config_list: [{ ...PIPELINE, nodes: [withoutKey(NODE, key)] }] },
        `${NODE_AT}/${key}: expected ${key === 'name' || key === 'type' ? 'string' : 'array'}, received nothing`,
      ] as const,
  ),
  [
    'an unknown node type',
    withNode({ type: 'DL Model' }),
    `${NODE_AT}/type: expected one of "DL model", "custom", "js", "pipeline", "select", received "DL Model"`,
  ],
  ...(
    [
      ['js', 'module', 'model_name'],
      ['pipeline', 'pipeline_name', 'module'],
      ['select', '', 'version'],
      ['select', '', 'params'],
    ] as const
  ).flatMap(
    ([type, required, forbidden]) =>
      [
        ...(required === ''
          ? []
          : [
              [
                `a ${type} node without ${required}`,
                withNode({ type, model_name: undefined }),
                `${NODE_AT}/${required}: expected a value, received nothing`,
              ],
            ]),
        [
          `a ${type} node with ${forbidden}`,
          withNode({
            type,
            model_name: undefined,
            ...(required === '' ? {} : { [required]: 'x' }),
            [forbidden]: forbidden === 'params' ? {} : 3,
          }),
          new RegExp(`^${NODE_AT}/${forbidden}: expected (string|nothing)`),
        ],
      ] as never[],
  ),
  [
    'a condition without a test',
    withNode({ when: { node_name: 'request', data_item: 'x', is: {} } }),
    `${NODE_AT}/when/is: expected at least 1 key, received {}`,
  ],
  [
    'a condition with an unknown test',
    withNode({ when: { node_name: 'request', data_item: 'x', is: { like: 1 } } }),
    new RegExp(`^${NODE_AT}/when/is/like: expected one of the keys equals, .*, received "like"$`) as never,
  ],
  [
    'a precision without a colon',
    withNode({ inputs: [{ b: { node_name: 'request', data_item: 'x', precision: 'U8' } }] }),
    new RegExp(`^${NODE_AT}/inputs/0/b/precision: expected .*pattern.*, received "U8"$`) as never,
  ],
  [
    'a DL node without model',
    { model_config_list: [], pipeline_config_list: [{ ...PIPELINE, nodes: [withoutKey(NODE, 'model_name')] }] },
    `${NODE_AT}/model_name: expected a value, received nothing`,
  ],
  [
    'a DL node with library',
    withNode({ library_name: 'l' }),
    `${NODE_AT}/library_name: expected nothing (the key does not fit the type of the node), received "l"`,
  ],
  [
    'a custom node with model',
    withNode({ type: 'custom', library_name: 'l' }),
    `${NODE_AT}/model_name: expected nothing (the key does not fit the type of the node), received "m"`,
  ],
  ['version 0', withNode({ version: 0 }), `${NODE_AT}/version: expected a number >= 1, received 0`],
  ['a parameter that is a number', withNode({ params: { a: 1 } }), `${NODE_AT}/params/a: expected string, received 1`],
  [
    'a demultiplier below -1',
    withNode({ demultiply_count: -2 }),
    `${NODE_AT}/demultiply_count: expected a number >= -1, received -2`,
  ],
  [
    'a demultiplier above 10000',
    withNode({ demultiply_count: 10001 }),
    `${NODE_AT}/demultiply_count: expected a number <= 10000, received 10001`,
  ],
  [
    'on_empty without a demultiplier',
    withNode({ on_empty: 'empty' }),
    `${NODE_AT}/demultiply_count: expected a value beside on_empty, received nothing`,
  ],
  [
    'an unknown on_empty',
    withNode({ demultiply_count: -1, on_empty: 'skip' }),
    `${NODE_AT}/on_empty: expected one of "error", "empty", received "skip"`,
  ],
  [
    'gathering from several nodes',
    withNode({ gather_from_node: ['a'] }),
    `${NODE_AT}/gather_from_node: expected string, received ["a"]`,
  ],
  ['an empty input', withNode({ inputs: [{}] }), `${NODE_AT}/inputs/0: expected at least 1 key, received {}`],
  [
    'an input with two keys',
    withNode({ inputs: [{ a: { node_name: 'r', data_item: 'x' }, b: { node_name: 'r', data_item: 'x' } }] }),
    new RegExp(`^${NODE_AT}/inputs/0: expected at most 1 key, received `),
  ] as never,
  [
    'an input without data item',
    withNode({ inputs: [{ a: { node_name: 'r' } }] }),
    `${NODE_AT}/inputs/0/a/data_item: expected string, received nothing`,
  ],
  [
    'an output without alias',
    withNode({ outputs: [{ data_item: 'a' }] }),
    `${NODE_AT}/outputs/0/alias: expected string, received nothing`,
  ],
];

describe('schema of config.json', () => {
  for (const [name, content, expected] of VIOLATIONS) {
    it(`refuses ${name}`, async () => {
      covers(
        'config.unknown-key',
        'config.wrong-type',
        'config.mediapipe',
        'config.cli-only',
        'config.models',
        'config.name',
        'pipelines.keys',
        'pipelines.node-keys',
        'pipelines.one-key-objects',
        'pipelines.demultiply-count',
        'pipelines.gather-one',
        'config.version-policy-bad',
      );
      const { code, detail } = await rejection(load(content));
      assert.equal(code, 'CONFIG_SCHEMA_INVALID');
      if (typeof expected === 'string') assert.equal(detail, expected);
      else assert.match(detail, expected);
    });
  }

  it('names every fault of a file, at most five in full', async () => {
    const { detail } = await rejection(
      load(withModel({ nireq: 'a', shape: 1, layout: 1, stateful: 1, name: 1, allow_cache: 1 })),
    );
    assert.equal(detail.split('; ').length, 6);
    assert.match(detail, /; and 1 more$/);
  });

  it('shortens long values', async () => {
    const { detail } = await rejection(load(withModel({ nireq: 'x'.repeat(1000) })));
    assert.ok(detail.length < 250 && detail.endsWith('"… (1000 characters)'), detail);
  });

  it('accepts every key of the contract', () => {
    covers('config.pipelines', 'config.libraries', 'config.graph-keys', 'config.allow-cache', 'config.key-order');
    covers('pipelines.keys', 'pipelines.node-keys');
    const file = {
      model_config_list: [
        {
          config: {
            name: 'm',
            base_path: '/m',
            batch_size: 8,
            shape: { a: 'auto' },
            layout: { a: 'NCHW' },
            model_version_policy: { all: {} },
            nireq: 0,
            target_device: 'CPU',
            plugin_config: { A: 'x', B: 1, C: true },
            allow_cache: true,
            stateful: true,
            idle_sequence_cleanup: true,
            low_latency_transformation: true,
            max_sequence_number: 0,
            custom_loader_options: { loader_name: 'l', x: 'y' },
            graph_path: 'g',
            subconfig: 's',
          },
        },
      ],
      pipeline_config_list: [
        {
          name: 'p',
          inputs: ['a'],
          demultiply_count: -1,
          outputs: [{ r: { node_name: 'n', data_item: 'o' } }],
          nodes: [
            {
              ...NODE,
              version: 1,
              inputs: [{ a: { node_name: 'request', data_item: 'a' } }],
              outputs: [{ data_item: 'b', alias: 'o' }],
              demultiply_count: 0,
              gather_from_node: 'x',
            },
            { name: 'c', type: 'custom', library_name: 'l', params: { a: 'b' }, inputs: [], outputs: [] },
          ],
        },
      ],
      custom_node_library_config_list: [{ name: 'l', base_path: '/l.so' }],
      custom_loader_config_list: [{ config: { loader_name: 'l', library_path: '/l.so', loader_config_file: 'f' } }],
      monitoring: { metrics: { enable: true, metrics_list: ['ovms_streams'] } },
    };
    assert.deepEqual(schemaFaults(ConfigFile, file), []);
  });

  it('describes every property for editors and the reference', () => {
    const undescribed: string[] = [];
    const visit = (schema: unknown, path: string): void => {
      const { properties, items, type, patternProperties } = schema as Record<string, unknown>;
      for (const [key, property] of Object.entries(
        (properties ?? {}) as Record<string, { description?: string; title?: string }>,
      )) {
        if (property.description === undefined && property.title === undefined) undescribed.push(`${path}/${key}`);
        visit(property, `${path}/${key}`);
      }
      if (type === 'array') visit(items, `${path}/*`);
      for (const inner of Object.values(patternProperties ?? {})) visit(inner, `${path}/*`);
    };
    visit(ConfigFile, '');
    assert.deepEqual(undescribed, []);
  });
});
