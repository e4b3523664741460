import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeInferRequest, tensorsOf } from '#src/frontends/kserve/infer-request.js';
import { sharedPlace, type TensorParameters } from '#src/frontends/kserve/shared-parameters.js';
import { SharedTensors } from '#src/frontends/kserve/shared-tensors.js';
import { decodeInferJson } from '#src/frontends/rest/kserve/infer-json.js';
import { placeInputs, requestTensors } from '#src/frontends/rest/kserve/infer-body.js';
import { Arena, type Lease } from '#src/tensors/arena.js';
import type { SharedMemory, SharedMemoryPlace, SharedMemoryUse } from '#src/tensors/shared-memory.js';
import { encodeKserve, type Fields } from '../../../helpers/kserve-messages.js';
import { floatTensor } from '../../../helpers/tensors.js';
import { FakeRegistrar } from '../../tensors/fake-registrar.js';

/** Leases ordinary memory for every place, and counts. */
class FakeMemory implements SharedMemory {
  readonly leased: Lease[] = [];
  readonly places: SharedMemoryPlace[] = [];
  broken = false;
  readonly #arena = new Arena(new FakeRegistrar());

  read(place: SharedMemoryPlace): SharedMemoryUse {
    const lease = this.#arena.lease(place.byteSize);
    this.places.push(place);
    this.leased.push(lease);
    return {
      lease,
      checkWhole: () => assert.equal(this.broken, false, 'broken'),
      fill: (bytes) => lease.bytes.set(bytes),
    };
  }

  write(place: SharedMemoryPlace): SharedMemoryUse {
    return this.read(place);
  }

  register(): never {
    throw new Error('not asked');
  }
  unregister(): never {
    throw new Error('not asked');
  }
  unregisterAll(): never {
    throw new Error('not asked');
  }
  list(): never {
    throw new Error('not asked');
  }
}

const PLACE = { shared_memory_region: 'vat', shared_memory_byte_size: 4, shared_memory_offset: 8 };

test('shared parameters: a place has a region, a size, and an offset that may be left out', () => {
  assert.equal(sharedPlace({}, "input 'b'"), null);
  assert.equal(sharedPlace({ shared_memory_byte_size: 4 }, "input 'b'"), null);
  assert.deepEqual(sharedPlace(PLACE, "input 'b'"), { region: 'vat', offset: 8, byteSize: 4 });
  const withoutOffset = { shared_memory_region: 'vat', shared_memory_byte_size: 4 };
  assert.deepEqual(sharedPlace(withoutOffset, "input 'b'"), { region: 'vat', offset: 0, byteSize: 4 });
});

test('shared parameters: what is wrong is named', () => {
  const cases: readonly (readonly [TensorParameters, string])[] = [
    [{ ...PLACE, shared_memory_region: 7 }, 'shared_memory_region of b: expected the name of a region, received 7'],
    [{ ...PLACE, shared_memory_region: '' }, 'shared_memory_region of b: expected the name of a region, received ""'],
    [{ shared_memory_region: 'vat' }, 'shared_memory_byte_size of b: expected a number of bytes, received none'],
    [
      { ...PLACE, shared_memory_byte_size: -1 },
      'shared_memory_byte_size of b: expected a number of bytes, received -1',
    ],
    [
      { ...PLACE, shared_memory_byte_size: 2 ** 60 },
      `shared_memory_byte_size of b: expected a number of bytes, received ${2 ** 60}`,
    ],
    [{ ...PLACE, shared_memory_offset: true }, 'shared_memory_offset of b: expected a number of bytes, received true'],
  ];
  for (const [parameters, message] of cases) {
    assert.throws(() => sharedPlace(parameters, 'b'), { code: 'SHARED_MEMORY_INVALID', message });
  }
});

const GRPC_PLACE = {
  parameters: {
    shared_memory_region: { string_param: 'vat' },
    shared_memory_byte_size: { int64_param: 4 },
    shared_memory_offset: { int64_param: 8 },
    priority: { int64_param: 1 },
    binary_data: { bool_param: true },
  },
};

function input(name: string, more: Fields = {}): Fields {
  return { name, datatype: 'FP32', shape: [1], ...more };
}

function grpcRequest(
  inputs: readonly Fields[],
  raw: readonly Uint8Array[],
  outputs: readonly Fields[] = [],
): Uint8Array {
  return encodeKserve('ModelInferRequest', { model_name: 'm', inputs, outputs, raw_input_contents: raw });
}

test('shared tensors over gRPC: raw contents are those of the other inputs, in their order', () => {
  const memory = new FakeMemory();
  const shared = new SharedTensors(memory);
  const [first, last] = [floatTensor('a', [1], [1]).bytes, floatTensor('c', [1], [2]).bytes];
  const message = decodeInferRequest(grpcRequest([input('a'), input('b', GRPC_PLACE), input('c')], [first, last]));
  const tensors = tensorsOf(message, 3, shared);
  const bytesAt = (name: string): Uint8Array => {
    const { content } = tensors.get(name)!;
    if (content.kind !== 'bytes') throw new Error(`expected bytes, received ${content.kind}`);
    return content.bytes;
  };
  assert.deepEqual(Buffer.from(bytesAt('a')), Buffer.from(first));
  assert.deepEqual(Buffer.from(bytesAt('c')), Buffer.from(last));
  assert.equal(bytesAt('b').buffer, memory.leased[0]!.buffer);
  assert.deepEqual(memory.places, [{ region: 'vat', offset: 8, byteSize: 4 }]);
  shared.release();
  assert.equal(memory.leased[0]!.uses, 0);
});

test('shared tensors over gRPC: an input is in one place only', () => {
  const typed = input('b', { ...GRPC_PLACE, contents: { fp32_contents: [1] } });
  assert.throws(() => tensorsOf(decodeInferRequest(grpcRequest([typed], [])), 1, new SharedTensors(new FakeMemory())), {
    code: 'INVALID_MESSAGE_STRUCTURE',
  });
});

test('shared tensors over gRPC: of requested outputs those with a place count', () => {
  const outputs = [{ name: 'x' }, { name: 'y', ...GRPC_PLACE }, { name: 'z', parameters: { a: { bool_param: true } } }];
  const { sharedOutputs } = decodeInferRequest(grpcRequest([], [], outputs));
  assert.deepEqual(sharedOutputs, [{ name: 'y', place: { region: 'vat', offset: 8, byteSize: 4 } }]);
});

test('shared tensors over REST: the binary part is that of the other inputs', () => {
  const json = JSON.stringify({
    inputs: [input('a'), input('b', { parameters: PLACE }), input('c')],
    outputs: [{ name: 'x', parameters: { ...PLACE, binary_data: true } }, { name: 'y' }],
  });
  const binary = Buffer.from(Float32Array.of(1, 2).buffer);
  const document = decodeInferJson(Buffer.from(json));
  assert.deepEqual(document.sharedOutputs, [{ name: 'x', place: { region: 'vat', offset: 8, byteSize: 4 } }]);
  const memory = new FakeMemory();
  const tensors = requestTensors(placeInputs(document, binary), 3, new SharedTensors(memory));
  const { content } = tensors.get('c')!;
  assert.deepEqual(content, { kind: 'bytes', bytes: binary.subarray(4) });
  assert.equal(memory.places.length, 1);
});

test('shared tensors over REST: an input is in one place only', () => {
  const json = JSON.stringify({ inputs: [input('b', { parameters: PLACE, data: [1] })] });
  assert.throws(() => placeInputs(decodeInferJson(Buffer.from(json)), new Uint8Array(0)), {
    code: 'INVALID_MESSAGE_STRUCTURE',
    message: / together with shared_memory_region is not allowed for input: b$/,
  });
});

test('shared tensors: BYTES are copied before their lengths are read', () => {
  const memory = new FakeMemory();
  const shared = new SharedTensors(memory);
  const place = { region: 'vat', offset: 0, byteSize: 5 };
  memory.read = (asked) => {
    const use = FakeMemory.prototype.read.call(memory, asked);
    use.lease.bytes.set([1, 0, 0, 0, 65].slice(0, asked.byteSize));
    return use;
  };
  const content = shared.input('b', place, 'STRING');
  memory.leased[0]!.bytes.set([255, 255, 255, 255]);
  assert.ok(content.kind === 'strings');
  assert.notEqual(content.strings.bytes.buffer, memory.leased[0]!.buffer);
  assert.throws(() => shared.input('b', { ...place, byteSize: 3 }, 'STRING'), { code: 'INVALID_CONTENT_SIZE' });
  shared.release();
  for (const lease of memory.leased) assert.equal(lease.uses, 0);
});

test('shared tensors: an output is copied to its place unless it is there, and must fit', () => {
  const memory = new FakeMemory();
  const shared = new SharedTensors(memory);
  shared.wantOutputs([{ name: 'x', place: { region: 'vat', offset: 8, byteSize: 8 } }]);
  const elsewhere = floatTensor('x', [1], [5]);
  assert.deepEqual(shared.place(elsewhere, elsewhere.bytes), { region: 'vat', offset: 8, byteSize: 4 });
  const [lease] = memory.leased;
  assert.deepEqual(Buffer.from(lease!.bytes.slice(0, 4)), Buffer.from(elsewhere.bytes));
  assert.equal(shared.bytesInPlace, 0);
  const there = { ...elsewhere, bytes: lease!.bytes.subarray(0, 4) };
  shared.place(there, there.bytes);
  assert.equal(shared.bytesInPlace, 4);
  assert.equal(shared.place({ ...elsewhere, name: 'y' }, elsewhere.bytes), null);
  const large = floatTensor('x', [3], [1, 2, 3]);
  assert.throws(() => shared.place(large, large.bytes), {
    code: 'SHARED_MEMORY_TOO_SMALL',
    message: /for output 'x' \(8 bytes\) should be at least 12 bytes/,
  });
  assert.equal(shared.wanted.outputs?.get('x'), lease);
  shared.release();
});

test('shared tensors: where nothing is shared, nothing is looked for, and a place is refused', () => {
  const shared = new SharedTensors(null);
  assert.deepEqual(shared.wanted, {});
  shared.checkWhole();
  assert.throws(() => shared.input('b', { region: 'vat', offset: 0, byteSize: 4 }, 'FP32'), {
    code: 'SHARED_MEMORY_OFF',
  });
});
