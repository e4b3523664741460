import assert from 'node:assert/strict';
import type { RpcService } from '#src/frontends/rpc.js';
import { ingressLimits } from '#src/ingress/ingress-limits.js';
import { NativeTransport } from '#src/ingress/native-transport.js';
import type { IngressLimits } from '#src/native/ingress-binding.js';
import { loadNativeBinding } from '#src/native/load.js';
import { Arena } from '#src/tensors/arena.js';

export interface ServedIngress {
  readonly port: number;
  readonly transport: NativeTransport;
  readonly arena: Arena;
  /** What the log would have of connections that were closed. */
  readonly notices: readonly string[];
}

export interface IngressOptions {
  readonly limits?: Partial<IngressLimits>;
  readonly channelArguments?: Readonly<Record<string, string | number>>;
  readonly memoryBytes?: number;
  readonly contents?: ReadonlyMap<string, readonly number[]>;
}

/**
 * Serves methods by the native ingress on a free port of this process and closes it; afterwards every region must be back. One at a
 * time: a thread has one ingress.
 */
export async function withIngress(
  service: RpcService,
  use: (served: ServedIngress) => Promise<void>,
  { limits = {}, channelArguments = {}, memoryBytes = 1024 ** 3, contents = new Map() }: IngressOptions = {},
): Promise<void> {
  const binding = loadNativeBinding();
  const arena = new Arena(binding);
  const { fd, port } = binding.listen('127.0.0.1', 0, 511);
  const notices: string[] = [];
  const bugs: unknown[] = [];
  const transport = new NativeTransport({
    binding,
    arena,
    service,
    contents,
    limits: { ...ingressLimits(channelArguments, memoryBytes), ...limits },
    memoryBytes,
    sharesLoop: process.env['VINERY_TEST_INGRESS'] !== 'thread',
    descriptors: [fd],
    onBug: (error) => bugs.push(error),
    onNotice: (text) => notices.push(text),
  });
  try {
    await use({ port, transport, arena, notices });
  } finally {
    await transport.close();
  }
  assert.deepEqual(bugs, []);
  assert.equal(arena.leasedRegions, 0);
}
