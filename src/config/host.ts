/** What the command line needs to know of the machine. */
export interface Host {
  /** CPU cores this process may use: by its affinity and by the quota of its control group. */
  readonly cores: number;
  /** Threads the CPU plugin of OpenVINO gets in a container; `null` outside of one, where it decides by itself. */
  readonly inferenceThreads: number | null;
  /** Soft limit of open files; `Infinity` when there is none. */
  readonly maxOpenFiles: number;
  /** Relative paths of flags belong here. */
  readonly workingDirectory: string;
  fileExists(path: string): boolean;
  directoryExists(path: string): boolean;
  fileReadable(path: string): boolean;
}

export type Environment = Readonly<Record<string, string | undefined>>;
