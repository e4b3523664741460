import { open, type FileHandle } from 'node:fs/promises';
import { crc32c, masked } from './crc32c.js';

/**
 * TensorFlow's record files: of each record its length (8 bytes, little-endian), the masked sum of the length, the bytes, and the masked sum
 * of the bytes.
 */
const HEAD_BYTES = 12;
const SUM_BYTES = 4;
/** Read and summed in one go: about a millisecond of the event loop. */
const CHUNK_BYTES = 1 << 19;

/** What is wrong with a file, and at which byte of it. */
export class RecordFileFault extends Error {}

/**
 * The records of a file, in their order; what comes before a fault is given first.
 *
 * @throws RecordFileFault for what is no such file, or ends too early; what the file system says
 */
export async function* readRecords(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    let at = 0;
    while (at < size) {
      const length = await readHead(file, at, size);
      const { bytes, sum } = await readBytes(file, at + HEAD_BYTES, length);
      const [tail] = await readSome(file, at + HEAD_BYTES + length, SUM_BYTES);
      checkSum('bytes of the record', at, sum, tail.getUint32(0, true));
      yield bytes;
      at += HEAD_BYTES + length + SUM_BYTES;
    }
  } finally {
    await file.close();
  }
}

/** One record as it stands in a file. */
export function encodeRecord(bytes: Uint8Array): Buffer {
  const record = Buffer.alloc(HEAD_BYTES + bytes.byteLength + SUM_BYTES);
  record.writeBigUInt64LE(BigInt(bytes.byteLength), 0);
  record.writeUInt32LE(masked(crc32c(record.subarray(0, 8))), 8);
  record.set(bytes, HEAD_BYTES);
  record.writeUInt32LE(masked(crc32c(bytes)), HEAD_BYTES + bytes.byteLength);
  return record;
}

/** Length of the record; that the file holds it is checked before memory is taken for it. */
async function readHead(file: FileHandle, at: number, size: number): Promise<number> {
  if (size - at < HEAD_BYTES) throw truncated(at, `${size - at} of ${HEAD_BYTES} bytes before a record`);
  const [head, bytes] = await readSome(file, at, HEAD_BYTES);
  checkSum('length of the record', at, crc32c(bytes.subarray(0, 8)), head.getUint32(8, true));
  const length = head.getBigUint64(0, true);
  const left = size - at - HEAD_BYTES - SUM_BYTES;
  if (length > left) throw truncated(at, `a record of ${length} bytes, where at most ${Math.max(left, 0)} are left`);
  return Number(length);
}

async function readBytes(file: FileHandle, at: number, length: number): Promise<{ bytes: Uint8Array; sum: number }> {
  const bytes = new Uint8Array(length);
  let sum = 0;
  for (let done = 0; done < length;) {
    const chunk = bytes.subarray(done, Math.min(done + CHUNK_BYTES, length));
    const { bytesRead } = await file.read(chunk, 0, chunk.byteLength, at + done);
    if (bytesRead === 0) throw truncated(at, 'a file that became shorter');
    sum = crc32c(chunk.subarray(0, bytesRead), sum);
    done += bytesRead;
  }
  return { bytes, sum };
}

async function readSome(file: FileHandle, at: number, length: number): Promise<[DataView, Uint8Array]> {
  const { bytes } = await readBytes(file, at, length);
  return [new DataView(bytes.buffer), bytes];
}

function checkSum(of: string, at: number, sum: number, stored: number): void {
  const expected = masked(sum);
  if (expected === stored) return;
  throw new RecordFileFault(`at byte ${at}: the ${of} does not have the sum ${stored} that is stored, but ${expected}`);
}

function truncated(at: number, received: string): RecordFileFault {
  return new RecordFileFault(`at byte ${at}: expected a whole record, received ${received}`);
}
