import type { VersionPolicy } from '../config/settings.js';

/**
 * The versions to serve, ascending. Pure: leave out of `available` what must not count, for example versions that failed to load,
 * so that `latest` takes the next older one (as OVMS 2026.2.1).
 * @param available versions on disk, in any order, each once.
 */
export function selectVersions(policy: VersionPolicy, available: readonly number[]): number[] {
  const ascending = [...available].sort((left, right) => left - right);
  switch (policy.kind) {
    case 'all':
      return ascending;
    case 'latest':
      return ascending.slice(-policy.count);
    case 'specific':
      return ascending.filter((version) => policy.versions.includes(version));
  }
}
