import { ServingError } from '../../errors.js';
import type { ServableStatistics } from '../../observability/metrics/statistics.js';
import type { ServableState, VersionStatus } from '../../servables/serving.js';
import type { SharedMemory } from '../../tensors/shared-memory.js';

/** What the server has beyond KServe's protocol, in the words of Triton, whose clients ask for it. */
export interface KserveExtensions {
  /** `null`: the server does not offer to share memory. */
  readonly memory: SharedMemory | null;
  /** Statistics of everything that was ever served, in any order. */
  statistics(): Promise<readonly ServableStatistics[]>;
  /** Everything that is configured, sorted by name. */
  allStatuses(): readonly ServableVersions[];
}

interface ServableVersions {
  readonly name: string;
  readonly versions: readonly VersionStatus[];
}

/** Their names, as the metadata of the server tells them. */
export function extensionNames({ memory }: KserveExtensions): string[] {
  const names = ['binary_tensor_data', 'model_configuration', 'statistics'];
  return memory === null ? names : [...names, 'system_shared_memory'].sort();
}

/** A version in the index of the repository. */
export interface IndexEntry {
  readonly name: string;
  readonly version: string;
  readonly state: string;
  readonly reason: string;
}

const INDEX_STATE: Readonly<Record<ServableState, string>> = {
  START: 'LOADING',
  LOADING: 'LOADING',
  AVAILABLE: 'READY',
  UNLOADING: 'UNLOADING',
  END: 'UNAVAILABLE',
};

/** All versions that were ever seen, sorted by name and version. @param onlyReady leaves out those that do not answer. */
export function repositoryIndex(extensions: KserveExtensions, onlyReady: boolean): IndexEntry[] {
  return extensions.allStatuses().flatMap(({ name, versions }) =>
    versions
      .filter(({ state }) => !onlyReady || state === 'AVAILABLE')
      .map(({ version, state, errorCode }) => ({
        name,
        version: String(version),
        state: INDEX_STATE[state],
        reason: state === 'AVAILABLE' || errorCode === 'OK' ? '' : errorCode,
      })),
  );
}

/**
 * Statistics of the versions that answer now, sorted by name and version.
 * @param name empty for all servables.
 * @param version `null` for all versions.
 * @throws ServingError MODEL_NAME_MISSING, MODEL_VERSION_MISSING
 */
export async function servableStatistics(
  extensions: KserveExtensions,
  name: string,
  version: bigint | null,
): Promise<ServableStatistics[]> {
  const wanted = extensions.allStatuses().filter((servable) => name === '' || servable.name === name);
  if (name !== '' && wanted.length === 0) throw new ServingError('MODEL_NAME_MISSING');
  const counted = new Map((await extensions.statistics()).map((each) => [keyOf(each), each]));
  const found = wanted.flatMap((servable) =>
    servable.versions
      .filter((each) => each.state === 'AVAILABLE' && (version === null || BigInt(each.version) === version))
      .flatMap((each) => counted.get(keyOf({ name: servable.name, version: each.version })) ?? []),
  );
  if (version !== null && found.length === 0) throw new ServingError('MODEL_VERSION_MISSING');
  return found;
}

function keyOf({ name, version }: { readonly name: string; readonly version: number }): string {
  return `${version}/${name}`;
}
