import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { selectVersions } from '#src/servables/version-policy.js';
import { covers } from '../../contract/covers.js';

describe('version policy', () => {
  it('serves nothing when there is nothing', () => {
    assert.deepEqual(selectVersions({ kind: 'all' }, []), []);
    assert.deepEqual(selectVersions({ kind: 'latest', count: 1 }, []), []);
    assert.deepEqual(selectVersions({ kind: 'specific', versions: [1] }, []), []);
  });

  it('serves all in numeric order', () => {
    covers('config.version-policy');
    assert.deepEqual(selectVersions({ kind: 'all' }, [10, 9, 1]), [1, 9, 10]);
  });

  it('serves the latest n, or as many as there are', () => {
    covers('config.version-policy');
    assert.deepEqual(selectVersions({ kind: 'latest', count: 1 }, [2, 10, 9]), [10]);
    assert.deepEqual(selectVersions({ kind: 'latest', count: 2 }, [2, 10, 9]), [9, 10]);
    assert.deepEqual(selectVersions({ kind: 'latest', count: 5 }, [2, 10, 9]), [2, 9, 10]);
  });

  it('serves those of the specific versions that exist', () => {
    covers('config.version-policy-missing');
    assert.deepEqual(selectVersions({ kind: 'specific', versions: [3, 1, 7] }, [1, 2, 3]), [1, 3]);
  });

  it('never invents a version, never changes its input', () => {
    const versions = fc.uniqueArray(fc.integer({ min: 1, max: 50 }));
    const policy = fc.oneof(
      fc.constant({ kind: 'all' } as const),
      fc.integer({ min: 1, max: 60 }).map((count) => ({ kind: 'latest', count }) as const),
      versions.map((wanted) => ({ kind: 'specific', versions: wanted }) as const),
    );
    fc.assert(
      fc.property(policy, versions, (chosen, available) => {
        const before = [...available];
        const selected = selectVersions(chosen, available);
        assert.deepEqual(available, before);
        assert.deepEqual(
          selected,
          before.filter((version) => selected.includes(version)).sort((a, b) => a - b),
        );
      }),
    );
  });
});
