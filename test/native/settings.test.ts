import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { translatePluginConfig } from '#src/config/plugin-config.js';
import { portBytes, staticShape } from '#src/inference/port-bytes.js';
import type { CompileSpecification, PortDescription } from '#src/native/binding.js';
import { elementArray, elementOf, isNumeric } from '#src/tensors/elements.js';
import { precisionOfElementType } from '#src/tensors/precision.js';
import { covers } from '../contract/covers.js';
import { elementTypesOf, numbers, OPERATIONS } from '../fixtures/every-operation.js';
import { writeOperationModel, writeOperationsModel } from '../fixtures/operations.js';
import {
  binding,
  compile,
  INLINE_PROPERTIES,
  newSlab,
  specification,
  temporaryDirectory,
  TestRequest,
} from './support.js';

type Properties = CompileSpecification['properties'];

const DEFAULTS = translatePluginConfig({}, 'CPU', '').pluginConfig;
/** What the server adds to OpenVINO's own defaults. */
const SETTINGS: Readonly<Record<string, Properties>> = {
  defaults: DEFAULTS,
  'inline inference': { ...DEFAULTS, ...INLINE_PROPERTIES },
  'threads of a container': { ...DEFAULTS, INFERENCE_NUM_THREADS: 1 },
};

const directory = temporaryDirectory();
const slab = newSlab(1 << 20);

/** Where the ports lie in the slab, one after the other. */
function placesOf(ports: readonly PortDescription[]): { offset: number; bytes: number; shape: readonly number[] }[] {
  let end = 0;
  return ports.map((port) => {
    const place = { offset: end, bytes: portBytes(port), shape: staticShape(port) };
    end += Math.ceil(place.bytes / 64) * 64;
    return place;
  });
}

function fill(port: PortDescription, offset: number, parameter: number): void {
  const precision = precisionOfElementType(port.elementType);
  assert.ok(isNumeric(precision));
  const count = staticShape(port).reduce((all, size) => all * size, 1);
  const elements = elementArray(precision, slab.bytes.buffer, offset, count);
  const toElement = elementOf(precision);
  numbers(port.elementType, count, parameter).forEach((value, index) => (elements[index] = toElement(value)));
}

/** The answers of two inferences, one a port, as bytes. */
function answers(path: string, properties: Properties): string[] {
  const modelId = binding.reserveModel();
  binding.compileModel(modelId, specification(path, { properties }));
  const model = binding.openModel(modelId);
  binding.releaseModel(modelId);
  const { inputs, outputs } = binding.describeModel(model);
  const places = placesOf([...inputs, ...outputs]);
  const request = new TestRequest(model, ...places.map(({ offset, shape }) => ({ slab: slab.id, offset, shape })));
  // The first one may run on another thread than those after it.
  const rounds = [0, 1].map(() => {
    slab.bytes.fill(0xa5);
    inputs.forEach((input, index) => fill(input, places[index]!.offset, index));
    assert.deepEqual(request.infer(), { status: 'OK', text: '' });
    return places
      .slice(inputs.length)
      .map(({ offset, bytes }) => Buffer.from(slab.bytes.subarray(offset, offset + bytes)).toString('hex'));
  });
  binding.closeInferRequest(request.handle);
  binding.closeModel(model);
  assert.deepEqual(rounds[1], rounds[0]);
  return rounds[0]!;
}

test('settings: a Select over integers takes the branch that its condition says', () => {
  for (const [name, properties] of Object.entries(SETTINGS)) {
    for (const elementType of ['i32', 'i64', 'u8'] as const) {
      const path = writeOperationModel(directory, `select-${elementType}`, {
        type: 'Select',
        version: 'opset1',
        attributes: { auto_broadcast: 'numpy' },
        inputs: ['boolean', elementType, elementType].map((type) => ({ elementType: type, shape: [4] })),
      });
      const model = compile(path, { properties });
      const request = new TestRequest(
        model,
        ...[0, 1024, 2048, 3072].map((offset) => ({ slab: slab.id, offset, shape: [4] })),
      );
      const precision = precisionOfElementType(elementType);
      assert.ok(isNumeric(precision));
      const at = (offset: number) => elementArray(precision, slab.bytes.buffer, offset, 4);
      slab.bytes.set([1, 0, 1, 0]);
      const toElement = elementOf(precision);
      [10, 20, 30, 40].forEach((value, index) => (at(1024)[index] = toElement(value)));
      [1, 2, 3, 4].forEach((value, index) => (at(2048)[index] = toElement(value)));
      for (let round = 0; round < 2; round += 1) {
        assert.deepEqual(request.infer(), { status: 'OK', text: '' });
        assert.deepEqual(Array.from(at(3072), Number), [10, 2, 30, 4], `${elementType}, ${name}`);
      }
    }
  }
});

describe('settings: every operation answers with each of ours as with none, bit for bit, for', () => {
  for (const [title, make] of OPERATIONS) {
    test(title, () => {
      covers('scheduling.hint', 'scheduling.pinning');
      const operations = elementTypesOf(title).map(make);
      const path = writeOperationsModel(directory, title.replaceAll(' ', '-'), operations);
      const plain = answers(path, {});
      for (const [name, properties] of Object.entries(SETTINGS)) {
        assert.deepEqual(answers(path, properties), plain, name);
      }
    });
  }
});
