/** The text of a file, `null` where there is none. */
export type ReadText = (path: string) => string | null;

const MARKS = ['/.dockerenv', '/run/.containerenv'];
const CONTROL_GROUPS = '/proc/self/cgroup';
const QUOTA_V2 = '/sys/fs/cgroup/cpu.max';
const QUOTA_V1 = '/sys/fs/cgroup/cpu/cpu.cfs_quota_us';
const PERIOD_V1 = '/sys/fs/cgroup/cpu/cpu.cfs_period_us';
const CPU_INFO = '/proc/cpuinfo';

/** Whether this process runs in a container: by the files container engines leave, or by the names of its control groups. */
export function isContainer(read: ReadText): boolean {
  return (
    MARKS.some((path) => read(path) !== null) || /docker|containerd|kubepods|libpod/.test(read(CONTROL_GROUPS) ?? '')
  );
}

/** Cores that the quota of the control group is worth, rounded up; `Infinity` without a quota. */
export function quotaCores(read: ReadText): number {
  const [quota, period] = read(QUOTA_V2)?.trim().split(' ') ?? [read(QUOTA_V1), read(PERIOD_V1)];
  const cores = Math.ceil(Number(quota ?? NaN) / Number(period ?? NaN));
  return Number.isFinite(cores) && cores > 0 ? cores : Infinity;
}

/** Physical cores of one socket; `Infinity` where the kernel does not say. */
export function coresOfSocket(read: ReadText): number {
  const cores = Number(/^cpu cores\s*:\s*(\d+)/m.exec(read(CPU_INFO) ?? '')?.[1]);
  return cores > 0 ? cores : Infinity;
}
