import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { COMPLETION_STRIDE } from '#src/native/binding.js';
import { compileCustomNode, Ledger } from '../fixtures/custom-node-library.js';
import { Gate } from '../fixtures/gate.js';
import { writeDummyModel, writeHeavyModel } from '../fixtures/ir.js';
import { PosixSharedMemory } from '../helpers/posix-shared-memory.js';
import { binding, compile, newSlab, openCustomNode, startCustomNode, TestRequest } from './support.js';

/** What the tests of processes run in a process of its own. */
export type Program = keyof typeof PROGRAMS;

const [program, directory] = process.argv.slice(2) as [Program, string];

function heavyRequests(count: number): TestRequest[] {
  const model = compile(writeHeavyModel(directory, { name: `heavy-${process.pid}`, size: 256, depth: 50 }));
  return Array.from({ length: count }, () => {
    const slab = newSlab(2 * 256 * 256 * 4);
    const input = { slab: slab.id, offset: 0, shape: [256, 256] };
    return new TestRequest(model, input, { ...input, offset: 256 * 256 * 4 });
  });
}

const PROGRAMS = {
  async idle(): Promise<void> {
    const [request] = heavyRequests(1);
    await request!.start();
    console.log('ready');
  },

  'in-flight'(): void {
    const outcomes = heavyRequests(3).map((request) => request.start());
    console.log('started');
    for (const outcome of outcomes) void outcome.then(({ status }) => console.log(status));
  },

  async 'custom-nodes-left'(): Promise<void> {
    const { path: ledger } = new Ledger(directory, 'left');
    const library = compileCustomNode(directory, 'add.c');
    const params = Object.entries({ ledger, addend: '1' });
    const held = binding.reserveCustomNode();
    binding.initializeCustomNode(held, { libraryPath: library, params });
    const node = openCustomNode(library, { ledger, addend: '1' });
    const slab = newSlab(4096);
    console.log((await startCustomNode(node, { slab: slab.id, offset: 0, shape: [1, 10] }).outcome).status);
  },

  async 'exit-in-custom-node'(): Promise<void> {
    const ledger = new Ledger(directory, 'exit');
    const gate = new Gate(directory, 'exit');
    const library = compileCustomNode(directory, 'gated.c');
    const node = openCustomNode(library, { ledger: ledger.path, gate: gate.path });
    const slab = newSlab(4096);
    void startCustomNode(node, { slab: slab.id, offset: 0, shape: [16] });
    await ledger.has('begin');
    console.log('started');
    process.exit(3);
  },

  'exit-in-flight'(): void {
    for (const request of heavyRequests(3)) void request.start();
    console.log('started');
    process.exit(3);
  },

  'drain-throws'(): void {
    const requests = heavyRequests(3);
    let ends = 0;
    process.on('uncaughtException', (error) => console.log(`caught ${error.message}`));
    binding.openCompletions(new Int32Array(COMPLETION_STRIDE), () => {
      ends++;
      if (ends === 1) throw new Error('the vat is full');
      if (ends === requests.length) console.log(`in flight ${binding.inFlight()}`);
    });
    requests.forEach((request, token) => binding.start(request.handle, token));
  },

  'bus-error'(): void {
    const memory = new PosixSharedMemory(1);
    binding.registerSharedMemory('vat', memory.key, 0, 1);
    const { region, room } = binding.beginSharedMemory('vat');
    binding.mapSharedMemory(region, new Uint8Array(new SharedArrayBuffer(room)));
    memory.remove();
    console.log('mapped');
    process.kill(process.pid, 'SIGBUS');
  },

  async 'forgotten-handles'(): Promise<void> {
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const path = writeDummyModel(directory, { name: `dummy-${process.pid}` });
    const slab = newSlab(4096);
    const input = { slab: slab.id, offset: 0, shape: [1, 10] };
    const makeAndForget = (): Promise<unknown> =>
      new TestRequest(compile(path), input, { ...input, offset: 64 }).start();
    for (let round = 0; round < 20; round++) {
      const forgotten = makeAndForget();
      collectGarbage();
      await forgotten;
    }
    console.log((await new TestRequest(compile(path), input, { ...input, offset: 64 }).start()).status);
  },
};

await PROGRAMS[program]();
