import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ConfigFile } from '#src/config/schema.js';
import { KSERVE_TYPES } from '../helpers/kserve-messages.js';
import { withGrpcClient, type GrpcClient } from '../helpers/grpc-client.js';
import { modelNode, pipeline } from '../helpers/repository.js';
import { restCall } from '../helpers/rest-client.js';
import { withServerProcess } from '../helpers/server.js';
import { contentOf } from '../helpers/tensors.js';
import { backendTests, exhibit, networks, type Candidate, type Exhibit } from './exhibits.js';

/**
 * Serves every network of the zoo by gRPC, by REST and as a pipeline, and compares each answer bit for bit with OpenVINO's own:
 * `node build/test/zoo/zoo.js [regular expression of names]`.
 */

/** So many networks share a server. */
const A_SERVER = 100;
const WAYS = ['gRPC', 'REST', 'pipeline'] as const;
type Way = (typeof WAYS)[number];

const absent: string[] = [];
const refused: string[] = [];
const differing: string[] = [];
const equal: Record<Way, number> = { gRPC: 0, REST: 0, pipeline: 0 };
let served = 0;
let asked = 0;

const pattern = new RegExp(process.argv[2] ?? '');
const candidates = [...networks(), ...backendTests()].filter(({ name }) => pattern.test(name));
const directory = mkdtempSync(join(tmpdir(), 'vinery-zoo-'));
try {
  for (let at = 0; at < candidates.length; at += A_SERVER) {
    await serve(await exhibitsOf(candidates.slice(at, at + A_SERVER)));
    console.error(`${Math.min(at + A_SERVER, candidates.length)} of ${candidates.length}: ${totals()}`);
  }
} finally {
  rmSync(directory, { recursive: true });
}
report();
process.exitCode = differing.length === 0 ? 0 : 1;

async function exhibitsOf(batch: readonly Candidate[]): Promise<Exhibit[]> {
  const exhibits: Exhibit[] = [];
  for (const candidate of batch) {
    let basePath = dirname(dirname(candidate.file));
    if (candidate.test !== undefined) {
      basePath = join(directory, candidate.name.replaceAll('/', '-'));
      mkdirSync(join(basePath, '1'), { recursive: true });
      copyFileSync(candidate.file, join(basePath, '1', 'model.onnx'));
    } else if (!/\.\w+$/.test(candidate.file)) {
      basePath = dirname(candidate.file);
    }
    const found = await exhibit(candidate, basePath);
    if ('reason' in found) absent.push(`${found.name}: ${found.reason}`);
    else exhibits.push(found);
  }
  return exhibits;
}

async function serve(exhibits: readonly Exhibit[]): Promise<void> {
  asked += exhibits.length;
  const names = exhibits.map(({ name }) => name.replaceAll(/[^\w.]/g, '-'));
  const config: ConfigFile = {
    model_config_list: exhibits.map(({ basePath }, index) => ({
      config: { name: names[index]!, base_path: basePath, plugin_config: { INFERENCE_PRECISION_HINT: 'f32' } },
    })),
    pipeline_config_list: exhibits.map(({ inputs, outputs }, index) => {
      const sources = Object.fromEntries(inputs.map(({ name }) => [name, { node_name: 'request', data_item: name }]));
      const results = outputs.map(({ name }) => name);
      const node = modelNode('node', names[index]!, sources, results);
      const targets = Object.fromEntries(results.map((name) => [name, { node_name: 'node', data_item: name }]));
      return pipeline(`${names[index]!}.pipeline`, Object.keys(sources), [node], targets);
    }),
  };
  const file = join(directory, 'config.json');
  writeFileSync(file, JSON.stringify(config));
  await withServerProcess(['--config_path', file, '--file_system_poll_wait_seconds', '0'], ({ grpcPort, restPort }) =>
    withGrpcClient(grpcPort, async (client) => {
      for (const [index, each] of exhibits.entries()) await compare(client, restPort, names[index]!, each);
    }),
  );
}

async function compare(client: GrpcClient, restPort: number, name: string, shown: Exhibit): Promise<void> {
  const { status, text } = await restCall(restPort, 'GET', `/v1/models/${name}`);
  if (!text.includes('"AVAILABLE"')) {
    refused.push(`${shown.name}: not loaded: ${status} ${text.replaceAll(/\s+/g, ' ').slice(0, 200)}`);
    return;
  }
  served += 1;
  for (const way of WAYS) {
    const answer = await ask(way, client, restPort, name, shown);
    if (typeof answer === 'string') {
      refused.push(`${shown.name}: ${way}: ${answer.slice(0, 200)}`);
      console.error(refused.at(-1));
    } else {
      const wrong = wrongOutputs(shown, answer);
      if (wrong.length === 0) equal[way] += 1;
      else {
        differing.push(`${shown.name}: ${way}: ${wrong.join('; ')}`);
        console.error(differing.at(-1));
      }
    }
  }
}

interface Answer {
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** @returns the outputs by name, or what the error said. */
async function ask(
  way: Way,
  client: GrpcClient,
  restPort: number,
  name: string,
  shown: Exhibit,
): Promise<ReadonlyMap<string, Answer> | string> {
  if (way === 'REST') return askRest(restPort, name, shown);
  const servable = way === 'pipeline' ? `${name}.pipeline` : name;
  const { code, details, outputs } = await client.predict(servable, shown.inputs);
  if (code !== 'OK') return `${code} ${details}`;
  return new Map([...outputs].map(([key, tensor]) => [key, { shape: tensor.shape, bytes: contentOf(tensor) }]));
}

interface InferAnswer {
  readonly outputs: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    /** Absent from an output that was not asked for, which has its values in JSON. */
    readonly parameters?: { readonly binary_data_size: number };
  }[];
}

/** KServe's inference with all tensors in binary. */
async function askRest(
  port: number,
  name: string,
  { inputs, outputs: wanted }: Exhibit,
): Promise<ReadonlyMap<string, Answer> | string> {
  const header = Buffer.from(
    JSON.stringify({
      inputs: inputs.map(({ name: input, shape, precision, bytes }) => ({
        name: input,
        shape,
        datatype: precision === 'BF16' ? 'BF16' : KSERVE_TYPES[precision],
        parameters: { binary_data_size: bytes.byteLength },
      })),
      outputs: wanted.map(({ name: output }) => ({ name: output, parameters: { binary_data: true } })),
    }),
  );
  const body = Buffer.concat([header, ...inputs.map(({ bytes }) => bytes)]);
  const answer = await post(port, `/v2/models/${name}/infer`, header.byteLength, body);
  if (typeof answer === 'string') return answer;
  const { outputs } = JSON.parse(answer.body.toString('utf8', 0, answer.header)) as InferAnswer;
  let at = answer.header;
  return new Map(
    outputs.map(({ name: output, shape, parameters }) => {
      const size = parameters?.binary_data_size ?? 0;
      const bytes = Uint8Array.from(answer.body.subarray(at, at + size));
      at += size;
      return [output, { shape, bytes }];
    }),
  );
}

function post(
  port: number,
  path: string,
  header: number,
  body: Buffer,
): Promise<{ readonly body: Buffer; readonly header: number } | string> {
  return new Promise((resolve, reject) => {
    const headers = { 'Inference-Header-Content-Length': header, 'Content-Length': body.byteLength };
    const sent = request({ host: '127.0.0.1', port, method: 'POST', path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () => {
        const all = Buffer.concat(chunks);
        if (response.statusCode !== 200) resolve(`${response.statusCode} ${all.toString('utf8')}`);
        else {
          // Without the header all of it is JSON.
          const length = response.headers['inference-header-content-length'] ?? all.byteLength;
          resolve({ body: all, header: Number(length) });
        }
      });
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

function wrongOutputs({ outputs }: Exhibit, answer: ReadonlyMap<string, Answer>): string[] {
  const wrong: string[] = [];
  for (const { name, shape, bytes } of outputs) {
    const given = answer.get(name);
    if (given === undefined) wrong.push(`no output ${name} among ${[...answer.keys()].join(', ')}`);
    else if (given.shape.join() !== shape.join()) {
      wrong.push(`${name}: expected shape [${shape.join()}], received [${given.shape.join()}]`);
    } else if (Buffer.compare(given.bytes, bytes) !== 0) wrong.push(`${name}: other bytes`);
  }
  return wrong;
}

function report(): void {
  const list = (title: string, entries: readonly string[]): void => {
    console.log(`\n== ${title}: ${entries.length}`);
    for (const entry of entries) console.log(entry);
  };
  list('not asked, as OpenVINO does not take them or there is nothing to send', absent);
  list('refused by the server', refused);
  list('differing', differing);
  console.log(`\nnetworks: ${candidates.length}; ${totals()}`);
}

function totals(): string {
  const each = WAYS.map((way) => `${equal[way]} by ${way}`).join(', ');
  return `OpenVINO answers: ${asked}; loaded: ${served}; bit-equal: ${each}; differing: ${differing.length}`;
}
