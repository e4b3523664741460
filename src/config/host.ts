/** What the command line needs to know of the machine. */
export interface Host {
  /** CPU cores this process may use. */
  readonly cores: number;
  /** Soft limit of open files; `Infinity` when there is none. */
  readonly maxOpenFiles: number;
  /** Relative paths of flags belong here. */
  readonly workingDirectory: string;
  fileExists(path: string): boolean;
  directoryExists(path: string): boolean;
  fileReadable(path: string): boolean;
}

export type Environment = Readonly<Record<string, string | undefined>>;
