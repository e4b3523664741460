#!/bin/sh
# Node.js 20.20.2 and 24.21.0 (19 and later), node:http: server.close() cuts answers that were ended but are not yet written.
#
# Expected: close() "stops the server from accepting new connections" and closes idle ones; an answer under way arrives whole.
# Seen:     a client that reads slowly gets a few megabytes of 20, then the end of the connection: once response.end() was called the
#           connection counts as idle, however much of the answer still waits to be written. The program gets no error.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/program.mjs" <<'PROGRAM'
import { createServer } from 'node:http';
import { connect } from 'node:net';

const SIZE = 20 << 20;

/** Bytes that a client gets which begins to read once the server has ended its answer and, if so, was closed. */
function received(isClosed) {
  return new Promise((resolve, reject) => {
    const server = createServer((request, response) => {
      response.end(Buffer.alloc(SIZE));
      setImmediate(() => {
        if (isClosed) server.close();
        client.resume();
      });
    });
    let bytes = 0;
    let client;
    server.listen(0, '127.0.0.1', () => {
      client = connect(server.address().port, '127.0.0.1');
      client.pause();
      client.write('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: keep-alive\r\n\r\n');
      client.on('data', (chunk) => {
        bytes += chunk.length;
        if (bytes > SIZE) client.end();
      });
      client.on('error', reject);
      client.on('close', () => {
        server.close();
        resolve(Math.min(bytes, SIZE));
      });
    });
  });
}

const [open, closed] = [await received(false), await received(true)];
console.log(`node ${process.version}: of ${SIZE} bytes ${open} arrive, with close() in between ${closed}`);
if (open !== SIZE) {
  console.log('Changed: the answer does not arrive without close() either.');
  process.exit(1);
}
if (closed === SIZE) {
  console.log('Changed: close() waits until an ended answer is written.');
  process.exit(1);
}
PROGRAM
node "$folder/program.mjs"
