import { BlobServiceClient } from '@azure/storage-blob';
import { CreateBucketCommand, DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { Storage } from '@google-cloud/storage';
import { PassThroughClient } from 'google-auth-library';
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createServer, request, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { covers } from '../contract/covers.js';
import { writeDummyModel } from '../fixtures/ir.js';
import { TestRepository, type Model } from '../helpers/repository.js';
import { restCall } from '../helpers/rest-client.js';
import { startServerProcess, withServerProcess, type ServerProcess } from '../helpers/server.js';
import { FakeFileShare } from './fake-file-share.js';
import { AZURE_ACCOUNT, AZURE_KEY, startEmulators, whyNoEmulators, type Emulators } from './storage-emulators.js';

const NAME = 'models';
const repository = new TestRepository();
const temporary = repository.path('temporary');

/** Files of a dummy model that adds `addend`. */
function dummyFiles(addend: number): readonly { readonly name: string; readonly content: Buffer }[] {
  const directory = repository.path(`dummy-${addend}`);
  writeDummyModel(directory, { addend });
  return ['model.xml', 'model.bin'].map((name) => ({ name, content: readFileSync(`${directory}/${name}`) }));
}

describe('models in cloud storages', { skip: whyNoEmulators() }, () => {
  let emulators: Emulators;
  let s3: S3Client;
  let environment: NodeJS.ProcessEnv;
  const share = new FakeFileShare(AZURE_ACCOUNT, NAME);

  const putS3 = (Key: string, Body: Buffer): Promise<unknown> =>
    s3.send(
      new PutObjectCommand({ Bucket: NAME, Key, Body, ACL: Key.includes('private') ? 'private' : 'public-read' }),
    );

  async function putVersion(key: string, addend: number): Promise<void> {
    for (const { name, content } of dummyFiles(addend)) await putS3(`${key}/${name}`, content);
  }

  before(async () => {
    mkdirSync(temporary);
    emulators = await startEmulators();
    const filePort = await share.start();
    const { s3Port, gcsPort, azurePort } = emulators;
    const blobs = `BlobEndpoint=http://127.0.0.1:${azurePort}/${AZURE_ACCOUNT}`;
    const files = `FileEndpoint=http://127.0.0.1:${filePort}/${AZURE_ACCOUNT}`;
    const account = `AccountName=${AZURE_ACCOUNT};AccountKey=${AZURE_KEY}`;
    environment = {
      TMPDIR: temporary,
      S3_ENDPOINT: `http://127.0.0.1:${s3Port}`,
      AWS_ACCESS_KEY_ID: 'key',
      AWS_SECRET_ACCESS_KEY: 'secret',
      AWS_REGION: 'eu-central-1',
      STORAGE_EMULATOR_HOST: `http://127.0.0.1:${gcsPort}`,
      AZURE_STORAGE_CONNECTION_STRING: `DefaultEndpointsProtocol=http;${account};${blobs};${files}`,
    };
    const credentials = { accessKeyId: 'key', secretAccessKey: 'secret' };
    s3 = new S3Client({
      endpoint: environment['S3_ENDPOINT']!,
      region: 'eu-central-1',
      forcePathStyle: true,
      credentials,
    });
    await s3.send(
      new CreateBucketCommand({ Bucket: NAME, CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' } }),
    );
    await putVersion('zoo/dummy/1', 1);
    await putVersion('zoo/dummy/2', 2);
    await putS3('zoo/dummy/readme/notes.txt', Buffer.from('no version'));
    await putVersion('zoo/other/1', 1);
    await putVersion('zoo/private/1', 1);
    await putS3('zoo/broken/1/model.onnx', Buffer.from('no model'));
    await putVersion('zoo/escape/1', 1);
    await putS3('zoo/escape/1/sub/../../../../../escaped.txt', Buffer.from('outside'));
    // Names of versions, and no object in them but the marker that some tools leave.
    await putS3('zoo/growing/1/', Buffer.alloc(0));
    const bucket = new Storage({
      apiEndpoint: environment['STORAGE_EMULATOR_HOST']!,
      authClient: new PassThroughClient(),
      projectId: 'test',
    });
    await bucket.createBucket(NAME);
    const blobService = BlobServiceClient.fromConnectionString(environment['AZURE_STORAGE_CONNECTION_STRING']!);
    await blobService.createContainer(NAME);
    for (const { name, content } of dummyFiles(3)) {
      await bucket.bucket(NAME).file(`zoo/dummy/1/${name}`).save(content, { resumable: false });
    }
    for (const { name, content } of dummyFiles(4)) {
      await blobService.getContainerClient(NAME).getBlockBlobClient(`zoo/dummy/1/${name}`).uploadData(content);
    }
    for (const { name, content } of dummyFiles(5)) share.write(`zoo/dummy/1/${name}`, content);
    share.write('zoo/dummy/1/extra/deep/notes.txt', Buffer.from('notes'));
  });

  after(async () => {
    s3.destroy();
    await share.stop();
    await emulators.stop();
  });

  function config(...models: readonly Model[]): string {
    return repository.writeConfig(models);
  }

  describe('one server over all of them', () => {
    let server: ServerProcess;
    before(async () => {
      const all = { all: {} };
      const s3Address = `127.0.0.1:${emulators.s3Port}`;
      const path = config(
        { name: 's3', base_path: 's3://models/zoo/dummy', model_version_policy: all },
        { name: 's3_slash', base_path: 's3://models/zoo/other/' },
        { name: 's3_host', base_path: `s3://${s3Address}/models/zoo/other` },
        { name: 's3_url', base_path: `s3://http://${s3Address}/models/zoo/other` },
        { name: 'gs', base_path: 'gs://models/zoo/dummy' },
        { name: 'az', base_path: 'az://models/zoo/dummy' },
        { name: 'azfs', base_path: 'azfs://models/zoo/dummy' },
        { name: 'no_s3_bucket', base_path: 's3://absent/zoo' },
        { name: 'no_s3_key', base_path: 's3://models/absent' },
        { name: 'no_gs_bucket', base_path: 'gs://absent/zoo' },
        { name: 'no_gs_key', base_path: 'gs://models/absent' },
        { name: 'no_az_container', base_path: 'az://absent/zoo' },
        { name: 'no_az_key', base_path: 'az://models/absent' },
        { name: 'no_azfs_share', base_path: 'azfs://absent/zoo' },
        { name: 'no_azfs_key', base_path: 'azfs://models/absent' },
        { name: 'no_bucket_name', base_path: 's3://' },
        { name: 'climbing', base_path: 's3://models/zoo/../dummy' },
        { name: 'escape', base_path: 's3://models/zoo/escape' },
        { name: 'unreachable', base_path: 's3://127.0.0.1:1/models/zoo' },
        { name: 'broken', base_path: 's3://models/zoo/broken' },
        { name: 'growing', base_path: 's3://models/zoo/growing' },
      );
      const flags = ['--config_path', path, '--file_system_poll_wait_seconds', '0', '--log_level', 'DEBUG'];
      server = await startServerProcess(flags, environment);
      await server.line('ServableManagerModule started');
    });
    after(async () => {
      assert.equal(await server.stop(), 0);
      assert.deepEqual(readdirSync(temporary), [], 'copies that are left');
      assert.ok(!existsSync(repository.path('escaped.txt')));
    });

    const reload = (): Promise<{ readonly status: number }> =>
      restCall(server.restPort, 'POST', '/v1/config/reload', undefined, AbortSignal.timeout(60_000));
    const downloads = (key: string): number =>
      server.lines.filter((line) => line.includes('Downloading ') && line.includes(key)).length;

    async function predict(model: string, version = ''): Promise<unknown> {
      const path = `/v1/models/${model}${version === '' ? '' : `/versions/${version}`}:predict`;
      const { text } = await restCall(server.restPort, 'POST', path, { instances: [Array(10).fill(0)] });
      const { predictions, error } = JSON.parse(text) as { predictions?: number[][]; error?: string };
      return predictions?.[0]?.[0] ?? error;
    }

    async function states(model: string): Promise<string[]> {
      const { text } = await restCall(server.restPort, 'GET', `/v1/models/${model}`);
      const answer = JSON.parse(text) as { model_version_status: { version: string; state: string }[] };
      return answer.model_version_status.map(({ version, state }) => `${version} ${state}`).sort();
    }

    for (const { title, model, version, expected, covers: rows } of [
      { title: 's3://bucket/key', model: 's3', version: '2', expected: 2, covers: 'repository.s3' },
      { title: 's3://bucket/key, another version', model: 's3', version: '1', expected: 1, covers: 'repository.s3' },
      { title: 's3://bucket/key/', model: 's3_slash', expected: 1, covers: 'repository.s3' },
      { title: 's3://host:port/bucket/key', model: 's3_host', expected: 1, covers: 'repository.s3-endpoint-in-path' },
      {
        title: 's3://http://host:port/bucket/key',
        model: 's3_url',
        expected: 1,
        covers: 'repository.s3-endpoint-in-path',
      },
      { title: 'gs://bucket/key', model: 'gs', expected: 3, covers: 'repository.gs' },
      { title: 'az://container/path', model: 'az', expected: 4, covers: 'repository.az' },
      { title: 'azfs://share/path', model: 'azfs', expected: 5, covers: 'repository.azfs' },
    ] as const) {
      test(`${title} is served`, async () => {
        covers(rows);
        assert.equal(await predict(model, version), expected);
      });
    }

    for (const { model, text } of [
      { model: 'no_s3_bucket', text: 'error: S3 Bucket not found - s3://absent/zoo: ' },
      { model: 'no_s3_key', text: "error: The provided base path is invalid or doesn't exists - " },
      { model: 'no_gs_bucket', text: 'error: GCS Bucket not found - gs://absent/zoo: ' },
      { model: 'no_gs_key', text: "error: The provided base path is invalid or doesn't exists - " },
      { model: 'no_az_container', text: 'error: AS Container not found - az://absent/zoo: ' },
      { model: 'no_az_key', text: "error: The provided base path is invalid or doesn't exists - " },
      { model: 'no_azfs_share', text: 'error: AS Share not found - azfs://absent/zoo: ' },
      { model: 'no_azfs_key', text: "error: The provided base path is invalid or doesn't exists - " },
      {
        model: 'no_bucket_name',
        text: 'error: S3 Bucket not found - expected s3://<name>/<directory>, received s3://',
      },
      { model: 'climbing', text: "error: The provided base path is invalid or doesn't exists - " },
      { model: 'unreachable', text: 'error: S3 Failed to list objects - s3://127.0.0.1:1/models/zoo: ' },
      { model: 'escape; version: 1', text: 'error: S3 File path is invalid - ' },
      { model: 'broken; version: 1', text: 'error: Model could not be read - ' },
      { model: 'growing; version: 1', text: 'Could not find file for model: ' },
    ]) {
      test(`${model}: fails alone, and one line says why`, () => {
        covers('repository.cloud-faults');
        const lines = server.lines.filter((line) => line.includes(`Error occurred while loading model: ${model};`));
        assert.equal(lines.length, 1, lines.join('\n'));
        assert.ok(lines[0]!.includes(text), lines[0]);
      });
    }

    test('the loggers have the names of the reference', () => {
      covers('repository.cloud-loggers');
      for (const logger of ['s3', 'gcs', 'azurestorage']) {
        assert.ok(server.lines.some((line) => line.includes(`[${logger}][info]`) && line.includes('Downloading')));
      }
    });

    test('what is loaded has one copy a version, and another look downloads nothing of it', async () => {
      covers('repository.cloud-copies', 'repository.cloud-watch');
      const copies = readdirSync(temporary).length;
      assert.equal(copies, 8);
      const before = downloads('');
      await reload();
      await reload();
      // Only the broken one is tried again, and at the third look no more, because nothing of it has changed.
      assert.equal(downloads('') - before, downloads('zoo/broken') - 1);
      assert.equal(readdirSync(temporary).length, copies);
      assert.equal(await predict('s3', '2'), 2);
    });

    test('a version that is being uploaded is not downloaded until its model is there, and then served', async () => {
      covers('repository.cloud-upload');
      const [xml, bin] = dummyFiles(7);
      await putS3('zoo/growing/1/model.xml', xml!.content);
      await reload();
      assert.deepEqual(await states('growing'), ['1 LOADING']);
      assert.equal(downloads('zoo/growing'), 0);
      await putS3('zoo/growing/1/model.bin', bin!.content);
      await reload();
      assert.deepEqual(await states('growing'), ['1 AVAILABLE']);
      assert.equal(await predict('growing'), 7);
    });

    test('versions come and go, and the copy goes with its version', async () => {
      covers('repository.cloud-watch', 'repository.cloud-copies');
      const copies = readdirSync(temporary).length;
      await putVersion('zoo/dummy/3', 6);
      await reload();
      assert.equal(await predict('s3', '3'), 6);
      assert.equal(readdirSync(temporary).length, copies + 1);
      for (const name of ['model.xml', 'model.bin']) {
        await s3.send(new DeleteObjectCommand({ Bucket: NAME, Key: `zoo/dummy/3/${name}` }));
      }
      await reload();
      assert.deepEqual(await states('s3'), ['1 AVAILABLE', '2 AVAILABLE', '3 END']);
      assert.equal(readdirSync(temporary).length, copies);
    });
  });

  test('--model_path takes an address of a cloud storage', async () => {
    covers('repository.cloud-model-path');
    await withServerProcess(
      ['--model_name', 'dummy', '--model_path', 's3://models/zoo/dummy'],
      async (server) => {
        await expectAvailable(server, 'dummy/versions/2');
      },
      environment,
    );
    assert.deepEqual(readdirSync(temporary), []);
  });

  test('proxies: https_proxy for all, http_proxy for Azure when AZURE_STORAGE_USE_HTTP_PROXY is set', async () => {
    covers('repository.cloud-proxies');
    const targets = new Map([
      ['s3.storage.test', emulators.s3Port],
      ['gcs.storage.test', emulators.gcsPort],
      ['az.storage.test', emulators.azurePort],
    ]);
    const [one, two] = [await startProxy(targets), await startProxy(targets)];
    try {
      const account = `AccountName=${AZURE_ACCOUNT};AccountKey=${AZURE_KEY}`;
      const behindProxies = {
        ...environment,
        S3_ENDPOINT: 's3.storage.test',
        STORAGE_EMULATOR_HOST: 'http://gcs.storage.test',
        AZURE_STORAGE_CONNECTION_STRING: `DefaultEndpointsProtocol=http;${account};BlobEndpoint=http://az.storage.test/${AZURE_ACCOUNT}`,
        AZURE_STORAGE_USE_HTTP_PROXY: '1',
        https_proxy: one.url,
        HTTP_PROXY: two.url,
        NO_PROXY: '127.0.0.1',
        no_proxy: '127.0.0.1',
      };
      const path = config(
        { name: 's3', base_path: 's3://models/zoo/dummy' },
        { name: 'gs', base_path: 'gs://models/zoo/dummy' },
        { name: 'az', base_path: 'az://models/zoo/dummy' },
      );
      await withServerProcess(
        ['--config_path', path],
        async (server) => {
          for (const model of ['s3', 'gs', 'az']) await expectAvailable(server, model);
        },
        behindProxies,
      );
      assert.ok(one.hosts.has('s3.storage.test'));
      assert.ok(!two.hosts.has('s3.storage.test'));
      assert.ok(two.hosts.has('az.storage.test'));
      assert.ok(one.hosts.has('gcs.storage.test') || two.hosts.has('gcs.storage.test'));
    } finally {
      await Promise.all([one.stop(), two.stop()]);
    }
  });

  test('requests to S3 are signed by AWS_PROFILE, else by the key with its session token, else not at all', async () => {
    covers('repository.s3-credentials');
    const profiles = repository.write(
      'credentials',
      '[other]\naws_access_key_id=PROFILEKEY\naws_secret_access_key=secret\n',
    );
    const key = { AWS_ACCESS_KEY_ID: 'PLAINKEY', AWS_SECRET_ACCESS_KEY: 'secret' };
    const none = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };
    const cases = [
      { variables: { ...key, AWS_PROFILE: 'other' }, expected: /Credential=PROFILEKEY\/\d+\/eu-central-1\/s3/ },
      { variables: { ...key, AWS_SESSION_TOKEN: 'token' }, expected: /Credential=PLAINKEY\/.*x-amz-security-token/ },
      { variables: none, expected: /^$/ },
    ];
    for (const { variables, expected } of cases) {
      const proxy = await startProxy(new Map([['s3.storage.test', emulators.s3Port]]));
      const shared = {
        S3_ENDPOINT: 'http://s3.storage.test',
        http_proxy: proxy.url,
        AWS_SHARED_CREDENTIALS_FILE: profiles,
      };
      const path = config({ name: 's3', base_path: 's3://models/zoo/dummy' });
      try {
        await withServerProcess(['--config_path', path], (server) => expectAvailable(server, 's3'), {
          ...environment,
          ...shared,
          ...variables,
        });
      } finally {
        await proxy.stop();
      }
      assert.ok(proxy.authorizations.length > 0);
      for (const authorization of proxy.authorizations) assert.match(authorization, expected);
    }
  });

  test('a refusal says so: a private object of S3 without a key, Azure with another key and without any', async () => {
    covers('repository.cloud-faults');
    await withServerProcess(
      ['--config_path', config({ name: 's3', base_path: 's3://models/zoo/private' })],
      (server) => server.line('error: S3 Invalid access rights - models/zoo/private/1/model.'),
      { ...environment, AWS_ACCESS_KEY_ID: undefined },
    );
    const wrong = environment['AZURE_STORAGE_CONNECTION_STRING']!.replace(
      AZURE_KEY,
      Buffer.alloc(64, 1).toString('base64'),
    );
    for (const [connection, text] of [
      [wrong, 'error: AS Invalid access rights - az://models/zoo/dummy: '],
      ['', 'error: AS Invalid access rights - expected AZURE_STORAGE_CONNECTION_STRING, received none'],
    ] as const) {
      await withServerProcess(
        ['--config_path', config({ name: 'az', base_path: 'az://models/zoo/dummy' })],
        (server) => server.line(text),
        { ...environment, AZURE_STORAGE_CONNECTION_STRING: connection },
      );
    }
  });
});

async function expectAvailable(server: ServerProcess, model: string): Promise<void> {
  const { text } = await restCall(server.restPort, 'GET', `/v1/models/${model}`);
  assert.match(text, /"AVAILABLE"/, [model, ...server.lines].join('\n'));
}

/** A proxy for HTTP that finds its targets by name. */
async function startProxy(targets: ReadonlyMap<string, number>): Promise<{
  readonly url: string;
  readonly hosts: ReadonlySet<string>;
  readonly authorizations: readonly string[];
  stop(): Promise<void>;
}> {
  const hosts = new Set<string>();
  const authorizations: string[] = [];
  const forward = (incoming: IncomingMessage, port: number, path: string): ReturnType<typeof request> =>
    request({
      host: '127.0.0.1',
      port,
      path,
      method: incoming.method,
      headers: { ...incoming.headers, host: `127.0.0.1:${port}` },
      agent: false,
    });
  const server: Server = createServer((incoming, response) => {
    const { hostname, pathname, search } = new URL(incoming.url!);
    hosts.add(hostname);
    authorizations.push(incoming.headers.authorization ?? '');
    const port = targets.get(hostname);
    if (port === undefined) return void response.writeHead(502).end();
    const onward = forward(incoming, port, pathname + search);
    onward.once('response', (answer) => answer.pipe(response.writeHead(answer.statusCode!, answer.headers)));
    onward.once('error', () => response.destroy());
    incoming.pipe(onward);
  });
  // What speaks HTTP to its target through a tunnel does so, too.
  server.on('connect', (_, socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hosts,
    authorizations,
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
