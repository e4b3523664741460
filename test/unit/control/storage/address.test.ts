import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseStorageAddress } from '#src/control/storage/address.js';

describe('the address of a model in a cloud storage', () => {
  for (const [path, kind, endpoint, container, prefix] of [
    ['s3://bucket/a/b', 's3', null, 'bucket', 'a/b/'],
    ['s3://bucket/a/b/', 's3', null, 'bucket', 'a/b/'],
    ['s3://bucket', 's3', null, 'bucket', ''],
    ['s3://minio:9000/bucket/a', 's3', 'http://minio:9000', 'bucket', 'a/'],
    ['s3://10.0.0.1:9000/bucket', 's3', 'http://10.0.0.1:9000', 'bucket', ''],
    ['s3://https://minio/bucket/a', 's3', 'https://minio', 'bucket', 'a/'],
    ['s3://http://minio:9000/bucket/a', 's3', 'http://minio:9000', 'bucket', 'a/'],
    ['gs://bucket/a', 'gs', null, 'bucket', 'a/'],
    ['az://container/a/b', 'az', null, 'container', 'a/b/'],
    ['azfs://share/a', 'azfs', null, 'share', 'a/'],
  ] as const) {
    it(path, () => assert.deepEqual(parseStorageAddress(path), { kind, endpoint, container, prefix }));
  }

  for (const [path, code] of [
    ['s3://', 'S3_BUCKET_NOT_FOUND'],
    ['s3://minio:9000/', 'S3_BUCKET_NOT_FOUND'],
    ['gs:///', 'GCS_BUCKET_NOT_FOUND'],
    ['az://', 'AS_INVALID_PATH'],
    ['azfs://', 'AS_INVALID_PATH'],
  ] as const) {
    it(`${path} is refused`, () => assert.throws(() => parseStorageAddress(path), { code }));
  }
});
