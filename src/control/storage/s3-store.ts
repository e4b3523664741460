import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import { HttpProxyAgent } from 'http-proxy-agent';
import { HttpsProxyAgent } from 'https-proxy-agent';
import type { Readable } from 'node:stream';

import type { StorageAddress } from './address.js';
import { ATTEMPTS, CONNECTION_TIMEOUT } from './limits.js';
import { directoryName, type ObjectStore, type StoredObject } from './object-store.js';
import { proxyFor } from './proxy.js';

type S3Package = typeof import('@aws-sdk/client-s3');

/**
 * Opens a bucket of S3 or of a server that speaks like it. Credentials are those of AWS_PROFILE, else AWS_ACCESS_KEY_ID and
 * AWS_SECRET_ACCESS_KEY with AWS_SESSION_TOKEN, else none (as OVMS 2026.2.1); AWS_REGION and S3_ENDPOINT as there, too.
 */
export function openS3(
  { container, endpoint }: StorageAddress,
  library: S3Package,
  environment: NodeJS.ProcessEnv = process.env,
): ObjectStore {
  const ownServer = endpoint ?? environmentEndpoint(environment);
  const region = environment['AWS_REGION'];
  const client = new library.S3Client({
    ...credentials(environment),
    ...(region === undefined ? {} : { region }),
    ...(ownServer === null ? {} : { endpoint: ownServer, forcePathStyle: true }),
    requestHandler: requestHandler(ownServer ?? `https://${container}.s3.${region ?? ''}.amazonaws.com`),
    maxAttempts: ATTEMPTS,
    followRegionRedirects: true,
  });
  return new S3Store(client, library, container);
}

/** Without a scheme S3_ENDPOINT speaks HTTP (as OVMS 2026.2.1). */
function environmentEndpoint({ S3_ENDPOINT: endpoint }: NodeJS.ProcessEnv): string | null {
  if (endpoint === undefined || endpoint === '') return null;
  return endpoint.includes('://') ? endpoint : `http://${endpoint}`;
}

/** S3 answers from everywhere where us-east-1 is, so that is the region of who names none; a profile may name its own. */
function credentials(environment: NodeJS.ProcessEnv): S3ClientConfig {
  const { AWS_PROFILE: profile, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = environment;
  if (profile !== undefined) return { profile };
  const region = 'us-east-1';
  if (accessKeyId !== undefined && secretAccessKey !== undefined) {
    const sessionToken = environment['AWS_SESSION_TOKEN'];
    return { region, credentials: { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) } };
  }
  const unsigned = { sign: <T>(request: T) => Promise.resolve(request) };
  return { region, credentials: { accessKeyId: '', secretAccessKey: '' }, signer: unsigned };
}

function requestHandler(server: string): NonNullable<S3ClientConfig['requestHandler']> {
  const timeouts = { connectionTimeout: CONNECTION_TIMEOUT };
  const proxy = proxyFor(new URL(server).host);
  if (proxy === null) return timeouts;
  return { ...timeouts, httpAgent: new HttpProxyAgent(proxy), httpsAgent: new HttpsProxyAgent(proxy) };
}

class S3Store implements ObjectStore {
  readonly #client: S3Client;
  readonly #library: S3Package;
  readonly #bucket: string;

  constructor(client: S3Client, library: S3Package, bucket: string) {
    this.#client = client;
    this.#library = library;
    this.#bucket = bucket;
  }

  async listDirectories(directory: string, signal: AbortSignal): Promise<readonly string[] | null> {
    const names: string[] = [];
    let isEmpty = true;
    for await (const { CommonPrefixes = [], Contents = [] } of this.#pages(directory, signal, '/')) {
      names.push(...CommonPrefixes.map(({ Prefix = '' }) => directoryName(Prefix, directory)));
      isEmpty &&= CommonPrefixes.length + Contents.length === 0;
    }
    return isEmpty ? null : names;
  }

  async listObjects(directory: string, signal: AbortSignal): Promise<readonly StoredObject[]> {
    const objects: StoredObject[] = [];
    for await (const { Contents = [] } of this.#pages(directory, signal)) {
      for (const { Key = '', Size = 0, ETag = '' } of Contents) {
        objects.push({ name: Key.slice(directory.length), size: Size, tag: ETag });
      }
    }
    return objects;
  }

  async read(key: string, signal: AbortSignal): Promise<Readable> {
    const command = new this.#library.GetObjectCommand({ Bucket: this.#bucket, Key: key });
    const { Body } = await this.#client.send(command, { abortSignal: signal });
    return Body as Readable;
  }

  async *#pages(directory: string, abortSignal: AbortSignal, delimiter?: string) {
    const query = {
      Bucket: this.#bucket,
      Prefix: directory,
      ...(delimiter === undefined ? {} : { Delimiter: delimiter }),
    };
    for (let token: string | undefined; ;) {
      const command = new this.#library.ListObjectsV2Command({ ...query, ContinuationToken: token });
      const page = await this.#client.send(command, { abortSignal });
      yield page;
      token = page.NextContinuationToken;
      if (token === undefined) return;
    }
  }
}
