import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectRaw } from '../helpers/raw-socket.js';

/** Where a proxy is to listen, and the servers that it is to choose from. */
export interface Routes {
  readonly grpcPort: number;
  readonly restPort: number;
  readonly servers: readonly { readonly grpcPort: number; readonly restPort: number }[];
}

/** A proxy as its own documentation sets it up for several servers and kept connections. */
export interface Proxy {
  readonly name: string;
  readonly program: string;
  /** @param directory of its own files. */
  readonly configuration: (routes: Routes, directory: string) => string;
  readonly flags: (file: string, directory: string) => readonly string[];
}

const SYSTEM_FOLDERS = ['/usr/sbin', '/usr/local/sbin'];
const PATH = [process.env['PATH'] ?? '', ...SYSTEM_FOLDERS].join(':');

function nginxConfiguration({ grpcPort, restPort, servers }: Routes, directory: string): string {
  const upstream = (name: string, ports: readonly number[]): string =>
    `upstream ${name} { ${ports.map((port) => `server 127.0.0.1:${port};`).join(' ')} keepalive 16; }`;
  const folders = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `
    daemon off; master_process off; pid ${join(directory, 'pid')}; error_log ${join(directory, 'errors')} notice;
    events { worker_connections 512; }
    http {
      access_log off;
      ${folders.map((each) => `${each}_temp_path ${join(directory, each)};`).join('\n')}
      ${upstream(
        'rest',
        servers.map((server) => server.restPort),
      )}
      ${upstream(
        'grpc',
        servers.map((server) => server.grpcPort),
      )}
      server {
        listen 127.0.0.1:${restPort};
        location / { proxy_pass http://rest; proxy_http_version 1.1; proxy_set_header Connection ""; }
      }
      server {
        listen 127.0.0.1:${grpcPort} http2;
        location / { grpc_pass grpc://grpc; }
      }
    }`;
}

function haproxyConfiguration({ grpcPort, restPort, servers }: Routes): string {
  const lines = (kind: 'grpcPort' | 'restPort', protocol: string): string =>
    servers.map((server, index) => `server s${index} 127.0.0.1:${server[kind]}${protocol}`).join('\n  ');
  return `
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  option redispatch 1
listen rest
  bind 127.0.0.1:${restPort}
  ${lines('restPort', '')}
listen grpc
  bind 127.0.0.1:${grpcPort} proto h2
  ${lines('grpcPort', ' proto h2')}
`;
}

export const PROXIES: readonly Proxy[] = [
  {
    name: 'nginx',
    program: 'nginx',
    configuration: nginxConfiguration,
    flags: (file, directory) => ['-p', directory, '-e', join(directory, 'errors'), '-c', file],
  },
  {
    name: 'HAProxy',
    program: 'haproxy',
    configuration: haproxyConfiguration,
    flags: (file) => ['-f', file],
  },
];

export function isInstalled({ program }: Proxy): boolean {
  return spawnSync(program, ['-v'], { env: { ...process.env, PATH } }).error === undefined;
}

/** Runs a proxy until `use` has ended. */
export async function withProxy(
  proxy: Proxy,
  routes: Routes,
  directory: string,
  use: () => Promise<void>,
): Promise<void> {
  mkdirSync(directory, { recursive: true });
  const file = join(directory, `${proxy.program}.conf`);
  writeFileSync(file, proxy.configuration(routes, directory));
  const child = spawn(proxy.program, proxy.flags(file, directory), {
    env: { ...process.env, PATH },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const ended = once(child, 'exit');
  try {
    await Promise.race([
      Promise.all([routes.restPort, routes.grpcPort].map(listens)),
      ended.then(([code]) => Promise.reject(new Error(`${proxy.name} ended with ${String(code)}`))),
    ]);
    await use();
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
}

/** Resolves when something accepts connections there. */
async function listens(port: number): Promise<void> {
  for (;;) {
    const connection = await connectRaw(port).catch(() => null);
    if (connection === null) continue;
    connection.socket.destroy();
    return;
  }
}
