import {
  closeSync,
  ftruncateSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';

/** Where Linux has POSIX shared memory as files. */
const FOLDER = '/dev/shm';

let made = 0;

/** POSIX shared memory of a client of the test, gone when the tests of the file have run. */
export class PosixSharedMemory {
  /** As a client registers it. */
  readonly key: string;
  readonly path: string;

  constructor(content: Uint8Array | number) {
    made += 1;
    this.key = `/vinery-test-${process.pid}-${made}`;
    this.path = join(FOLDER, this.key);
    writeFileSync(this.path, typeof content === 'number' ? new Uint8Array(content) : content);
    after(() => this.remove());
  }

  /** Its name; who has it mapped keeps it. */
  remove(): void {
    rmSync(this.path, { force: true });
  }

  get bytes(): Buffer {
    return readFileSync(this.path);
  }

  write(bytes: Uint8Array, at = 0): void {
    const file = openSync(this.path, 'r+');
    writeSync(file, bytes, 0, bytes.byteLength, at);
    closeSync(file);
  }

  /** FP32 numbers from a byte on. */
  floats(count: number, at = 0): number[] {
    return [...new Float32Array(Uint8Array.from(this.bytes.subarray(at, at + count * 4)).buffer)];
  }

  truncate(byteLength: number): void {
    truncateSync(this.path, byteLength);
  }

  /** Makes it larger without memory: what is not there yet is zeros. */
  grow(byteLength: number): void {
    const file = openSync(this.path, 'r+');
    ftruncateSync(file, byteLength);
    closeSync(file);
  }
}
