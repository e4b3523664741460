import type { Backend, NodeExecutor } from '../config/settings.js';
import { loadNativeBinding } from '../native/load.js';
import type { CompileForThroughput, Inference } from './inference.js';
import { NativeInference } from './native-inference.js';

/**
 * The backend of one owner worker. What is not chosen is not loaded.
 *
 * @param compileForThroughput without it no model follows the load.
 * @throws ServingError NATIVE_BINDING_MISSING, BACKEND_MISSING
 */
export async function createInference(
  backend: Backend,
  executor: NodeExecutor,
  compileForThroughput: CompileForThroughput | null = null,
): Promise<Inference> {
  if (backend === 'openvino-node') {
    const { OpenvinoNodeInference } = await import('./openvino-node-inference.js');
    return OpenvinoNodeInference.load();
  }
  const binding = loadNativeBinding();
  if (executor === 'piscina') {
    const { PiscinaInference } = await import('./piscina-inference.js');
    return new PiscinaInference(binding);
  }
  return new NativeInference(binding, compileForThroughput);
}
