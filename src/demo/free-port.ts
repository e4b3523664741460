import { createServer, type AddressInfo } from 'node:net';

/** A port of 127.0.0.1 nobody listens on now. The command line has no way to ask for any free port: 0 means none there. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
