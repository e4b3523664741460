import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import type { CompiledModelHandle } from '#src/native/binding.js';
import {
  UNCHECKED_OPERATIONS,
  writeDenseModel,
  writeOpenMatMulModel,
  writeReshapeRowsModel,
  writeToldRowsModel,
} from '../fixtures/ir.js';
import { compile, newSlab, temporaryDirectory, TestRequest, type Outcome, type Place } from './support.js';

const directory = temporaryDirectory();
const slab = newSlab(1 << 16);
slab.floats.fill(1);

function floatsAt(offset: number, shape: readonly number[]): Place {
  return { slab: slab.id, offset, shape };
}

/** Each way in which an inference can be asked for. */
const ways: Readonly<Record<string, (request: TestRequest) => Promise<Outcome>>> = {
  started: (request) => request.start(),
  'on the calling thread': (request) => Promise.resolve(request.infer()),
};

/** The inference of a fresh or a given request over ones, its only output unbound. */
async function ask(
  model: CompiledModelHandle,
  way: (request: TestRequest) => Promise<Outcome>,
  shape: readonly number[],
  request = new TestRequest(model, floatsAt(0, shape), null),
): Promise<{ readonly outcome: Outcome; readonly shape: readonly number[] }> {
  request.bind(0, floatsAt(0, shape)).bind(1, null);
  const outcome = await way(request);
  return { outcome, shape: request.shape(1) };
}

function assertRefused({ status, text }: Outcome, shapes: string): void {
  assert.equal(status, 'RESHAPE_FAILED', text);
  assert.ok(text.startsWith(`${shapes}: `), text);
}

for (const [name, way] of Object.entries(ways)) {
  test(`rows of a wrong width are refused before memory is touched, ${name}`, async () => {
    const model = compile(writeOpenMatMulModel(`${directory}/matmul`));
    const request = new TestRequest(model, floatsAt(0, [2, 8]), null);
    for (let turn = 0; turn < 2; turn += 1) {
      assert.deepEqual(await ask(model, way, [2, 8], request), { outcome: { status: 'OK', text: '' }, shape: [2, 4] });
      for (const width of [4, 7, 9, 16])
        assertRefused((await ask(model, way, [4, width], request)).outcome, `(4,${width})`);
      assertRefused((await ask(model, way, [2, 8, 1], request)).outcome, '(2,8,1)');
    }
    assert.deepEqual((await ask(model, way, [0, 8], request)).shape, [0, 4]);
  });

  test(`a range of sizes is what its bounds say, ${name}`, async () => {
    const path = writeDenseModel(`${directory}/range`, { rows: -1 });
    const dimensions = [
      [2, 3],
      [16, 16],
    ] as const;
    const model = compile(path, { shapes: [{ name: 'b', dimensions }] });
    assert.deepEqual((await ask(model, way, [3, 16])).shape, [3, 16]);
    for (const rows of [1, 4]) assert.notEqual((await ask(model, way, [rows, 16])).outcome.status, 'OK');
  });

  test(`shapes that the model refuses do no harm to others, ${name}`, async () => {
    const model = compile(writeReshapeRowsModel(`${directory}/rows`));
    const request = new TestRequest(model, floatsAt(0, [1, 10]), null);
    for (let turn = 0; turn < 3; turn += 1) {
      assert.equal((await ask(model, way, [1, 10], request)).outcome.status, 'OK');
      assertRefused((await ask(model, way, [1, 11], request)).outcome, '(1,11)');
      assert.equal((await ask(model, way, [1, 10], request)).outcome.status, 'OK');
      assert.equal((await ask(model, way, [1, 10])).outcome.status, 'OK');
    }
  });

  test(`joined rows are checked like those of one request, ${name}`, async () => {
    const dimensions = [
      [1, 1],
      [1, -1],
    ] as const;
    const path = writeOpenMatMulModel(`${directory}/joined`);
    const model = compile(path, { joinedRows: 4, shapes: [{ name: 'b', dimensions }] });
    assert.deepEqual((await ask(model, way, [3, 8])).shape, [3, 4]);
    assertRefused((await ask(model, way, [3, 7])).outcome, '(3,7)');
  });

  test(`memory for other rows than come out is not written, ${name}`, async () => {
    const model = compile(writeDenseModel(`${directory}/outputs`, { rows: -1 }));
    const request = new TestRequest(model, floatsAt(0, [2, 16]), floatsAt(4096, [1, 16]));
    const { status, text } = await way(request);
    assert.equal(status, 'BINDING_FAILED');
    assert.match(text, /^output 0: expected memory for the shape \[2,16\]/);
    request.bind(1, floatsAt(4096, [2, 16]));
    assert.equal((await way(request)).status, 'OK');
  });

  test(`values that fail inside are the fault of their own request alone, ${name}`, async () => {
    const path = writeToldRowsModel(`${directory}/told`);
    const model = compile(path);
    // What is compiled again later needs no files.
    rmSync(path);
    const numbers = newSlab(64);
    const tell = (rows: number): Place => {
      numbers.longs[0] = BigInt(rows);
      return { slab: numbers.id, offset: 0, shape: [1] };
    };
    const request = new TestRequest(model, floatsAt(0, [1, 12]), tell(2), null);
    const told = async (rows: number, by = request): Promise<Outcome> => {
      by.bind(1, tell(rows)).bind(2, null);
      return way(by);
    };
    for (let turn = 0; turn < 3; turn += 1) {
      assert.equal((await told(3)).status, 'OK');
      assert.deepEqual(request.shape(2), [3, 4]);
      const failed = await told(5);
      assert.equal(failed.status, 'INFERENCE_FAILED', failed.text);
      assert.equal((await told(3)).status, 'OK');
      assert.deepEqual(request.shape(2), [3, 4]);
      assert.equal((await told(3, new TestRequest(model, floatsAt(0, [1, 12]), tell(3), null))).status, 'OK');
    }
  });
}

test('many requests at once: those that fail inside take none of the others with them', async () => {
  for (const streams of [1, 2]) {
    const model = compile(writeToldRowsModel(`${directory}/crowd`), { properties: { NUM_STREAMS: streams } });
    const numbers = newSlab(1024);
    const asked = Array.from({ length: 16 }, (_, index) => (index % 4 === 3 ? 5 : 3));
    const requests = asked.map((rows, index) => {
      numbers.longs[index] = BigInt(rows);
      return new TestRequest(model, floatsAt(0, [1, 12]), { slab: numbers.id, offset: 8 * index, shape: [1] }, null);
    });
    for (let turn = 0; turn < 3; turn += 1) {
      const ends = await Promise.all(requests.map((request) => request.bind(2, null).start()));
      assert.deepEqual(
        ends.map(({ status }) => status),
        asked.map((rows) => (rows === 3 ? 'OK' : 'INFERENCE_FAILED')),
        `${streams} streams, turn ${turn}`,
      );
    }
  }
});

for (const [type, [write, kept, ...broken]] of Object.entries(UNCHECKED_OPERATIONS)) {
  test(`a shape that breaks a rule of ${type} is refused`, async () => {
    const model = compile(write(`${directory}/${type}`));
    const request = new TestRequest(model, floatsAt(0, kept), null);
    for (const shape of broken) {
      assert.equal((await ask(model, ways['started']!, kept, request)).outcome.status, 'OK');
      assertRefused((await ask(model, ways['started']!, shape, request)).outcome, `(${shape.join(',')})`);
    }
  });
}
