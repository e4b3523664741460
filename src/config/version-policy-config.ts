import { VersionPolicyConfig } from './schema.js';
import { schemaFaults } from './schema-check.js';
import type { VersionPolicy } from './settings.js';
import { parsed, type Parsed } from './shape-grammar.js';

/** `{"all": {}}`, `{"latest": {"num_versions": n}}` or `{"specific": {"versions": [...]}}`, exactly one (as OVMS 2026.2.1). */
export function parseVersionPolicy(written: unknown): Parsed<VersionPolicy> {
  const faults = schemaFaults(VersionPolicyConfig, written);
  if (faults.length > 0) return { value: null, fault: faults.join('; ') };
  const { all, latest, specific } = written as VersionPolicyConfig;
  if (all) return parsed<VersionPolicy>({ kind: 'all' });
  if (latest) return parsed<VersionPolicy>({ kind: 'latest', count: latest.num_versions });
  const versions = [...new Set(specific?.versions)].sort((left, right) => left - right);
  return parsed<VersionPolicy>({ kind: 'specific', versions });
}
