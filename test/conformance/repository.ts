import { mkdirSync, writeFileSync } from 'node:fs';
import { writeArgmaxModel, writeDummyModel, writeHeavyModel } from '../fixtures/ir.js';
import { modelNode, pipeline, TestRepository } from '../helpers/repository.js';
import { PASSTHROUGH_PRECISIONS, writePassthroughModel } from './passthrough-model.js';

const CLASSES = 10;
const INCREMENTED = ['f32', 'i32', 'u8'] as const;

/**
 * Writes the models and pipelines that `python/serving_under_test.py` names, and that the tests with curl use.
 * @returns the path of the config file.
 */
export function writeConformanceRepository(repository: TestRepository): string {
  writeDummyModel(repository.path('dummy', '1'));
  writeDummyModel(repository.path('versioned', '1'), { addend: 1 });
  writeDummyModel(repository.path('versioned', '2'), { addend: 2 });
  writeArgmaxModel(repository.path('argmax', '1'), { classes: CLASSES });
  writeHeavyModel(repository.path('heavy', '1'), { depth: 200 });
  writeUnreadableModel(repository.path('broken', '1'));
  for (const precision of PASSTHROUGH_PRECISIONS) {
    writePassthroughModel(repository.path(`passthrough_${precision}`, '1'), precision);
  }
  for (const precision of INCREMENTED) {
    writeDummyModel(repository.path(incrementOf(precision), '1'), { shape: [1], precision });
  }
  const models = [
    { name: 'dummy' },
    { name: 'versioned', model_version_policy: { all: {} } },
    { name: 'argmax' },
    { name: 'heavy' },
    { name: 'broken' },
    ...PASSTHROUGH_PRECISIONS.map((precision) => ({ name: `passthrough_${precision}` })),
    ...INCREMENTED.map((precision) => ({ name: incrementOf(precision) })),
  ];
  return repository.writeConfig(models, [dummyTwice(), ensemble(), pair(), texts(), brokenPipeline(), umlauts()]);
}

function dummyTwice(): ReturnType<typeof pipeline> {
  const nodes = [
    modelNode('first', 'dummy', { b: 'request.b' }, ['a']),
    modelNode('second', 'dummy', { b: 'first.a' }, ['a']),
  ];
  return pipeline('dummy_twice', ['b'], nodes, { a: 'second.a' });
}

/** Shaped as the demo: two networks side by side, then the argmax of their sum. */
function ensemble(): ReturnType<typeof pipeline> {
  const nodes = [
    modelNode('left', 'dummy', { b: 'request.image/in' }, ['a']),
    modelNode('right', 'dummy', { b: 'request.image/in' }, ['a']),
    modelNode('top', 'argmax', { in1: 'left.a', in2: 'right.a' }, ['argmax']),
  ];
  return pipeline('ensemble', ['image/in'], nodes, { 'label/out': 'top.argmax' });
}

/** Two inputs, each with an output of its own. */
function pair(): ReturnType<typeof pipeline> {
  const nodes = [
    modelNode('first', 'dummy', { b: 'request.left' }, ['a']),
    modelNode('second', 'versioned', { b: 'request.right' }, ['a']),
  ];
  return pipeline('pair', ['left', 'right'], nodes, { left_sum: 'first.a', right_sum: 'second.a' });
}

/** Strings in, the same strings out: rows of U8 whose output is called as strings are. */
function texts(): ReturnType<typeof pipeline> {
  const nodes = [modelNode('only', 'passthrough_U8', { in: 'request.text' }, ['out'])];
  return pipeline('texts', ['text'], nodes, { same_string: 'only.out' });
}

function brokenPipeline(): ReturnType<typeof pipeline> {
  return pipeline('broken_pipeline', ['b'], [modelNode('only', 'broken', { b: 'request.b' }, ['a'])], { a: 'only.a' });
}

/** Names are UTF-8 everywhere: in messages, URLs, JSON and the texts of errors. */
function umlauts(): ReturnType<typeof pipeline> {
  const nodes = [modelNode('Knoten', 'dummy', { b: 'request.Länge' }, ['a'])];
  return pipeline('Größe', ['Länge'], nodes, { Fläche: 'Knoten.a' });
}

function incrementOf(precision: (typeof INCREMENTED)[number]): string {
  return `increment_${precision.toUpperCase().replace('F', 'FP')}`;
}

function writeUnreadableModel(directory: string): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(`${directory}/model.xml`, '<?xml version="1.0"?>\n<net name="cut off"');
  writeFileSync(`${directory}/model.bin`, '');
}
