import { resolve } from 'node:path';
import { BlockingPool } from '../blocking/blocking-pool.js';
import { plainSpecification, type CompileSpecification, type NativeBinding } from '../native/binding.js';
import { fromNativeError } from '../native/errors.js';
import { loadNativeBinding } from '../native/load.js';
import type * as api from './api.js';
import { CompiledModel } from './compiled-model.js';

/** One for all cores of this thread; its workers end by themselves and never keep the process alive. */
let compilers: BlockingPool | null = null;

/**
 * The entry to OpenVINO. All cores of a process share one `ov::Core`, so extensions are known to all.
 *
 * @throws ServingError NATIVE_BINDING_MISSING when constructed without the addon
 */
export class Core implements api.Core {
  readonly #binding: NativeBinding = loadNativeBinding();

  /** Adds the operations of an extension library. @throws Error with what OpenVINO says, `code` EXTENSION_FAILED */
  addExtension(libraryPath: string): void {
    this.#binding.addExtension(libraryPath);
  }

  getAvailableDevices(): string[] {
    return this.#binding.availableDevices();
  }

  /**
   * Reads and compiles a model file in a worker, while this thread goes on. Every fault rejects the promise.
   *
   * @throws ServingError MODEL_READ_FAILED, MODEL_COMPILE_FAILED
   */
  async compileModel(
    modelPath: string,
    deviceName: string,
    config: Record<string, api.OVAny> = {},
  ): Promise<CompiledModel> {
    compilers ??= new BlockingPool();
    const pool = compilers;
    const binding = this.#binding;
    const modelId = binding.reserveModel();
    try {
      await pool.compile(modelId, specification(modelPath, deviceName, config));
      return new CompiledModel(binding, binding.openModel(modelId));
    } finally {
      // From here on the handle alone keeps the model.
      binding.releaseModel(modelId);
    }
  }

  /**
   * The same on this thread, which does nothing else meanwhile.
   *
   * @throws ServingError MODEL_READ_FAILED, MODEL_COMPILE_FAILED
   */
  compileModelSync(modelPath: string, deviceName: string, config: Record<string, api.OVAny> = {}): CompiledModel {
    const binding = this.#binding;
    const modelId = binding.reserveModel();
    try {
      binding.compileModel(modelId, specification(modelPath, deviceName, config));
      return new CompiledModel(binding, binding.openModel(modelId));
    } catch (error) {
      throw fromNativeError(error);
    } finally {
      binding.releaseModel(modelId);
    }
  }
}

/** Native code checks the rest and names what is wrong. */
function specification(modelPath: string, device: string, properties: Record<string, api.OVAny>): CompileSpecification {
  return plainSpecification(resolve(modelPath), device, properties);
}
