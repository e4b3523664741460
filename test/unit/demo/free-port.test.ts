import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { freePorts } from '#src/demo/free-port.js';

test('free ports are different ones, and free', async () => {
  const ports = await freePorts(64);
  assert.equal(new Set(ports).size, 64);
  const servers = ports.map((port) => createServer().listen(port, '127.0.0.1'));
  for (const server of servers) if (!server.listening) await once(server, 'listening');
  for (const server of servers) server.close();
});
