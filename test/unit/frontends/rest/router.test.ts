import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServingError, type ErrorCode } from '#src/errors.js';
import { matchRoute, parseVersion, type Route } from '#src/frontends/rest/router.js';
import { tfsEndpoints } from '#src/frontends/rest/tfs-endpoints.js';
import { covers } from '../../../contract/covers.js';
import { fakeBackend } from './fake-backend.js';

const endpoints = tfsEndpoints(fakeBackend(), { onBug: (error) => assert.fail(String(error)) });

function parametersOf(method: string, url: string): Record<string, string | undefined> {
  return { ...matchRoute(endpoints, method, url).parameters };
}

function assertRefused(method: string, url: string, code: ErrorCode): void {
  assert.throws(
    () => matchRoute(endpoints, method, url),
    (error) => error instanceof ServingError && error.code === code,
    `${method} ${url}`,
  );
}

test('router finds predict with the name, a version or a label', () => {
  assert.deepEqual(parametersOf('POST', '/v1/models/resnet:predict'), {
    name: 'resnet',
    version: undefined,
    label: undefined,
  });
  assert.equal(parametersOf('POST', '/v1/models/resnet/versions/3:predict')['version'], '3');
  assert.equal(parametersOf('POST', '/v1/models/resnet/labels/stable:predict')['label'], 'stable');
});

test('router finds status, metadata and config', () => {
  const [, , status, noName, metadata, config] = endpoints;
  const find = (url: string): Route => matchRoute(endpoints, 'GET', url).route;
  assert.equal(find('/v1/models/resnet'), status);
  assert.equal(find('/v1/models/resnet/versions/3'), status);
  assert.equal(find('/v1/models/resnet/labels/stable'), status);
  assert.equal(find('/v1/models/resnet/metadata'), metadata);
  assert.equal(find('/v1/models/resnet/versions/3/metadata'), metadata);
  assert.equal(find('/v1/models'), noName);
  assert.equal(find('/v1/config'), config);
});

test('router takes a servable called metadata for a servable', () => {
  assert.equal(parametersOf('GET', '/v1/models/metadata')['name'], 'metadata');
});

test('router accepts one character in front of the path, as a base URL with a slash at its end gives', () => {
  assert.equal(parametersOf('POST', '//v1/models/resnet:predict')['name'], 'resnet');
  assert.equal(parametersOf('GET', '//v1/models/resnet/metadata')['name'], 'resnet');
  assertRefused('GET', '/prefix/v1/config', 'REST_INVALID_URL');
});

test('router percent-decodes names and leaves their content alone', () => {
  covers('tfs-rest.percent-encoding');
  assert.equal(parametersOf('GET', '/v1/models/a%2Fb%3Ac%20%C3%A9')['name'], 'a/b:c é');
  assert.equal(parametersOf('POST', '/v1/models/50%2525:predict')['name'], '50%25');
});

test('router understands an escaped colon before the method', () => {
  assert.equal(parametersOf('POST', '/v1/models/resnet%3Apredict')['name'], 'resnet');
});

test('router ignores query and fragment and takes absolute targets', () => {
  covers('tfs-rest.query');
  assert.equal(parametersOf('GET', '/v1/models/resnet?x=/y:z#w')['name'], 'resnet');
  assert.equal(parametersOf('GET', 'http://host:8000/v1/models/resnet')['name'], 'resnet');
});

test('router refuses paths that climb, escaped or not', () => {
  covers('tfs-rest.path-escape');
  assertRefused('GET', '/v1/models/../config', 'PATH_INVALID');
  assertRefused('GET', '/v1/models/..%2Fconfig', 'PATH_INVALID');
  assertRefused('POST', '/v1/models/%2E%2E/x:predict', 'PATH_INVALID');
});

test('router says Invalid request URL to unknown paths', () => {
  covers('tfs-rest.unknown-path');
  for (const url of ['/', '', '/v1', '/v1/model/x', '/v1/models/x/versions/a', '/v1/models/x/', '/v1/config/', '*']) {
    assertRefused('GET', url, 'REST_INVALID_URL');
  }
  assertRefused('POST', '/v1/models/x:infer', 'REST_INVALID_URL');
  assertRefused('GET', '/v1/models/%zz', 'REST_INVALID_URL');
});

test('router says Unsupported method to known paths asked with another method and to other methods', () => {
  covers('tfs-rest.wrong-method');
  assertRefused('GET', '/v1/models/resnet:predict', 'REST_UNSUPPORTED_METHOD');
  assertRefused('POST', '/v1/models/resnet', 'REST_UNSUPPORTED_METHOD');
  assertRefused('POST', '/v1/models/resnet/metadata', 'REST_UNSUPPORTED_METHOD');
  assertRefused('POST', '/v1/config', 'REST_UNSUPPORTED_METHOD');
  for (const method of ['PUT', 'DELETE', 'PATCH', 'HEAD']) {
    assertRefused(method, '/v1/config', 'REST_UNSUPPORTED_METHOD');
    assertRefused(method, '/nowhere', 'REST_UNSUPPORTED_METHOD');
  }
});

test('router takes routes of other APIs from the same table', () => {
  const ready = { method: 'GET', path: /^\/v2\/health\/ready$/ } as const;
  assert.equal(matchRoute([...endpoints, ready], 'GET', '/v2/health/ready').route, ready);
});

test('versions are int64; a larger one is a missing version', () => {
  assert.equal(parseVersion(undefined), null);
  assert.equal(parseVersion('0'), 0n);
  assert.equal(parseVersion('9223372036854775807'), 2n ** 63n - 1n);
  assert.throws(
    () => parseVersion('9223372036854775808'),
    (error) => error instanceof ServingError && error.message === 'Model with requested version is not found',
  );
});
