import type { CustomNodeDescription, CustomNodeSpecification, NativeBinding } from '../../native/binding.js';
import type { CustomNodeReference } from './custom-node-reference.js';
import { customNodeSignature } from './custom-node-signature.js';

/** A custom node that the control plane holds. */
export interface OpenedCustomNode {
  readonly reference: CustomNodeReference;
  /** Once. Owner workers that have the node open keep it until they close it; then the library's `deinitialize` is called. */
  readonly release: () => void;
}

/** Where what blocks is run: the blocking pool. */
export interface CustomNodeInitializer {
  initializeCustomNode(customNodeId: number, specification: CustomNodeSpecification): Promise<CustomNodeDescription>;
}

/** Initializes custom nodes, once per node and pipeline load, and holds them for the control plane, on whose thread it is used. */
export class CustomNodeFactory {
  readonly #binding: NativeBinding;
  readonly #initializer: CustomNodeInitializer;

  constructor(binding: NativeBinding, initializer: CustomNodeInitializer) {
    this.#binding = binding;
    this.#initializer = initializer;
  }

  /**
   * @param libraryPath absolute.
   * @throws ServingError PIPELINE_LIBRARY_INVALID, CUSTOM_NODE_INITIALIZE_FAILED, CUSTOM_NODE_METADATA_FAILED
   */
  async open(libraryPath: string, params: Readonly<Record<string, string>>): Promise<OpenedCustomNode> {
    const customNodeId = this.#binding.reserveCustomNode();
    const release = (): void => this.#binding.releaseCustomNode(customNodeId);
    try {
      const specification = { libraryPath, params: Object.entries(params) };
      const description = await this.#initializer.initializeCustomNode(customNodeId, specification);
      return { reference: { customNodeId, signature: customNodeSignature(description) }, release };
    } catch (error) {
      release();
      throw error;
    }
  }
}
