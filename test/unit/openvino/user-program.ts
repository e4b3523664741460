import { addon as ov } from 'openvino-node';
import type { CompiledModel, Core, InferRequest, Output, SupportedTypedArray, Tensor, Version } from 'openvino-node';

/**
 * A program as a user of openvino-node writes it, by its published types alone. The tests of types compile it against Vinery's facade,
 * and the native tests run it there, with nothing but the name in the import changed.
 */

function describe(port: Output): string {
  return `${port.anyName} ${port.getPartialShape().toString()} ${port.getPartialShape().isStatic()}`;
}

function sum(values: SupportedTypedArray): number {
  let total = 0;
  for (const value of values) total += Number(value);
  return total;
}

/** Sets the only input, infers on this thread, and reads the only output. */
function inferSynchronously(request: InferRequest, input: Tensor): number {
  request.setInputTensor(input);
  request.infer();
  return sum(request.getOutputTensor().getData());
}

async function inferTogether(model: CompiledModel, inputs: Tensor[]): Promise<number[]> {
  const [output] = model.outputs;
  const results = await Promise.all(inputs.map((input) => model.createInferRequest().inferAsync([input])));
  return results.map((result) => sum(result[output!.getAnyName()]!.data));
}

function inferByName(model: CompiledModel): { [outputName: string]: Tensor } {
  const { shape } = model.input(0);
  const count = shape.reduce((product, size) => product * size, 1);
  return model.createInferRequest().infer({ [model.input().anyName]: Float32Array.from({ length: count }, () => 2) });
}

async function main(core: Core, modelPath: string): Promise<void> {
  const version: Version = ov.getOpenvinoVersion();
  console.log(version.description, core.getAvailableDevices().includes('CPU'));

  const model = await core.compileModel(modelPath, 'CPU', { PERFORMANCE_HINT: 'LATENCY' });
  console.log(describe(model.input()), describe(model.output('a')), model.inputs.length);

  const tensor = new ov.Tensor(
    ov.element.f32,
    [1, 10],
    Float32Array.from({ length: 10 }, (_, index) => index),
  );
  console.log(tensor.getSize(), tensor.getShape(), tensor.getElementType() === ov.element.f32, tensor.isContinuous());

  const request = model.createInferRequest();
  console.log(inferSynchronously(request, tensor));

  const copy = new ov.Tensor('f32', [1, 10]);
  tensor.copyTo(copy);
  copy.data = new Float32Array(10);
  request.setTensor(model.input().anyName, copy);
  request.infer();
  console.log(request.getTensor(model.output()).data.length, request.getCompiledModel().output(0).getShape());
  console.log(await inferTogether(core.compileModelSync(modelPath, 'CPU'), [tensor, copy]));
  console.log(Object.entries(inferByName(model)).map(([name, result]) => `${name} ${sum(result.data)}`));

  const shape = new ov.PartialShape('?, 1..3');
  console.log(shape.toString(), shape.isDynamic(), shape.getDimensions());
}

await main(new ov.Core(), process.argv[2]!);
