import { ServingError, type ErrorCode } from '../../errors.js';
import { log, type Logger } from '../../observability/logger.js';
import type { StorageAddress, StorageKind } from './address.js';

/** What went wrong, before it has the vendor's name. */
export type StorageFault = 'container' | 'access' | 'list' | 'get' | 'name';

const CODES: Readonly<Record<StorageKind, Readonly<Record<StorageFault, ErrorCode>>>> = {
  s3: {
    container: 'S3_BUCKET_NOT_FOUND',
    access: 'S3_INVALID_ACCESS',
    list: 'S3_FAILED_LIST_OBJECTS',
    get: 'S3_FAILED_GET_OBJECT',
    name: 'S3_FILE_INVALID',
  },
  gs: {
    container: 'GCS_BUCKET_NOT_FOUND',
    access: 'GCS_INVALID_ACCESS',
    list: 'GCS_FAILED_LIST_OBJECTS',
    get: 'GCS_FAILED_GET_OBJECT',
    name: 'GCS_FILE_INVALID',
  },
  az: {
    container: 'AS_CONTAINER_NOT_FOUND',
    access: 'AS_INVALID_ACCESS',
    list: 'AS_FAILED_LIST_OBJECTS',
    get: 'AS_FAILED_GET_OBJECT',
    name: 'AS_FILE_INVALID',
  },
  azfs: {
    container: 'AS_SHARE_NOT_FOUND',
    access: 'AS_INVALID_ACCESS',
    list: 'AS_FAILED_LIST_OBJECTS',
    get: 'AS_FAILED_GET_OBJECT',
    name: 'AS_FILE_INVALID',
  },
};

const LOGGERS: Readonly<Record<StorageKind, Logger>> = {
  s3: log.s3,
  gs: log.gcs,
  az: log.azureStorage,
  azfs: log.azureStorage,
};

/** The logger of a storage (names as OVMS 2026.2.1). */
export function loggerOf({ kind }: StorageAddress): Logger {
  return LOGGERS[kind];
}

export function storageError(
  { kind }: StorageAddress,
  fault: StorageFault,
  detail: string,
  options?: ErrorOptions,
): ServingError {
  return new ServingError(CODES[kind][fault], detail, options);
}

/**
 * An error of the catalogue for what a vendor's package threw.
 *
 * @param during what was asked; a refusal and, for a listing, an absent container have codes of their own.
 * @param where what was asked for, for the text.
 */
export function fromVendor(
  address: StorageAddress,
  during: 'list' | 'get',
  where: string,
  cause: unknown,
): ServingError {
  if (cause instanceof ServingError) return cause;
  const status = httpStatus(cause);
  const fault =
    status === 401 || status === 403 ? 'access' : status === 404 && during === 'list' ? 'container' : during;
  return storageError(address, fault, `${where}: ${reason(cause, status)}`, { cause });
}

/** Each package has another place for it. */
function httpStatus(error: unknown): number | null {
  const { $metadata, statusCode, code } = error as {
    $metadata?: { httpStatusCode?: number };
    statusCode?: unknown;
    code?: unknown;
  };
  const status = $metadata?.httpStatusCode ?? statusCode ?? code;
  return typeof status === 'number' ? status : null;
}

/** Connections that fail on several addresses say it only in their parts, and some errors have several lines. */
function reason(error: unknown, status: number | null): string {
  const { name, message, errors = [] } = error as Error & { errors?: readonly Error[] };
  const parts = [message, ...errors.map((part) => part.message)].filter((part) => part !== '');
  const text = (parts.length === 0 ? name : parts.join(', ')).split('\n')[0]!;
  return status === null ? text : `${text} (${status})`;
}
