import assert from 'node:assert/strict';
import { constants } from 'node:http2';
import { after, before, describe, test } from 'node:test';
import { METHOD } from '#src/frontends/tfs/method.js';
import { encodePredictRequest } from '#src/frontends/tfs/predict-message.js';
import { writeAccumulatorModel } from '../fixtures/ir.js';
import { http2Call, grpcFrame } from '../helpers/http2-call.js';
import { RawHttp2, resetStream, wholeCall } from '../helpers/raw-http2.js';
import { connectRaw } from '../helpers/raw-socket.js';
import { TestRepository } from '../helpers/repository.js';
import { END, START, stepTensors, TFS_GRPC, type Step } from '../helpers/sequences.js';
import { startServerProcess, whileSuspended, type ServerProcess } from '../helpers/server.js';

const ROUNDS = 64;
const DEADLINE_EXCEEDED = '4';
const MODEL = 'accumulator';

for (const transport of ['native', 'js'] as const) {
  describe(`a request whose client leaves before it began (${transport})`, () => {
    let server: ServerProcess;
    let nextId = 1n;

    before(async () => {
      const repository = new TestRepository();
      writeAccumulatorModel(repository.path(MODEL, '1'), { shape: [1, 2] });
      const config = repository.writeConfig([{ name: MODEL, stateful: true }], []);
      server = await startServerProcess(['--config_path', config, '--grpc_transport', transport]);
      await server.line('ServableManagerModule started');
    });
    after(async () => assert.equal(await server.stop(), 0));

    const ask = (step: Step) => TFS_GRPC.ask(server, MODEL, step);
    const requestOf = (step: Step): Uint8Array => encodePredictRequest(MODEL, null, stepTensors(step));
    const begin = async (): Promise<bigint> => {
      const id = nextId;
      nextId += 1n;
      assert.deepEqual(await ask({ id, value: 1, control: START }), { sum: 1, id });
      return id;
    };

    for (const [title, control] of [
      ['the last one', END],
      ['one of them', 0],
    ] as const) {
      test(`leaves its sequence as it was when it is ${title} and is cancelled in the same breath`, async () => {
        const client = await RawHttp2.open(server.grpcPort);
        const ids: bigint[] = [];
        for (let round = 0; round < ROUNDS; round += 1) {
          const id = await begin();
          ids.push(id);
          const stream = 1 + 2 * round;
          const call = wholeCall(stream, METHOD.PREDICT, requestOf({ id, value: 10, control }));
          client.send(call, resetStream(stream, constants.NGHTTP2_CANCEL));
        }
        // Its answer comes behind everything that was sent before on the same connection.
        const last = 1 + 2 * ROUNDS;
        client.send(wholeCall(last, METHOD.PREDICT, requestOf({ id: await begin(), value: 1, control: 0 })));
        await client.answer(last);
        client.socket.destroy();
        for (const id of ids) assert.deepEqual(await ask({ id, value: 2, control: 0 }), { sum: 3, id });
      });
    }

    test('leaves its sequence as it was when its deadline has passed already', async () => {
      const id = await begin();
      for (const timeout of ['0n', '1n', '0u', '0m', '0S', '0M', '0H']) {
        const frame = grpcFrame(requestOf({ id, value: 10, control: END }));
        const status = await http2Call(server.grpcPort, METHOD.PREDICT, frame, { 'grpc-timeout': timeout });
        assert.equal(status, DEADLINE_EXCEEDED);
      }
      assert.deepEqual(await ask({ id, value: 2, control: 0 }), { sum: 3, id });
    });

    if (transport === 'native') {
      test('leaves its sequence as it was when it comes by REST and its connection is reset in the same breath', async () => {
        const ids = await Promise.all(Array.from({ length: ROUNDS }, begin));
        const clients = await Promise.all(ids.map(() => connectRaw(server.restPort)));
        // Both are there before the server sees either.
        await whileSuspended(server, async () => {
          for (const [index, { socket }] of clients.entries()) {
            const body = `{"inputs": {"b": [[10, 10]], "sequence_id": [${ids[index]}], "sequence_control_input": [${END}]}}`;
            const head = `POST /v1/models/${MODEL}:predict HTTP/1.1\r\nContent-Length: ${body.length}\r\n\r\n`;
            await new Promise<void>((resolve) => socket.write(head + body, () => resolve()));
            socket.resetAndDestroy();
          }
          await Promise.all(clients.map(({ ended }) => ended));
        });
        for (const id of ids) assert.deepEqual(await ask({ id, value: 2, control: 0 }), { sum: 3, id });
      });
    }
  });
}
