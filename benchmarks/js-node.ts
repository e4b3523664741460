import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { loadNativeBinding } from '#src/native/load.js';
import { describeJsNode } from '#src/nodes/js/describe.js';
import { JsNodes } from '#src/nodes/js/js-nodes.js';
import { Arena } from '#src/tensors/arena.js';
import { Tensor } from '#src/tensors/tensor.js';
import { engineTable, type CostSeries } from './engine/report.js';
import { measure, type NodeCost, type Subject } from './engine/subject.js';
import { MachineReport } from './support/machine.js';
import { OUTPUT } from './support/paths.js';

/**
 * What does it cost to run a node of a user's own module that does next to nothing? By where its output lies: in the region leased for
 * it, in its input, in memory that it allocates, in a plain array that is copied; small and with a picture of 602 KB.
 */
const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, rounds: { type: 'string' }, seconds: { type: 'string' } },
});
const rounds = Number(values.rounds ?? (values.quick ? 1 : 7));
const seconds = Number(values.seconds ?? (values.quick ? 0.1 : 0.5));
if (!(rounds >= 1 && seconds > 0)) throw new Error('usage: js-node.js [--quick] [--rounds 7] [--seconds 0.5]');

const SMALL = 10;
const PICTURE = 150_528;
const BODIES: Readonly<Record<string, string>> = {
  leased: `const y = context.allocate('y'); y.data[0] = x.data[0]; return { y };`,
  view: 'return { y: x };',
  allocated: `const y = context.allocate('y', x.shape); y.data[0] = x.data[0]; return { y };`,
  copied: 'return { y: { shape: x.shape, data: x.data.slice() } };',
};

const machine = new MachineReport();
const binding = loadNativeBinding();
const arena = new Arena(binding);
const nodes = new JsNodes();

async function openSubject(output: string, size: number, inFlight: number): Promise<Subject> {
  const shape = output === 'leased' ? String(size) : '-1';
  const module = `${OUTPUT}js-node-${output}-${size}.mjs`;
  await writeFile(
    module,
    `const port = (name, size) => [{ name, precision: 'FP32', shape: [size] }];
     export const inputs = () => port('x', -1);
     export const outputs = () => port('y', ${shape});
     export function execute({ x }, context) { ${BODIES[output]!} }`,
  );
  const node = nodes.open(await describeJsNode(module, {}, 10_000), arena, output);
  const input = new Tensor('FP32', [size], arena.lease(size * 4));
  return {
    name: `output ${output}`,
    graph: `${size} numbers`,
    nodes: 1,
    inFlight,
    run: (ended) =>
      void node.execute([input], [true], (error, outputs) => {
        outputs?.[0]?.release();
        ended(error);
      }),
  };
}

const series: CostSeries[] = [];
const measured: NodeCost[][] = [];
for (const size of [SMALL, PICTURE]) {
  for (const output of Object.keys(BODIES)) {
    for (const inFlight of [1, 16]) {
      const costs: NodeCost[] = [];
      measured.push(costs);
      series.push({ subject: await openSubject(output, size, inFlight), rounds: costs });
    }
  }
}
// The first round starts the threads.
for (const { subject } of series) await measure(subject, seconds / 2);
for (let round = 0; round < rounds; round += 1) {
  for (const [index, { subject }] of series.entries()) measured[index]!.push(await measure(subject, seconds));
}
await nodes.close();

const text = [
  "# What does a node of a user's own module cost?",
  '',
  ...machine.lines(binding.openvinoVersion()),
  `- ${rounds} rounds of ${seconds} s each; median (smallest–largest)`,
  '',
  engineTable(series).toString(),
  '',
].join('\n');
process.stdout.write(`\n${text}`);
await writeFile(`${OUTPUT}js-node${values.quick ? '.quick' : ''}.md`, text);
