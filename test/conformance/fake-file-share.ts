import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * The three calls of Azure's file service that reading a share needs, because no emulator of it can be had: list a directory, get a
 * file, and the errors of a share or directory that is not there. It checks that each call carries a version and a signature of the
 * account, but cannot check the signature itself.
 */
export class FakeFileShare {
  readonly #account: string;
  readonly #share: string;
  readonly #files = new Map<string, Buffer>();
  readonly #server = createServer((request, response) => this.#answer(request, response));
  /** Methods and paths that were asked for. */
  readonly calls: string[] = [];

  constructor(account: string, share: string) {
    this.#account = account;
    this.#share = share;
  }

  write(path: string, content: Buffer): void {
    this.#files.set(path, content);
  }

  /** @returns the port on 127.0.0.1. */
  async start(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer({ url = '', method = '', headers }: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(url, 'http://share');
    this.calls.push(`${method} ${pathname}`);
    const [account, share, ...parts] = decodeURIComponent(pathname).slice(1).split('/');
    const isSigned = headers.authorization?.startsWith(`SharedKey ${this.#account}:`) === true;
    if (!isSigned || headers['x-ms-version'] === undefined) return refuse(response, 403, 'AuthenticationFailed');
    if (account !== this.#account || share !== this.#share) return refuse(response, 404, 'ShareNotFound');
    const path = parts.filter((part) => part !== '').join('/');
    if (searchParams.get('comp') === 'list') this.#list(response, path);
    else this.#get(response, path);
  }

  #list(response: ServerResponse, directory: string): void {
    const prefix = directory === '' ? '' : `${directory}/`;
    const below = [...this.#files].filter(([path]) => path.startsWith(prefix));
    if (below.length === 0) return refuse(response, 404, 'ResourceNotFound');
    const names = new Set(below.map(([path]) => path.slice(prefix.length).split('/')[0]!));
    const entries = [...names].map((name) => {
      const content = this.#files.get(prefix + name);
      return content === undefined
        ? `<Directory><Name>${name}</Name><Properties /></Directory>`
        : `<File><Name>${name}</Name><Properties><Content-Length>${content.length}</Content-Length><Etag>"${content.length}"</Etag></Properties></File>`;
    });
    const list = `<Entries>${entries.join('')}</Entries><NextMarker />`;
    response.setHeader('content-type', 'application/xml');
    response.end(`<?xml version="1.0" encoding="utf-8"?><EnumerationResults>${list}</EnumerationResults>`);
  }

  #get(response: ServerResponse, path: string): void {
    const content = this.#files.get(path);
    if (content === undefined) return refuse(response, 404, 'ResourceNotFound');
    response.setHeader('content-length', content.length);
    response.end(content);
  }
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'content-type': 'application/xml', 'x-ms-error-code': code });
  response.end(`<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`);
}
