import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, Socket } from 'node:net';
import { test } from 'node:test';
import { binding } from './support.js';

for (const address of ['127.0.0.1', '::1']) {
  test(`sockets: a server accepts on a duplicate of a socket listening on ${address}`, async () => {
    const { fd, port } = binding.listen(address, 0, 16);
    assert.ok(port > 0);
    const server = createServer((socket) => socket.end('grapes'));
    server.listen({ fd: binding.duplicate(fd) });
    await once(server, 'listening');
    const client = connect(port, address);
    const [chunk] = (await once(client, 'data')) as [Buffer];
    assert.equal(chunk.toString(), 'grapes');
    client.destroy();
    server.close();
    await once(server, 'close');
    binding.closeDescriptor(fd);
    assert.throws(() => binding.closeDescriptor(fd), { code: 'EBADF' });
  });
}

test('sockets: all clients that wait to be accepted are', async () => {
  const { fd, port } = binding.listen('127.0.0.1', 0, 64);
  assert.deepEqual(binding.acceptWaiting(fd), []);
  const clients = Array.from({ length: 40 }, () => connect(port, '127.0.0.1'));
  await Promise.all(clients.map((client) => once(client, 'connect')));
  const accepted = binding.acceptWaiting(fd);
  assert.equal(new Set(accepted).size, 40);
  assert.deepEqual(binding.acceptWaiting(fd), []);
  binding.closeDescriptor(fd);
  const greetings = clients.map(async (client) => String((await once(client, 'data'))[0]));
  for (const client of accepted) new Socket({ fd: client, readable: true, writable: true }).end('grapes');
  assert.deepEqual(await Promise.all(greetings), new Array(40).fill('grapes'));
  for (const client of clients) client.destroy();
});

test('sockets: a port in use, an unusable address and wrong arguments throw', () => {
  const { fd, port } = binding.listen('127.0.0.1', 0, 16);
  assert.throws(() => binding.listen('127.0.0.1', port, 16), { code: 'EADDRINUSE' });
  assert.throws(() => binding.listen('203.0.113.1', 0, 16), { code: 'EADDRNOTAVAIL' });
  assert.throws(() => binding.listen('localhost', 0, 16), { code: 'EINVAL' });
  assert.throws(() => binding.listen('127.0.0.1', 65536, 16), { message: 'port: expected at most 65535' });
  assert.throws(() => binding.duplicate(-1), TypeError);
  binding.closeDescriptor(fd);
});

test('sockets: both families share a port', () => {
  const four = binding.listen('0.0.0.0', 0, 16);
  const six = binding.listen('::', four.port, 16);
  assert.equal(six.port, four.port);
  binding.closeDescriptor(four.fd);
  binding.closeDescriptor(six.fd);
});
