import type { BatchingSettings } from '#src/config/settings.js';
import { servedPorts } from '#src/control/model-signature.js';
import type { CompiledModelReference } from '#src/inference/inference.js';
import { plainSpecification, type CompileSpecification, type NativeBinding } from '#src/native/binding.js';
import type { ServingModel } from '#src/servables/snapshot.js';

/** Compiles a model as the control plane does, into the registry of this process. */
export function compileModel(
  binding: NativeBinding,
  path: string,
  properties: CompileSpecification['properties'],
  nireq: number,
  batching: BatchingSettings | null = null,
): ServingModel {
  const joinedRows = batching?.maxBatchSize ?? null;
  const specification: CompileSpecification = { ...plainSpecification(path, 'CPU', properties), joinedRows };
  const modelId = binding.reserveModel();
  binding.compileModel(modelId, specification);
  const handle = binding.openModel(modelId);
  const description = binding.describeModel(handle);
  binding.closeModel(handle);
  const reference: CompiledModelReference = { modelId, specification, description, inline: null, followsLoad: false };
  const ports = servedPorts(description);
  return { reference, nireq, ...ports, isAuto: false, stateful: null, batching };
}

/** A model compiled for one stream of one thread, which is then inferred on the calling thread. */
export function inferredInline(model: ServingModel): ServingModel {
  const { modelId } = model.reference;
  return { ...model, reference: { ...model.reference, inline: { modelId, micros: 0 } } };
}
