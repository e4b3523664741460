import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { after, before, describe, test } from 'node:test';
import type { Model } from '../../helpers/repository.js';
import { TestRepository } from '../../helpers/repository.js';
import {
  askAll,
  EVERY_FORM,
  NETWORKS_SKIPPED,
  servablesOf,
  Tally,
  writeNetworks,
  type Network,
} from '../../helpers/answers.js';
import { withGrpcClient } from '../../helpers/grpc-client.js';
import { restCall } from '../../helpers/rest-client.js';
import { withServerProcess, type ServerProcess } from '../../helpers/server.js';

/**
 * How often the server starts with each setting. `make test-answers` says it, and runs every setting and network there is; without it
 * the tests are those of CI.
 */
const STARTS = process.env['VINERY_TEST_ANSWERS'];
const INPUTS = 3;
/** Requests to each network in a row: more at once than it has infer requests, so that they wait. */
const BURST = 16;

/** How models are compiled. */
const HINTS: Readonly<Record<string, Partial<Model>>> = {
  default: {},
  THROUGHPUT: { plugin_config: { PERFORMANCE_HINT: 'THROUGHPUT' } },
  'NUM_STREAMS=2': { plugin_config: { NUM_STREAMS: '2' } },
  'AUTO with THROUGHPUT': { target_device: 'AUTO', plugin_config: { PERFORMANCE_HINT: 'THROUGHPUT' } },
};
type Hint = keyof typeof HINTS;

interface Setting {
  readonly executor: 'adaptive' | 'async' | 'piscina';
  readonly hint: Hint;
  readonly transport?: 'native' | 'js';
  readonly workers?: number;
  /** Each start is one with an empty cache, and one that reads what that has left. */
  readonly cached?: true;
  /** Half of the models are compiled again, time and again, while requests run. */
  readonly reloaded?: true;
  /** Runs in CI, too. */
  readonly always?: true;
}

const EXECUTORS = ['adaptive', 'async', 'piscina'] as const;
const SETTINGS: readonly Setting[] = [
  ...EXECUTORS.flatMap((executor) => Object.keys(HINTS).map((hint) => ({ executor, hint }))),
  { executor: 'adaptive', hint: 'default', transport: 'js' },
  { executor: 'async', hint: 'THROUGHPUT', transport: 'js' },
  { executor: 'adaptive', hint: 'default', workers: 2 },
  { executor: 'adaptive', hint: 'THROUGHPUT', workers: 2 },
  { executor: 'piscina', hint: 'NUM_STREAMS=2', workers: 2, transport: 'js', always: true },
  { executor: 'adaptive', hint: 'default', cached: true, always: true },
  { executor: 'async', hint: 'THROUGHPUT', cached: true },
  { executor: 'piscina', hint: 'NUM_STREAMS=2', cached: true },
  { executor: 'adaptive', hint: 'AUTO with THROUGHPUT', cached: true },
  { executor: 'adaptive', hint: 'default', reloaded: true },
  { executor: 'async', hint: 'THROUGHPUT', reloaded: true, workers: 2, always: true },
  { executor: 'piscina', hint: 'NUM_STREAMS=2', reloaded: true },
  { executor: 'adaptive', hint: 'AUTO with THROUGHPUT', reloaded: true, always: true },
];

function titleOf({ executor, hint, transport, workers, cached, reloaded }: Setting): string {
  const more = [
    transport === 'js' && 'gRPC by @grpc/grpc-js',
    workers !== undefined && `${workers} workers`,
    cached && 'from a cache',
    reloaded && 'reloaded meanwhile',
  ];
  return [executor, hint, ...more.filter((each) => typeof each === 'string')].join(', ');
}

/** What is asked of the processor besides plain AVX2. */
function processor(): string {
  const flags = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]?.split(' ') ?? [];
  const features = flags.filter((flag) => /^(avx2|avx512f|avx512_bf16|avx512_vnni|avx_vnni|amx_)/.test(flag));
  return `${cpus()[0]?.model}, ${cpus().length} cores: ${features.join(' ')}`;
}

describe('every answer is that of one quiet stream', { skip: NETWORKS_SKIPPED }, () => {
  const repository = new TestRepository();
  let networks: readonly Network[] = [];
  before(async () => {
    networks = await writeNetworks(repository, INPUTS, STARTS === undefined ? EVERY_FORM : undefined);
  });

  test('the networks tell their inputs apart, and packed weights are those that were packed', (t) => {
    t.diagnostic(processor());
    t.diagnostic(`networks: ${networks.map(({ model }) => model.name).join(', ')}`);
    for (const { model, requests } of networks) {
      const answers = new Set(requests.map(({ answer }) => Buffer.from(answer).toString('base64')));
      assert.equal(answers.size, INPUTS, model.name);
    }
    const [f32, ...packed] = ['f32', 'f16', 'u8', 'i8'].map((form) => probabilities(networks, `efficientnet-${form}`));
    for (const each of packed) {
      for (const [at, value] of each.entries()) assert.ok(Math.abs(value - f32![at]!) < 0.1, `${value} at ${at}`);
    }
  });

  const totals: string[] = [];
  for (const setting of SETTINGS.filter(({ always }) => always ?? STARTS !== undefined)) {
    test(titleOf(setting), async (t) => {
      const tallies = await runSetting(repository, networks, setting);
      const rows = Array.from(tallies, ([title, tally]) => row(title, tally));
      totals.push(...rows);
      for (const each of rows) t.diagnostic(each);
      for (const [title, tally] of tallies) {
        assert.deepEqual(
          { wrong: Object.fromEntries(tally.wrong), worst: tally.worst, failed: [...tally.texts] },
          { wrong: {}, worst: 0, failed: [] },
          `${title}: ${tally.wrongAnswers} wrong, ${tally.failed} failed of ${tally.asked}`,
        );
      }
    });
  }

  after(() => {
    console.log(['setting | asked | wrong | failed | worst difference', ...totals].join('\n'));
  });
});

function row(title: string, { asked, wrongAnswers, failed, worst }: Tally): string {
  return [title, asked, wrongAnswers, failed, worst].join(' | ');
}

function probabilities(networks: readonly Network[], name: string): Float32Array {
  const { requests } = networks.find(({ model }) => model.name === name)!;
  return new Float32Array(requests[0]!.answer.slice().buffer);
}

/** All starts of one setting; those from a full cache are counted for themselves. */
async function runSetting(
  repository: TestRepository,
  networks: readonly Network[],
  setting: Setting,
): Promise<Map<string, Tally>> {
  const title = titleOf(setting);
  const tallies = new Map<string, Tally>();
  const number = SETTINGS.indexOf(setting);
  for (let start = 0; start < Number(STARTS ?? 1); start++) {
    const cache = setting.cached && repository.path(`cache-${number}-${start}`);
    for (const round of cache === undefined ? [''] : [' (empty)', ' (full)']) {
      const tally = await runServer(repository, networks, setting, cache);
      const all = tallies.get(title + round) ?? new Tally();
      all.add(tally);
      tallies.set(title + round, all);
    }
  }
  return tallies;
}

async function runServer(
  repository: TestRepository,
  networks: readonly Network[],
  setting: Setting,
  cache: string | undefined,
): Promise<Tally> {
  const { executor, hint, transport = 'native', workers = 1 } = setting;
  const configure = (nireq: number | undefined): string => {
    const [models, pipelines] = servablesOf(networks, HINTS[hint]!);
    for (const model of models.slice(0, models.length / 2)) if (nireq !== undefined) model.nireq = nireq;
    return repository.writeConfig(models, pipelines);
  };
  const flags = ['--config_path', configure(undefined), '--file_system_poll_wait_seconds', '0'];
  flags.push('--node_executor', executor, '--grpc_transport', transport, '--grpc_workers', String(workers));
  if (cache !== undefined) flags.push('--cache_dir', cache);
  return withServerProcess(flags, (server) =>
    withGrpcClient(server.grpcPort, async (client) => {
      const tally = new Tally();
      let isOver = false;
      const reloads = setting.reloaded ? reloadUntil(server, configure, () => isOver) : Promise.resolve();
      try {
        // What the first round has caused to be compiled answers the second.
        for (const burst of [BURST, 1]) {
          tally.add(await askAll(client, networks, BURST * networks.length, burst));
        }
      } finally {
        isOver = true;
      }
      await reloads;
      return tally;
    }),
  );
}

/** Changes how many infer requests half of the models have, which compiles them again, until it is over. */
async function reloadUntil(
  server: ServerProcess,
  configure: (nireq: number) => string,
  isOver: () => boolean,
): Promise<void> {
  for (let nireq = 3; !isOver(); nireq = nireq === 3 ? 4 : 3) {
    configure(nireq);
    const { status, text } = await restCall(server.restPort, 'POST', '/v1/config/reload');
    assert.equal(status, 201, text);
  }
}
