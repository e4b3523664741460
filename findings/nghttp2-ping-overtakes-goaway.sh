#!/bin/sh
# nghttp2 1.61.0 and 1.70.0, as Node.js 20.20.2 and 24.21.0 have them: a PING that is submitted after a GOAWAY is sent before it.
#
# Expected: frames of a connection go out as they are submitted. RFC 9113, 6.8, suggests a PING to tell that the other side has
#           processed a GOAWAY: its answer proves that, since frames are processed in order.
# Seen:     PINGs have a queue of their own, which is emptied first, so the answer proves nothing, and a request that was sent in between is
#           dropped. The PING is only to be submitted once the GOAWAY frame was sent.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/program.mjs" <<'PROGRAM'
import { createServer } from 'node:http2';
import { connect } from 'node:net';

const HEADER_BYTES = 9;
const NAMES = { 4: 'SETTINGS', 6: 'PING', 7: 'GOAWAY' };

/** The frames of so many bytes, by name. */
function framesOf(bytes) {
  const frames = [];
  for (let at = 0; at + HEADER_BYTES <= bytes.length; at += HEADER_BYTES + bytes.readUIntBE(at, 3)) {
    frames.push(NAMES[bytes[at + 3]] ?? `type ${bytes[at + 3]}`);
  }
  return frames;
}

const server = createServer();
server.on('session', (session) => {
  session.on('error', () => undefined);
  session.once('remoteSettings', () => {
    session.goaway(0);
    session.ping(() => undefined);
  });
});
server.listen(0, '127.0.0.1', () => {
  const client = connect(server.address().port, '127.0.0.1');
  let bytes = Buffer.alloc(0);
  client.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  client.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]));
  client.on('data', (chunk) => {
    bytes = Buffer.concat([bytes, chunk]);
    const frames = framesOf(bytes);
    if (!frames.includes('PING') || !frames.includes('GOAWAY')) return;
    console.log(`nghttp2 ${process.versions.nghttp2}: submitted GOAWAY, PING; sent ${frames.join(', ')}`);
    if (frames.indexOf('PING') > frames.indexOf('GOAWAY')) {
      console.log('Changed: the PING stays after the GOAWAY.');
      process.exitCode = 1;
    }
    client.destroy();
    server.close();
  });
});
PROGRAM
node "$folder/program.mjs"
