import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { test } from 'node:test';
import { acceptWaiting, BACKLOG } from '#src/frontends/accept-waiting.js';

async function withServer(use: (server: Server, open: () => Socket) => Promise<void>): Promise<void> {
  const server = createServer();
  const sockets: Socket[] = [];
  server.on('connection', (socket) => sockets.push(socket.resume()));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const open = (): Socket => {
    const socket = connect({ port, host: '127.0.0.1' });
    sockets.push(socket);
    return socket;
  };
  try {
    await use(server, open);
  } finally {
    server.close();
    for (const socket of sockets) socket.destroy();
    await once(server, 'close');
  }
}

test('everyone whom the system has connected is accepted', () =>
  withServer(async (server, open) => {
    let accepted = 0;
    server.on('connection', () => (accepted += 1));
    for (let client = 0; client < 40; client += 1) open();
    await acceptWaiting([server]);
    assert.equal(accepted, 40);
  }));

test('clients that come without end are left behind after a whole queue of them', () =>
  withServer(async (server, open) => {
    let accepted = 0;
    server.on('connection', (socket) => {
      accepted += 1;
      socket.destroy();
      open().on('error', () => undefined);
    });
    for (let client = 0; client < 4; client += 1) open();
    await acceptWaiting([server]);
    assert.ok(accepted > BACKLOG, `${accepted} were accepted`);
  }));
