import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { translatePluginConfig } from '#src/config/plugin-config.js';
import { NativeInference } from '#src/inference/native-inference.js';
import type { InferRequest } from '#src/inference/inference.js';
import { portBytes, staticShape } from '#src/inference/port-bytes.js';
import { loadNativeBinding } from '#src/native/load.js';
import { Arena } from '#src/tensors/arena.js';
import { Tensor } from '#src/tensors/tensor.js';
import { compileModel } from './engine/served-model.js';
import { interruption } from './support/interruption.js';
import { MachineReport } from './support/machine.js';
import { OUTPUT } from './support/paths.js';
import { lastLineOf } from './support/program.js';
import { formatSpread, spread } from './support/statistics.js';
import { Table } from './support/table.js';

/**
 * What does a convolution network cost when its inputs are denormal numbers, with the server's settings and without them? Each
 * measurement is a process of its own: OpenVINO hands threads on from one model to the next, with their treatment of such numbers.
 */
const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    models: { type: 'string', default: `${OUTPUT}models` },
    /** Of the process that measures: YES or NO. */
    flush: { type: 'string' },
    model: { type: 'string' },
  },
});
const rounds = Number(values.rounds ?? (values.quick ? 1 : 5));
const INFERENCES = values.quick ? 2 : 20;
const INPUTS = { normal: 0.5, denormal: 1e-40 } as const;
const NETWORKS: Readonly<Record<string, string>> = {
  'googlenet-v2-tf': '1/googlenet-v2-tf.xml',
  'resnet-50-tf': '1/resnet-50-tf.xml',
};

/** CPU milliseconds of one inference, by what the inputs are. */
type Costs = Readonly<Record<keyof typeof INPUTS, number>>;

async function measure(path: string, flush: string): Promise<Costs> {
  const binding = loadNativeBinding();
  // Instructions for bfloat16 take denormal numbers for zeros whatever the thread's mode is.
  const written = {
    INFERENCE_PRECISION_HINT: 'f32',
    CPU_DENORMALS_OPTIMIZATION: flush,
  };
  const { pluginConfig } = translatePluginConfig(written, 'CPU', '');
  const { reference } = compileModel(binding, path, pluginConfig, 1);
  const inference = new NativeInference(binding);
  const arena = new Arena(inference.memory);
  inference.useArena(arena);
  const model = await inference.openModel(reference);
  const request = model.createInferRequest();
  const tensor = (port: (typeof reference.description.inputs)[number]): Tensor =>
    new Tensor('FP32', staticShape(port), arena.lease(portBytes(port)));
  const [inputs, outputs] = [reference.description.inputs.map(tensor), reference.description.outputs.map(tensor)];
  const cost = async (value: number): Promise<number> => {
    for (const { bytes } of inputs) new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4).fill(value);
    await infer(request, inputs, outputs);
    const before = process.cpuUsage();
    for (let index = 0; index < INFERENCES; index += 1) await infer(request, inputs, outputs);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000 / INFERENCES;
  };
  return { normal: await cost(INPUTS.normal), denormal: await cost(INPUTS.denormal) };
}

function infer(request: InferRequest, inputs: readonly Tensor[], outputs: readonly Tensor[]): Promise<void> {
  return new Promise((resolve, reject) =>
    request.infer(inputs, outputs, (error) => (error === null ? resolve() : reject(error))),
  );
}

async function compare(): Promise<void> {
  const machine = new MachineReport();
  const table = new Table(['network', 'denormals', 'normal ms', 'denormal ms', 'ratio'], 2);
  const limits = { signal: interruption(), timeoutMs: 120_000 };
  const program = fileURLToPath(import.meta.url);
  for (const [network, file] of Object.entries(NETWORKS)) {
    for (const flush of ['YES', 'NO']) {
      const costs: Costs[] = [];
      const args = [program, '--flush', flush, '--model', join(values.models, network, file)];
      if (values.quick) args.push('--quick');
      for (let round = 0; round < rounds; round += 1)
        costs.push(JSON.parse(await lastLineOf(process.execPath, args, limits)) as Costs);
      const text = (of: (cost: Costs) => number, digits: number): string => formatSpread(spread(costs.map(of)), digits);
      table.add(
        network,
        flush === 'YES' ? 'zeros (default)' : 'numbers',
        text(({ normal }) => normal, 1),
        text(({ denormal }) => denormal, 1),
        text(({ normal, denormal }) => denormal / normal, 2),
      );
    }
  }
  const text = [
    '# What does a convolution network cost when its inputs are denormal numbers?',
    '',
    ...machine.lines(loadNativeBinding().openvinoVersion()),
    `- CPU of one inference in f32, all threads; ${INFERENCES} of them a process, ${rounds} processes`,
    '',
    table.toString(),
    '',
  ].join('\n');
  process.stdout.write(`\n${text}`);
  mkdirSync(OUTPUT, { recursive: true });
  writeFileSync(`${OUTPUT}denormals${values.quick ? '.quick' : ''}.md`, text);
}

if (values.flush === undefined || values.model === undefined) await compare();
else process.stdout.write(`${JSON.stringify(await measure(values.model, values.flush))}\n`);
