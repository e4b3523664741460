import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  BINDING_STRIDE,
  COMPLETION_STRIDE,
  MAX_RANK,
  NATIVE_STATUS,
  type NativeBinding,
  UNBOUND,
} from '#src/native/binding.js';
import { binding } from './support.js';

/** The compiler keeps this list equal to the interface. */
const SURFACE: Readonly<Record<keyof NativeBinding, true>> = {
  openvinoVersion: true,
  availableDevices: true,
  constants: true,
  addExtension: true,
  reserveModel: true,
  compileModel: true,
  shareModel: true,
  releaseModel: true,
  isModelKnown: true,
  leaveModelsToProcess: true,
  openModel: true,
  closeModel: true,
  describeModel: true,
  tryModel: true,
  registerSlab: true,
  unregisterSlab: true,
  slabAddress: true,
  copyIn: true,
  registerSharedMemory: true,
  unregisterSharedMemory: true,
  unregisterAllSharedMemory: true,
  listSharedMemory: true,
  beginSharedMemory: true,
  mapSharedMemory: true,
  isSharedMemoryBroken: true,
  endSharedMemory: true,
  isSharedMemoryKnown: true,
  unmapSharedMemory: true,
  createInferRequest: true,
  closeInferRequest: true,
  start: true,
  infer: true,
  cancel: true,
  copyOutput: true,
  tensorAddress: true,
  openCompletions: true,
  takeError: true,
  inFlight: true,
  enterSequence: true,
  sequenceOf: true,
  hasTurn: true,
  awaitTurn: true,
  withdrawTurn: true,
  abandonTurn: true,
  startInTurn: true,
  finishTurn: true,
  removeIdleSequences: true,
  countSequences: true,
  reserveCustomNode: true,
  initializeCustomNode: true,
  releaseCustomNode: true,
  openCustomNode: true,
  closeCustomNode: true,
  describeCustomNode: true,
  startCustomNode: true,
  withdrawCustomExecution: true,
  describeCustomOutputs: true,
  copyCustomOutput: true,
  closeCustomExecution: true,
  listen: true,
  duplicate: true,
  acceptWaiting: true,
  closeDescriptor: true,
  exitOnIllegalInstruction: true,
  endProcess: true,
  threadCpuMicros: true,
  ingressFault: true,
  openIngress: true,
  drainIngress: true,
  closeIngress: true,
  takeIngressEvents: true,
  ingressEventTexts: true,
  giveIngressRegion: true,
  sendMessage: true,
  finishCall: true,
  continueCall: true,
};

test('surface: the addon registers the functions of NativeBinding and no others', () => {
  assert.deepEqual(Object.keys(binding).sort(), Object.keys(SURFACE).sort());
});

test('surface: numbers and status names are the same on both sides', () => {
  assert.deepEqual(binding.constants(), {
    bindingStride: BINDING_STRIDE,
    maxRank: MAX_RANK,
    unbound: UNBOUND,
    completionStride: COMPLETION_STRIDE,
    statuses: [...NATIVE_STATUS],
  });
});

test('surface: version and devices come from OpenVINO', () => {
  assert.match(binding.openvinoVersion(), /^20\d\d\.\d/);
  assert.ok(binding.availableDevices().includes('CPU'));
});

test('surface: an extension that does not exist is a fault with a code', () => {
  assert.throws(() => binding.addExtension('/nowhere/libextension.so'), { name: 'Error', code: 'EXTENSION_FAILED' });
});
