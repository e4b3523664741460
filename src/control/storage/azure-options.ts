import type { StoragePipelineOptions } from '@azure/storage-blob';

import { ServingError } from '../../errors.js';
import { ATTEMPTS } from './limits.js';
import { proxyFor } from './proxy.js';

/** What both services share. */
type PipelineOptions = Pick<StoragePipelineOptions, 'retryOptions' | 'proxyOptions'>;

/** Milliseconds between two tries. */
const RETRY_DELAY = 200;
const SERVICE_ENDPOINT = { blob: /BlobEndpoint=https?:\/\/([^/;]+)/i, file: /FileEndpoint=https?:\/\/([^/;]+)/i };

/**
 * The account, as AZURE_STORAGE_CONNECTION_STRING says.
 *
 * @throws ServingError AS_INVALID_ACCESS without it
 */
export function connectionString(environment: NodeJS.ProcessEnv): string {
  const text = environment['AZURE_STORAGE_CONNECTION_STRING'];
  if (text) return text;
  throw new ServingError('AS_INVALID_ACCESS', 'expected AZURE_STORAGE_CONNECTION_STRING, received none');
}

/** `https_proxy`, or `http_proxy` when AZURE_STORAGE_USE_HTTP_PROXY is set to anything (as OVMS 2026.2.1). */
export function pipelineOptions(service: 'blob' | 'file', environment: NodeJS.ProcessEnv): PipelineOptions {
  const retryOptions = { maxTries: ATTEMPTS, retryDelayInMs: RETRY_DELAY };
  const host = hostOf(service, connectionString(environment));
  const usesHttpProxy = environment['AZURE_STORAGE_USE_HTTP_PROXY'] !== undefined;
  const proxy = proxyFor(host, usesHttpProxy ? 'http_proxy' : 'https_proxy');
  if (proxy === null) return { retryOptions };
  const { protocol, hostname, port, username, password } = proxy;
  const proxyOptions = {
    host: `${protocol}//${hostname}`,
    port: Number(port === '' ? DEFAULT_PORT[protocol] : port),
    ...(username === '' ? {} : { username: decodeURIComponent(username), password: decodeURIComponent(password) }),
  };
  return { retryOptions, proxyOptions };
}

const DEFAULT_PORT: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

function hostOf(service: 'blob' | 'file', text: string): string {
  const named = SERVICE_ENDPOINT[service].exec(text)?.[1];
  if (named !== undefined) return named;
  const account = /AccountName=([^;]+)/i.exec(text)?.[1] ?? '';
  return `${account}.${service}.${/EndpointSuffix=([^;]+)/i.exec(text)?.[1] ?? 'core.windows.net'}`;
}
