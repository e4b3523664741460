import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ServingError } from '#src/errors.js';
import { encodePredictRequest } from '#src/frontends/tfs/predict-message.js';
import { crc32c, masked } from '#src/frontends/tfs/warm-up/crc32c.js';
import { decodePredictionLog, encodePredictionLog } from '#src/frontends/tfs/warm-up/prediction-log.js';
import { encodeRecord, readRecords, RecordFileFault } from '#src/frontends/tfs/warm-up/record-file.js';
import { covers } from '../../../contract/covers.js';

const TEXT = Buffer.from('123456789');

/** The records of a file, and what was wrong with it. */
async function read(file: Uint8Array): Promise<{ records: string[]; fault: string | null }> {
  const directory = await mkdtemp(join(tmpdir(), 'vinery-records-'));
  const records: string[] = [];
  try {
    const path = join(directory, 'records');
    await writeFile(path, file);
    for await (const record of readRecords(path)) records.push(Buffer.from(record).toString());
    return { records, fault: null };
  } catch (error) {
    assert.ok(error instanceof RecordFileFault, String(error));
    return { records, fault: error.message };
  } finally {
    await rm(directory, { recursive: true });
  }
}

test('records: the sum is that of Castagnoli, whole and in pieces', () => {
  assert.equal(crc32c(TEXT), 0xe3069283);
  assert.equal(crc32c(TEXT.subarray(4), crc32c(TEXT.subarray(0, 4))), 0xe3069283);
  assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
});

test('records: a file gives what was written, empty and large ones among them', async () => {
  covers('scheduling.warm-up');
  const large = 'x'.repeat(3 * 2 ** 20 + 1);
  const file = Buffer.concat(['one', '', large].map((text) => encodeRecord(Buffer.from(text))));
  assert.deepEqual(await read(file), { records: ['one', '', large], fault: null });
  assert.deepEqual(await read(Buffer.alloc(0)), { records: [], fault: null });
});

test('records: what comes before a fault is given, and the fault says where it is', async () => {
  covers('scheduling.warm-up');
  const [first, second] = [encodeRecord(Buffer.from('first')), encodeRecord(Buffer.from('second'))];
  for (let length = 1; length < second.byteLength; length += 1) {
    const { records, fault } = await read(Buffer.concat([first, second.subarray(0, length)]));
    assert.deepEqual(records, ['first']);
    assert.match(fault!, new RegExp(`^at byte ${first.byteLength}: expected a whole record`));
  }
  for (let at = 0; at < second.byteLength; at += 1) {
    const broken = Buffer.from(second);
    broken[at]! ^= 0x10;
    const { records, fault } = await read(Buffer.concat([first, broken, first]));
    assert.deepEqual(records, ['first']);
    const what = at < 12 ? 'length of the record' : 'bytes of the record';
    assert.match(fault!, new RegExp(`^at byte ${first.byteLength}: the ${what} does not have the sum`));
  }
});

test('records: a length that the file does not hold takes no memory', async () => {
  const record = encodeRecord(Buffer.from('record'));
  record.writeBigUInt64LE(2n ** 62n);
  record.writeUInt32LE(masked(crc32c(record.subarray(0, 8))), 8);
  assert.match((await read(record)).fault!, /received a record of 4611686018427387904 bytes, where at most 6 are left/);
});

test('prediction log: the request is read from where TensorFlow Serving writes it', () => {
  covers('scheduling.warm-up');
  const bytes = new Uint8Array(Float32Array.of(1, 2).buffer);
  const request = encodePredictRequest('m', 3n, [{ name: 'x', precision: 'FP32', shape: [2], bytes }]);
  const log = encodePredictionLog(request);
  // predict_log is field 6, its request field 1; metadata and the response are passed over.
  assert.equal(log[0], (6 << 3) | 2);
  const metadata = Buffer.from([0x0a, 0x02, 0x08, 0x01]);
  for (const message of [log, Buffer.concat([metadata, log]), Buffer.concat([log, metadata])]) {
    const { servable, version, inputs } = decodePredictionLog(message);
    assert.deepEqual({ servable, version }, { servable: 'm', version: 3n });
    const { content } = inputs.get('x')!;
    assert.deepEqual(content.kind === 'bytes' && new Uint8Array(content.bytes), bytes);
  }
});

test('prediction log: other kinds are named, and what is no log is refused', () => {
  covers('scheduling.warm-up');
  const fault = (message: Uint8Array): string => {
    try {
      decodePredictionLog(message);
    } catch (error) {
      assert.ok(error instanceof ServingError);
      return `${error.code} ${error.detail}`;
    }
    return '';
  };
  const kinds = { 2: 'classify_log', 3: 'regress_log', 4: 'multi_inference_log', 5: 'session_run_log' };
  for (const [field, name] of Object.entries({ ...kinds, 7: 'predict_streamed_log' })) {
    assert.equal(
      fault(Buffer.from([(Number(field) << 3) | 2, 0])),
      `NOT_IMPLEMENTED a ${name}; expected a predict_log`,
    );
  }
  assert.match(fault(new Uint8Array(0)), /^MESSAGE_MALFORMED .*found none$/);
  assert.match(fault(Buffer.from([0x32, 0x7f])), /^MESSAGE_MALFORMED PredictionLog, near byte/);
  assert.match(fault(Buffer.from('no protobuf')), /^MESSAGE_MALFORMED/);
});
