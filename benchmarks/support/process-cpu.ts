import { readFileSync } from 'node:fs';

/** The unit of `/proc/PID/stat`: Linux shows user programs 100 ticks a second, whatever the kernel's own clock is. */
const MICROS_PER_TICK = 10_000;

/** User and system time of all threads of a process so far, in microseconds. @throws Error when there is no such process */
export function processCpuMicros(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The name of the command, in parentheses, may hold blanks; after it comes the third field.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[14 - 3]) + Number(fields[15 - 3])) * MICROS_PER_TICK;
}
