import { request, type IncomingHttpHeaders } from 'node:http';

export interface RestOutcome {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** One request over a connection of its own. Rejects when the connection ends without an answer or `signal` aborts it. */
export function restCall(
  port: number,
  method: string,
  path: string,
  body?: unknown,
  signal?: AbortSignal,
  headers: Readonly<Record<string, string>> = {},
): Promise<RestOutcome> {
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port,
      method,
      path,
      headers,
      agent: false,
      ...(signal === undefined ? {} : { signal }),
    };
    const sent = request(options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(chunks).toString('utf8'),
        }),
      );
    });
    sent.once('error', reject);
    sent.end(body === undefined || typeof body === 'string' ? body : JSON.stringify(body));
  });
}

export function restPredict(port: number, servable: string, body: unknown): Promise<RestOutcome> {
  return restCall(port, 'POST', `/v1/models/${servable}:predict`, body);
}

/** `{"error": ...}` of an answer. */
export function errorOf({ text }: Pick<RestOutcome, 'status' | 'text'>): string {
  return (JSON.parse(text) as { readonly error: string }).error;
}
