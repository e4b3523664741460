import assert from 'node:assert/strict';
import { once } from 'node:events';
import { constants, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { describe, test } from 'node:test';
import type { ServingError } from '#src/errors.js';
import type { RpcMethod } from '#src/frontends/rpc.js';
import { abortSignalOf } from '#src/servables/cancellation.js';
import { withGrpcClient } from '../helpers/grpc-client.js';
import { GRPC_HEADERS, grpcFrame } from '../helpers/http2-call.js';
import { withIngress } from '../helpers/ingress.js';
import { connectRaw } from '../helpers/raw-socket.js';
import { assertEchoes, bytesOf, ECHO, withEcho, withSession } from './ingress-echo.js';

/** A method whose calls end when the test says so. */
class Held {
  readonly begun: Promise<void>;
  readonly reasons: unknown[] = [];
  #begin!: () => void;
  #release!: () => void;
  readonly #released = new Promise<void>((resolve) => (this.#release = resolve));

  constructor() {
    this.begun = new Promise((resolve) => (this.#begin = resolve));
  }

  readonly method: RpcMethod = async (request, { signal }) => {
    this.#begin();
    const aborted = once(abortSignalOf(signal), 'abort').then(() => {
      this.reasons.push((signal.reason as ServingError).code);
      throw signal.reason;
    });
    await Promise.race([this.#released, aborted]);
    return Buffer.from(request);
  };

  release(): void {
    this.#release();
  }
}

function call(session: ClientHttp2Session): { stream: ClientHttp2Stream; status: Promise<unknown> } {
  const stream = session.request({ ...GRPC_HEADERS, [constants.HTTP2_HEADER_PATH]: ECHO });
  stream.on('error', () => undefined);
  stream.resume();
  let status: unknown;
  stream.on('trailers', (trailers: Record<string, unknown>) => (status = trailers['grpc-status']));
  stream.end(grpcFrame(bytesOf(10)));
  return { stream, status: once(stream, 'close').then(() => status) };
}

describe('the arguments of gRPC for the life of connections', () => {
  test('grpc.max_connection_idle_ms: one without calls is asked to leave, one with a call keeps it', async () => {
    const held = new Held();
    const channelArguments = { 'grpc.max_connection_idle_ms': 30 };
    await withIngress(
      new Map([[ECHO, held.method]]),
      async ({ port }) => {
        await withSession(port, async (busy) => {
          const leaving = once(busy, 'goaway');
          const { status } = call(busy);
          await held.begun;
          for (let round = 0; round < 3; round += 1) {
            await withSession(port, async (idle) => {
              const [code] = (await once(idle, 'goaway')) as [number];
              assert.equal(code, constants.NGHTTP2_NO_ERROR);
              await once(idle, 'close');
            });
          }
          held.release();
          assert.equal(await status, '0');
          await leaving;
          await once(busy, 'close');
        });
      },
      { channelArguments },
    );
  });

  test('grpc.max_connection_age_ms: one of that age is asked to leave, and its calls are finished', async () => {
    const held = new Held();
    const channelArguments = { 'grpc.max_connection_age_ms': 30 };
    await withIngress(
      new Map([[ECHO, held.method]]),
      async ({ port, notices }) => {
        await withSession(port, async (session) => {
          const leaving = once(session, 'goaway');
          const { status } = call(session);
          await held.begun;
          await leaving;
          held.release();
          assert.equal(await status, '0');
          if (!session.closed) await once(session, 'close');
        });
        assert.deepEqual(notices, []);
      },
      { channelArguments },
    );
  });

  test('grpc.max_connection_age_grace_ms: calls that last longer are cut off, and the log has it', async () => {
    const held = new Held();
    const channelArguments = { 'grpc.max_connection_age_ms': 20, 'grpc.max_connection_age_grace_ms': 20 };
    await withIngress(
      new Map([[ECHO, held.method]]),
      async ({ port, notices }) => {
        await withSession(port, async (session) => {
          const { status } = call(session);
          assert.equal(await status, undefined);
        });
        assert.match(notices.join('\n'), /had calls for longer than grpc\.max_connection_age_grace_ms$/);
      },
      { channelArguments },
    );
    assert.deepEqual(held.reasons, ['REQUEST_CANCELLED']);
  });

  test('grpc.server_handshake_timeout_ms: one that says nothing is let go, and others are served', async () => {
    const channelArguments = { 'grpc.server_handshake_timeout_ms': 20 };
    await withEcho(
      async ({ port, notices }) => {
        await withGrpcClient(port, async (client) => {
          await assertEchoes(client);
          const silent = await connectRaw(port);
          await silent.ended;
          await assertEchoes(client);
        });
        assert.match(notices.join('\n'), /was silent for too long$/);
      },
      { channelArguments },
    );
  });
});
