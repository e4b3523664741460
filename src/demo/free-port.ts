import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';

/** A port of 127.0.0.1 nobody listens on now. The command line has no way to ask for any free port: 0 means none there. */
export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  return port!;
}

/** As {@link freePort}, so many different ones: each is taken until all are found, or the same port could come twice. */
export async function freePorts(count: number): Promise<number[]> {
  const probes: Server[] = [];
  try {
    while (probes.length < count) {
      const probe = createServer().listen(0, '127.0.0.1');
      probes.push(probe);
      await once(probe, 'listening');
    }
    return probes.map((probe) => (probe.address() as AddressInfo).port);
  } finally {
    await Promise.all(probes.filter(({ listening }) => listening).map(closed));
  }
}

async function closed(probe: Server): Promise<void> {
  const done = once(probe, 'close');
  probe.close();
  await done;
}
