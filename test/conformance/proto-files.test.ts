import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import { covers } from '../contract/covers.js';
import {
  describeClient,
  runPython,
  TENSORFLOW_SERVING,
  TRITONCLIENT,
  whyNoPythonClient,
  type PythonClient,
} from './python-program.js';

/** Fields that came after the published messages at hand, and are not filled by the server. */
const NEWER = ['tensorflow.SignatureDef.defaults'];

const FRONTENDS = fileURLToPath(new URL('../../../src/frontends/', import.meta.url));

interface Field {
  readonly number: number;
  readonly type: string;
  /** Its name in JSON. */
  readonly json: string | undefined;
  readonly repeated: boolean;
}

/** Output of `python/published_descriptors.py`; the keys are full names, those of fields and values bare. */
interface Published {
  readonly messages: Readonly<Record<string, Readonly<Record<string, Field>>>>;
  readonly enums: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly methods: readonly string[];
}

interface Comparison {
  readonly title: string;
  readonly client: PythonClient;
  /** Prints what the client's packages have. */
  readonly program: string;
  readonly folders: readonly string[];
  readonly files: readonly string[] | 'all';
  /** Methods of the published services that are not offered. */
  readonly withoutMethods?: RegExp;
}

const COMPARISONS: readonly Comparison[] = [
  {
    title: 'TensorFlow Serving',
    client: TENSORFLOW_SERVING,
    program: 'published_descriptors.py',
    folders: ['tfs/proto'],
    files: 'all',
  },
  {
    title: 'KServe, health checks and reflection',
    client: TRITONCLIENT,
    program: 'published_kserve_descriptors.py',
    folders: ['kserve/proto', 'grpc/proto'],
    // v1 of reflection has the messages of v1alpha, of which grpcio publishes the latter only.
    files: ['grpc_predict_v2.proto', 'grpc/health/v1/health.proto', 'grpc/reflection/v1alpha/reflection.proto'],
    withoutMethods:
      /^\/inference\.GRPCInferenceService\/(RepositoryModel|.*Setting|LogSettings)|\/grpc.health.v1.Health\/List$/,
  },
];

for (const { title, client, program, folders, files, withoutMethods } of COMPARISONS) {
  test(
    `the .proto files of ${title} say what the published ones say`,
    { skip: whyNoPythonClient(client) },
    async (t) => {
      covers('clients.protos', 'tfs-grpc.messages');
      const published = await readPublished(client, program);
      const own = loadOwn(
        folders.map((folder) => join(FRONTENDS, folder)),
        files,
      );
      for (const message of own.messages) {
        const name = fullName(message);
        await t.test(name, () => {
          const theirs = published.messages[name] ?? assert.fail(`${describeClient(client)} has no ${name}`);
          for (const field of message.fieldsArray) {
            const fieldName = `${name}.${field.name}`;
            if (!NEWER.includes(fieldName)) assert.deepEqual(describeField(field), theirs[field.name], fieldName);
          }
        });
      }
      for (const declared of own.enums) {
        const name = fullName(declared);
        await t.test(name, () => {
          const theirs = published.enums[name] ?? assert.fail(`${describeClient(client)} has no ${name}`);
          for (const [value, number] of Object.entries(declared.values)) assert.equal(number, theirs[value], value);
        });
      }
      await t.test('methods', () => {
        const theirs = published.methods.filter((path) => withoutMethods?.test(path) !== true);
        assert.deepEqual(own.methods.sort(), theirs.sort());
      });
    },
  );
}

async function readPublished(client: PythonClient, program: string): Promise<Published> {
  const { stdout, exitCode } = await runPython(client, [program]);
  assert.equal(exitCode, 0);
  return JSON.parse(stdout) as Published;
}

interface OwnFiles {
  readonly messages: protobuf.Type[];
  readonly enums: protobuf.Enum[];
  readonly methods: string[];
}

function loadOwn(folders: readonly string[], names: readonly string[] | 'all'): OwnFiles {
  const root = new protobuf.Root();
  const inFolders = (name: string): string =>
    folders.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? name;
  root.resolvePath = (_origin, target) => (target.startsWith('google/') ? target : inFolders(target));
  const all = folders.flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }));
  const files = names === 'all' ? all.filter((file) => file.endsWith('.proto')) : names;
  root.loadSync([...files], { keepCase: true });
  root.resolveAll();
  const own: OwnFiles = { messages: [], enums: [], methods: [] };
  collect(root, own);
  return own;
}

function collect(namespace: protobuf.NamespaceBase, own: OwnFiles): void {
  for (const object of namespace.nestedArray) {
    if (fullName(object).startsWith('google')) continue;
    if (object instanceof protobuf.Type) own.messages.push(object);
    if (object instanceof protobuf.Enum) own.enums.push(object);
    if (object instanceof protobuf.Service) {
      own.methods.push(...object.methodsArray.map(({ name }) => `/${fullName(object)}/${name}`));
    }
    if (object instanceof protobuf.Namespace) collect(object, own);
  }
}

/** A map is on the wire, and in the published descriptors, a repeated entry with a key and a value. */
function describeField(field: protobuf.Field): Field {
  const type = field instanceof protobuf.MapField ? entryName(field) : typeName(field);
  return { number: field.id, type, json: field.jsonName, repeated: field.repeated || field.map };
}

function entryName(field: protobuf.MapField): string {
  const words = field.name.split('_').map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return `${fullName(field.parent!)}.${words.join('')}Entry`;
}

function typeName({ resolvedType, type }: protobuf.Field): string {
  return resolvedType === null ? type : fullName(resolvedType);
}

function fullName(object: protobuf.ReflectionObject): string {
  return object.fullName.slice(1);
}
