import assert from 'node:assert/strict';
import { test } from 'node:test';
import { metricsEndpoint } from '#src/frontends/rest/metrics-endpoint.js';
import { matchRoute } from '#src/frontends/rest/router.js';
import type { RestRequest } from '#src/frontends/rest/endpoint.js';

const PAGE = Buffer.from('# HELP a b\n');

test('metrics endpoint: answers the page in the text format of Prometheus', async () => {
  const endpoint = metricsEndpoint(() => Promise.resolve(PAGE));
  assert.deepEqual(await endpoint.handle({} as RestRequest), {
    status: 200,
    body: PAGE,
    contentType: 'text/plain; version=0.0.4; charset=utf-8',
  });
});

test('metrics endpoint: while metrics are off there is no such address', async () => {
  const endpoint = metricsEndpoint(() => Promise.resolve(null));
  await assert.rejects(Promise.resolve(endpoint.handle({} as RestRequest)), { code: 'REST_INVALID_URL' });
});

test('metrics endpoint: whatever stands behind the question mark is ignored', () => {
  const routes = [metricsEndpoint(() => Promise.resolve(PAGE))];
  for (const url of ['/metrics', '/metrics?', '/metrics?name[]=a&b=1', '//metrics']) matchRoute(routes, 'GET', url);
  assert.throws(() => matchRoute(routes, 'POST', '/metrics'), { code: 'REST_UNSUPPORTED_METHOD' });
  assert.throws(() => matchRoute(routes, 'GET', '/metrics/x'), { code: 'REST_INVALID_URL' });
});
