import { isCloudPath } from '../config/base-path.js';
import type { ModelSettings } from '../config/settings.js';
import { openVersion, scanVersions, type RepositoryVersion, type VersionScan } from '../servables/repository.js';

/** A version whose files are there until it is released. */
export interface OpenedVersion extends RepositoryVersion {
  /**
   * The files are not needed any more.
   *
   * @param fault why nothing could be loaded from them.
   */
  readonly release: (fault?: unknown) => Promise<void>;
}

/** Where models come from. */
export interface ModelRepository {
  /** @throws ServingError PATH_INVALID, and those of a cloud storage */
  scan(basePath: string): Promise<VersionScan>;

  /** @throws ServingError PATH_INVALID, FILE_INVALID, MODEL_MAPPING_INVALID, and those of a cloud storage */
  open(settings: ModelSettings, version: number): Promise<OpenedVersion>;

  /** Ends what runs, whose callers get SERVER_STOPPING, and removes what was made on this machine. */
  close(): Promise<void>;
}

/** Directories of this machine; their files stay where they are. */
export const LOCAL_REPOSITORY: ModelRepository = {
  scan: scanVersions,
  open: async ({ basePath }, version) => ({
    ...(await openVersion(basePath, version)),
    release: () => Promise.resolve(),
  }),
  close: () => Promise.resolve(),
};

/** The repository of a path: a directory, or a cloud storage by its scheme. */
export function repositoryFor(cloud: ModelRepository): ModelRepository {
  const of = (basePath: string): ModelRepository => (isCloudPath(basePath) ? cloud : LOCAL_REPOSITORY);
  return {
    scan: (basePath) => of(basePath).scan(basePath),
    open: (settings, version) => of(settings.basePath).open(settings, version),
    close: () => cloud.close(),
  };
}
