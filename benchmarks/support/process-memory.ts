import { readFileSync } from 'node:fs';

/** Resident memory of a process, in bytes. @throws Error when there is no such process */
export function residentBytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
  if (kilobytes === undefined) throw new Error(`expected VmRSS of process ${pid}, found none`);
  return Number(kilobytes) * 1024;
}
