import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, readdirSync } from 'node:fs';
import { afterEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { writeDummyModel, writeHeavyModel } from '../fixtures/ir.js';
import { PosixSharedMemory } from '../helpers/posix-shared-memory.js';
import { bytesOf } from '../helpers/tensors.js';
import { binding, compile, newSlab, registerSlab, temporaryDirectory, TestRequest, type TestSlab } from './support.js';

const directory = temporaryDirectory();
const PAGE = 4096;
const TEN = Float32Array.from({ length: 10 }, (_, index) => index);

afterEach(() => binding.unregisterAllSharedMemory());

interface Mapped {
  readonly region: number;
  readonly slab: TestSlab;
  /** Byte of the slab at which the region begins. */
  readonly begin: number;
}

/** Begins a use and maps the region, as an owner worker does for its first request. */
function map(name: string): Mapped {
  const { region, room } = binding.beginSharedMemory(name);
  const slab = registerSlab(new SharedArrayBuffer(room));
  return { region, slab, begin: binding.mapSharedMemory(region, slab.bytes) };
}

function refusal(code: string, text: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof Error && 'code' in error, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, text);
    return true;
  };
}

test('shared memory: what is registered is listed by name, and a name is taken once', () => {
  const memory = new PosixSharedMemory(2 * PAGE);
  binding.registerSharedMemory('vat', memory.key, PAGE, 64);
  binding.registerSharedMemory('cask', memory.key.slice(1), 0, PAGE);
  assert.deepEqual(binding.listSharedMemory(), [
    { name: 'cask', key: memory.key.slice(1), offset: 0, byteSize: PAGE },
    { name: 'vat', key: memory.key, offset: PAGE, byteSize: 64 },
  ]);
  assert.throws(
    () => binding.registerSharedMemory('vat', memory.key, 0, 1),
    refusal('SHARED_MEMORY_EXISTS', /'vat' already in manager/),
  );
  assert.equal(binding.unregisterSharedMemory('vat'), true);
  assert.equal(binding.unregisterSharedMemory('vat'), false);
  binding.registerSharedMemory('vat', memory.key, 0, 1);
});

test('shared memory: a key is the name of POSIX shared memory and no path', () => {
  const { key } = new PosixSharedMemory(64);
  for (const wrong of ['', '/', '..', '/..', '../etc/passwd', `/${key}`, 'a/b', `${key}\0`, 'x'.repeat(256)]) {
    assert.throws(
      () => binding.registerSharedMemory('vat', wrong, 0, 1),
      refusal('SHARED_MEMORY_INVALID', /invalid args: expected a key/),
    );
  }
  assert.throws(
    () => binding.registerSharedMemory('vat', `${key}-nobody`, 0, 1),
    refusal('SHARED_MEMORY_OPEN', /Unable to open shared memory region: .* No such file/),
  );
  assert.deepEqual(binding.listSharedMemory(), []);
});

test('shared memory: a region lies within its key', () => {
  const { key } = new PosixSharedMemory(100);
  binding.registerSharedMemory('whole', key, 0, 100);
  binding.registerSharedMemory('last', key, 99, 1);
  for (const [offset, size] of [
    [0, 101],
    [100, 1],
    [1, 100],
    [2 ** 53 - 1, 2 ** 53 - 1],
  ] as const) {
    assert.throws(
      () => binding.registerSharedMemory('vat', key, offset, size),
      refusal('SHARED_MEMORY_INVALID', /lead beyond the 100 bytes/),
    );
  }
  assert.throws(() => binding.registerSharedMemory('vat', key, 0, 0), refusal('SHARED_MEMORY_INVALID', /at least 1/));
});

test('shared memory: what fails leaves no file open', () => {
  const { key } = new PosixSharedMemory(100);
  const open = (): number => readdirSync('/proc/self/fd').length;
  const before = open();
  for (let round = 0; round < 50; round += 1) {
    assert.throws(() => binding.registerSharedMemory('vat', key, 0, 101));
    binding.registerSharedMemory('vat', key, 0, 100);
    binding.unregisterSharedMemory('vat');
  }
  assert.equal(open(), before);
});

test(
  'shared memory: what may only be read is no place for outputs',
  { skip: process.getuid?.() === 0 ? 'a super user may write everything' : false },
  () => {
    const memory = new PosixSharedMemory(64);
    chmodSync(memory.path, 0o400);
    binding.registerSharedMemory('vat', memory.key, 0, 64);
    const { region, isWritable } = binding.beginSharedMemory('vat');
    assert.equal(isWritable, false);
    binding.endSharedMemory(region);
  },
);

test('shared memory: an inference reads and writes it in place, wherever it begins in its key', () => {
  const memory = new PosixSharedMemory(3 * PAGE);
  const offset = PAGE + 64;
  memory.write(bytesOf(TEN), offset);
  binding.registerSharedMemory('vat', memory.key, offset, PAGE);
  const { region, slab, begin } = map('vat');
  const place = { slab: slab.id, offset: begin, shape: [1, 10] };
  const request = new TestRequest(compile(writeDummyModel(directory)), place, { ...place, offset: begin + 64 });
  assert.equal(request.infer().status, 'OK');
  assert.equal(binding.tensorAddress(request.handle, 0), binding.slabAddress(slab.id, begin));
  assert.deepEqual(
    memory.floats(10, offset + 64),
    Array.from(TEN, (value) => value + 1),
  );
  memory.write(bytesOf(Float32Array.of(41)), offset);
  assert.equal(request.infer().status, 'OK');
  assert.equal(memory.floats(1, offset + 64)[0], 42);
  binding.endSharedMemory(region);
});

test('shared memory: memory that is no whole SharedArrayBuffer, or too small, is not mapped over', () => {
  const memory = new PosixSharedMemory(PAGE);
  binding.registerSharedMemory('vat', memory.key, 0, PAGE);
  const { region, room } = binding.beginSharedMemory('vat');
  assert.ok(room >= 2 * PAGE);
  assert.throws(() => binding.mapSharedMemory(region, new Uint8Array(room)), TypeError);
  assert.throws(
    // A whole page would do if it happened to begin where one does.
    () => binding.mapSharedMemory(region, new Uint8Array(new SharedArrayBuffer(PAGE - 1))),
    refusal('SHARED_MEMORY_INVALID', /expected \d+ bytes/),
  );
  const bytes = new Uint8Array(new SharedArrayBuffer(room));
  binding.mapSharedMemory(region, bytes);
  assert.throws(() => binding.mapSharedMemory(region, bytes), refusal('SHARED_MEMORY_INVALID', /no memory yet/));
  assert.equal(binding.beginSharedMemory('vat').room, 0);
  assert.throws(() => binding.unmapSharedMemory(region), TypeError);
  binding.endSharedMemory(region);
  binding.endSharedMemory(region);
  assert.throws(() => binding.endSharedMemory(region), TypeError);
  binding.unmapSharedMemory(region);
  assert.equal(binding.beginSharedMemory('vat').room, room);
  binding.endSharedMemory(region);
});

test('shared memory: a region that is unregistered stays until its last use ends, and its name is free at once', () => {
  const [first, second] = [new PosixSharedMemory(Buffer.from('old')), new PosixSharedMemory(Buffer.from('new'))];
  binding.registerSharedMemory('vat', first.key, 0, 3);
  const old = map('vat');
  binding.unregisterSharedMemory('vat');
  assert.throws(() => binding.beginSharedMemory('vat'), refusal('SHARED_MEMORY_MISSING', /Unable to find/));
  binding.registerSharedMemory('vat', second.key, 0, 3);
  const fresh = map('vat');
  const text = ({ slab, begin }: Mapped): string => Buffer.from(slab.bytes.slice(begin, begin + 3)).toString();
  assert.deepEqual([text(old), text(fresh)], ['old', 'new']);
  assert.equal(binding.isSharedMemoryKnown(old.region), true);
  binding.endSharedMemory(old.region);
  assert.equal(binding.isSharedMemoryKnown(old.region), false);
  assert.deepEqual([text(old), text(fresh)], ['\0\0\0', 'new']);
  binding.unmapSharedMemory(old.region);
  binding.endSharedMemory(fresh.region);
  first.write(Buffer.from('new'));
  assert.equal(text(old), '\0\0\0');
});

test('shared memory: a region that was cut off is refused, and taken when it is whole again', () => {
  const memory = new PosixSharedMemory(2 * PAGE);
  binding.registerSharedMemory('vat', memory.key, 0, 2 * PAGE);
  memory.truncate(2 * PAGE - 1);
  assert.throws(() => binding.beginSharedMemory('vat'), refusal('SHARED_MEMORY_BROKEN', /'vat'/));
  memory.grow(2 * PAGE);
  binding.endSharedMemory(binding.beginSharedMemory('vat').region);
});

test('shared memory: pages that are taken away read as zeros on the event loop, and the region says so', () => {
  const memory = new PosixSharedMemory(new Uint8Array(4 * PAGE).fill(7));
  binding.registerSharedMemory('vat', memory.key, 0, 4 * PAGE);
  const { region, slab, begin } = map('vat');
  memory.truncate(PAGE);
  assert.equal(slab.bytes[begin], 7);
  assert.equal(binding.isSharedMemoryBroken(region), false);
  assert.equal(slab.bytes[begin + 2 * PAGE], 0);
  assert.equal(binding.isSharedMemoryBroken(region), true);
  slab.bytes[begin + 4 * PAGE - 1] = 9;
  binding.copyIn(newSlab(4 * PAGE).id, 0, slab.bytes.subarray(begin, begin + 4 * PAGE));
  binding.endSharedMemory(region);
  memory.grow(4 * PAGE);
  assert.throws(() => binding.beginSharedMemory('vat'), refusal('SHARED_MEMORY_BROKEN', /'vat'/));
  binding.unregisterSharedMemory('vat');
  binding.registerSharedMemory('vat', memory.key, 0, 4 * PAGE);
  const again = map('vat');
  assert.equal(binding.isSharedMemoryBroken(again.region), false);
  assert.equal(again.slab.bytes[again.begin], 7);
  binding.endSharedMemory(again.region);
});

test('shared memory: taken away before and while inferences run on threads of OpenVINO, in and out', async () => {
  const SIZE = 256;
  const MATRIX = SIZE * SIZE * 4;
  const model = compile(writeHeavyModel(directory, { name: 'heavy', size: SIZE, depth: 20 }));
  const memory = new PosixSharedMemory(2 * MATRIX);
  for (let round = 0; round < 4; round += 1) {
    memory.grow(2 * MATRIX);
    binding.registerSharedMemory('vat', memory.key, 0, 2 * MATRIX);
    const { region, slab, begin } = map('vat');
    const input = { slab: slab.id, offset: begin, shape: [SIZE, SIZE] };
    const request = new TestRequest(model, input, { ...input, offset: begin + MATRIX });
    if (round % 2 === 0) memory.truncate(0);
    const outcome = request.start();
    if (round % 2 === 1) memory.truncate(0);
    assert.equal((await outcome).status, 'OK');
    // Where it was taken away in the middle, the inference may have been through with it.
    if (round % 2 === 0) assert.equal(binding.isSharedMemoryBroken(region), true);
    binding.endSharedMemory(region);
    binding.unregisterSharedMemory('vat');
  }
});

test('shared memory: a thread that ends gives back what it used', async () => {
  const memory = new PosixSharedMemory(PAGE);
  binding.registerSharedMemory('vat', memory.key, 0, PAGE);
  const program = `
    const { parentPort, workerData } = require('node:worker_threads');
    const binding = require(workerData);
    const { region, room } = binding.beginSharedMemory('vat');
    const bytes = new Uint8Array(new SharedArrayBuffer(room));
    bytes[binding.mapSharedMemory(region, bytes)] = 5;
    parentPort.postMessage(region);`;
  const addon = fileURLToPath(new URL('../../native/Release/vinery.node', import.meta.url));
  const worker = new Worker(program, { eval: true, workerData: process.env['VINERY_ADDON'] ?? addon });
  const region = await new Promise<number>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  await new Promise((resolve) => worker.once('exit', resolve));
  assert.equal(memory.bytes[0], 5);
  assert.equal(binding.isSharedMemoryKnown(region), true);
  binding.unregisterSharedMemory('vat');
  assert.equal(binding.isSharedMemoryKnown(region), false);
});

test('shared memory: bus errors elsewhere still end the process', () => {
  const file = fileURLToPath(new URL('./program.js', import.meta.url));
  // The sanitizer would take the signal for itself.
  const env = { ...process.env, ASAN_OPTIONS: `${process.env['ASAN_OPTIONS'] ?? ''}:handle_sigbus=0` };
  const { signal, stdout } = spawnSync(process.execPath, [file, 'bus-error', directory], { encoding: 'utf8', env });
  assert.deepEqual({ signal, stdout }, { signal: 'SIGBUS', stdout: 'mapped\n' });
});

test('shared memory: there are only so many regions', () => {
  const { key } = new PosixSharedMemory(1);
  for (let index = 0; index < 1024; index += 1) binding.registerSharedMemory(`vat-${index}`, key, 0, 1);
  assert.throws(
    () => binding.registerSharedMemory('one-more', key, 0, 1),
    refusal('SHARED_MEMORY_LIMIT', /expected at most 1024 regions/),
  );
});
