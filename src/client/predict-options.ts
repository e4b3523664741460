import type { ConnectionOptions } from './connection.js';
import type { TransposeMethod } from './frames.js';

/** Flags of `vinery client predict`, under the names commander gives them. */
export interface PredictOptions extends ConnectionOptions {
  readonly images_numpy_path: string;
  readonly labels_numpy_path?: string;
  readonly input_name: string;
  readonly output_name: string;
  readonly transpose_input: 'True' | 'False';
  readonly transpose_method: TransposeMethod;
  /** 0: as many as there are whole batches. */
  readonly iterations: number;
  readonly batchsize: number;
  readonly model_name: string;
  /** Wins over the model when not empty. */
  readonly pipeline_name: string;
  readonly dagBatchSizeAuto: boolean;
  readonly timeline: boolean;
  /** File that gets every request that was answered, behind what it has, as TensorFlow Serving records them. */
  readonly record?: string;
}

/** The servable that is asked. */
export function servableName(options: PredictOptions): string {
  return options.pipeline_name || options.model_name;
}
