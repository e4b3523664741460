import type * as api from './api.js';
import { CompiledModel as CompiledModelClass } from './compiled-model.js';
import { Core as CoreClass } from './core.js';
import { element } from './element.js';
import { InferRequest as InferRequestClass } from './infer-request.js';
import { Output as OutputClass } from './output.js';
import { PartialShape as PartialShapeClass } from './partial-shape.js';
import { Tensor as TensorClass } from './tensor.js';
import { getOpenvinoVersion } from './version.js';

/**
 * OpenVINO for programs that embed Vinery's addon, by the names of openvino-node: `import { addon as ov } from 'vinery/openvino'`.
 * Loading this loads no native code; the first `Core` does.
 */
export const addon: api.OpenvinoAddon = {
  Core: CoreClass,
  CompiledModel: CompiledModelClass,
  InferRequest: InferRequestClass,
  Tensor: TensorClass,
  Output: OutputClass,
  PartialShape: PartialShapeClass,
  element,
  getOpenvinoVersion,
};

export const { Core, CompiledModel, InferRequest, Tensor, Output, PartialShape } = addon;
export { element, getOpenvinoVersion };

export type Core = api.Core;
export type CompiledModel = api.CompiledModel;
export type InferRequest = api.InferRequest;
export type Tensor = api.Tensor;
export type Output = api.Output;
export type PartialShape = api.PartialShape;
export type {
  Dimension,
  ElementType,
  ElementTypeName,
  ElementTypes,
  InferInput,
  InferResult,
  OpenvinoAddon,
  OVAny,
  SupportedTypedArray,
  Version,
} from './api.js';
