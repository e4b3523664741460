import type { VersionPolicyConfig } from './schema.js';
import { LATEST_VERSION, type VersionPolicy } from './settings.js';

/** The policy that an entry asks for; without one, the latest version. The schema has checked what is written. */
export function readVersionPolicy(written: VersionPolicyConfig | undefined): VersionPolicy {
  if (written === undefined) return LATEST_VERSION;
  const { all, latest, specific } = written;
  if (all) return { kind: 'all' };
  if (latest) return { kind: 'latest', count: latest.num_versions };
  return { kind: 'specific', versions: [...new Set(specific?.versions)].sort((left, right) => left - right) };
}
