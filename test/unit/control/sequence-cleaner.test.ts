import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SequenceCleaner } from '#src/control/sequence-cleaner.js';
import type { StatefulSettings } from '#src/config/settings.js';
import { plainSpecification } from '#src/native/binding.js';
import type { ModelVersionSnapshot, ServingModel } from '#src/servables/snapshot.js';

const STATEFUL: StatefulSettings = { idleSequenceCleanup: true, lowLatencyTransformation: false, maxSequenceNumber: 5 };

function serving(modelId: number, stateful: StatefulSettings | null): ServingModel {
  const specification = plainSpecification('', 'CPU', {});
  const description = {
    inputs: [],
    outputs: [],
    optimalInferRequests: 1,
    streams: 1,
    modelInfo: null,
    mayFailInside: false,
    hasState: true,
    limitedToOneStream: false,
  };
  return {
    reference: { modelId, specification, description, inline: null, followsLoad: false },
    nireq: 1,
    inputs: [],
    outputs: [],
    isAuto: false,
    stateful,
    batching: null,
  };
}

function available(version: number, model: ServingModel | null): ModelVersionSnapshot {
  return { version, state: model === null ? 'END' : 'AVAILABLE', errorCode: 'OK', serving: model };
}

test('sequence cleaner: cleans the available versions of stateful models that want it, whatever one of them says', () => {
  const cleaned: number[] = [];
  const removeIdleSequences = (modelId: number): bigint[] => {
    cleaned.push(modelId);
    if (modelId === 1) throw new Error('gone');
    return [9n];
  };
  const models = [
    {
      name: 'a',
      versions: [available(1, serving(1, STATEFUL)), available(2, serving(2, STATEFUL)), available(3, null)],
    },
    { name: 'plain', versions: [available(1, serving(3, null))] },
    { name: 'kept', versions: [available(1, serving(4, { ...STATEFUL, idleSequenceCleanup: false }))] },
    { name: 'b', versions: [available(1, serving(5, STATEFUL))] },
  ];
  new SequenceCleaner({ removeIdleSequences }, () => models).scan();
  assert.deepEqual(cleaned, [1, 2, 5]);
});
