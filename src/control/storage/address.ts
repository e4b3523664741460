import { ServingError } from '../../errors.js';

/** Kinds of cloud storage, by the scheme of their addresses (as OVMS 2026.2.1). */
export const STORAGE_KINDS = ['s3', 'gs', 'az', 'azfs'] as const;
export type StorageKind = (typeof STORAGE_KINDS)[number];

/** Where the version directories of a model lie in a cloud storage. */
export interface StorageAddress {
  readonly kind: StorageKind;
  /** Address of an S3-compatible server that the path names itself; `null`: that of the environment, or the vendor's. */
  readonly endpoint: string | null;
  /** Bucket, container or share. */
  readonly container: string;
  /** `''`, or a directory with `/` at its end. */
  readonly prefix: string;
}

const CONTAINER_MISSING = {
  s3: 'S3_BUCKET_NOT_FOUND',
  gs: 'GCS_BUCKET_NOT_FOUND',
  az: 'AS_INVALID_PATH',
  azfs: 'AS_INVALID_PATH',
} as const;

/** `s3://host:port/bucket/key` and `s3://https://host/bucket/key` name the server, too. */
const S3_ENDPOINT = /^(?:(https?):\/\/([^/]+)|([\w.-]+:\d+))(?:\/(.*))?$/;

/**
 * Takes a `base_path` apart.
 *
 * @throws ServingError S3_BUCKET_NOT_FOUND, GCS_BUCKET_NOT_FOUND or AS_INVALID_PATH for a path without bucket, container or share
 */
export function parseStorageAddress(basePath: string): StorageAddress {
  const [scheme = '', ...others] = basePath.split('://');
  const kind = STORAGE_KINDS.find((known) => known === scheme);
  if (kind === undefined) throw new Error(`${basePath} is no address of a cloud storage`);
  const { endpoint, path } =
    kind === 's3' ? splitEndpoint(others.join('://')) : { endpoint: null, path: others.join('://') };
  const [container = '', ...directories] = path.split('/').filter((part) => part !== '');
  if (container === '') {
    throw new ServingError(CONTAINER_MISSING[kind], `expected ${kind}://<name>/<directory>, received ${basePath}`);
  }
  return { kind, endpoint, container, prefix: directories.map((directory) => `${directory}/`).join('') };
}

function splitEndpoint(rest: string): { endpoint: string | null; path: string } {
  const [, scheme = 'http', host, hostAndPort, path = ''] = S3_ENDPOINT.exec(rest) ?? [];
  const authority = host ?? hostAndPort;
  return authority === undefined ? { endpoint: null, path: rest } : { endpoint: `${scheme}://${authority}`, path };
}
