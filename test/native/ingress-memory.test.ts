import assert from 'node:assert/strict';
import { once } from 'node:events';
import { constants, type ClientHttp2Session, type Settings } from 'node:http2';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { RpcMethod } from '#src/frontends/rpc.js';
import { withGrpcClient } from '../helpers/grpc-client.js';
import { GRPC_HEADERS, grpcFrame } from '../helpers/http2-call.js';
import { withIngress } from '../helpers/ingress.js';
import { assertEchoes, bytesOf, ECHO, withEcho, withSession } from './ingress-echo.js';

const MIB = 1024 ** 2;
const NARROW_WINDOW = 64 * 1024;

/** A call of which only the beginning of its message is sent. @returns its status and text, which may come any time later. */
async function begin(session: ClientHttp2Session, message: Buffer, sent: number): Promise<readonly [unknown, string]> {
  const stream = session.request({ ...GRPC_HEADERS, [constants.HTTP2_HEADER_PATH]: ECHO });
  stream.on('error', () => undefined);
  stream.write(grpcFrame(message).subarray(0, sent));
  const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
  return [headers['grpc-status'], decodeURIComponent(String(headers['grpc-message']))];
}

describe('memory for messages', () => {
  for (const sent of [5, 200_000]) {
    test(`goes to others when a client has sent ${sent} bytes of a message and sends no more`, async () => {
      const message = bytesOf(900_000);
      await withEcho(
        async ({ port }) => {
          await withSession(port, async (stalled) => {
            const statuses = Array.from({ length: 3 }, () => begin(stalled, message, sent));
            let given = 0;
            for (const status of statuses) void status.then(() => (given += 1));
            // What nobody waits for is left to those that have it.
            await withGrpcClient(port, async (client) => {
              do await assertEchoes(client, message);
              while (given < statuses.length);
            });
            for (const [status, text] of await Promise.all(statuses)) {
              assert.equal(status, '8', text);
              assert.match(text, /the rest of a message whose memory others wait for; Actual: \d+ bytes of it/);
            }
            // The connection goes on.
            assert.equal(stalled.destroyed, false);
          });
        },
        { memoryBytes: MIB, limits: { stallPatienceMs: 50 } },
      );
    });
  }

  test('is not there for all that one client sends: its windows become small, all is answered, and they are as before', async () => {
    const method: RpcMethod = async (request) => {
      await new Promise(setImmediate);
      return Buffer.from(request.subarray(0, 10));
    };
    const use = async ({ port }: { port: number }): Promise<void> => {
      await withSession(port, async (session) => {
        const windows: (number | undefined)[] = [];
        let widened!: () => void;
        const isWide = new Promise<void>((resolve) => (widened = resolve));
        session.on('remoteSettings', ({ initialWindowSize }: Settings) => {
          windows.push(initialWindowSize);
          if (windows.includes(NARROW_WINDOW) && initialWindowSize === MIB) widened();
        });
        const message = grpcFrame(bytesOf(900_000));
        const calls = Array.from({ length: 60 }, async () => {
          const stream = session.request({ ...GRPC_HEADERS, [constants.HTTP2_HEADER_PATH]: ECHO });
          stream.resume();
          stream.end(message);
          const [trailers] = (await once(stream, 'trailers')) as [Record<string, unknown>];
          return trailers['grpc-status'];
        });
        assert.deepEqual(new Set(await Promise.all(calls)), new Set(['0']));
        // A client that sends one message after the other (Node.js 24) never sends while one is half there, and keeps its windows.
        if (windows.length > 1) await isWide;
        assert.equal(windows[0], MIB);
      });
    };
    await withIngress(new Map([[ECHO, method]]), use, { memoryBytes: 2 * MIB, limits: { keptBytes: MIB } });
  });

  test('is not taken by messages that are larger than their limit once they are decoded', async () => {
    await withEcho(
      async ({ port }) => {
        await withSession(port, async (session) => {
          const bomb = grpcFrame(gzipSync(Buffer.alloc(64 * MIB)));
          bomb[0] = 1;
          const stream = session.request({
            ...GRPC_HEADERS,
            [constants.HTTP2_HEADER_PATH]: ECHO,
            'grpc-encoding': 'gzip',
          });
          stream.end(bomb);
          const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
          assert.equal(headers['grpc-status'], '8');
          assert.match(decodeURIComponent(String(headers['grpc-message'])), /1048576 bytes at most; Actual: more/);
        });
      },
      { limits: { messageBytes: MIB } },
    );
  });
});
