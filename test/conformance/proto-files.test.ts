import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import { describeClient, runPython, TENSORFLOW_SERVING, whyNoPythonClient } from './python-program.js';

const PROTO = fileURLToPath(new URL('../../../src/frontends/tfs/proto/', import.meta.url));

/** Fields that came after the published messages at hand, and are not filled by the server. */
const NEWER = ['tensorflow.SignatureDef.defaults'];

interface Field {
  readonly number: number;
  readonly type: string;
  readonly repeated: boolean;
}

/** Output of `python/published_descriptors.py`; the keys are full names, those of fields and values bare. */
interface Published {
  readonly messages: Readonly<Record<string, Readonly<Record<string, Field>>>>;
  readonly enums: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly methods: readonly string[];
}

test('the .proto files say what the published ones say', { skip: whyNoPythonClient(TENSORFLOW_SERVING) }, async (t) => {
  const published = await readPublished();
  const own = loadOwn();
  for (const message of own.messages) {
    const name = fullName(message);
    await t.test(name, () => {
      const theirs = published.messages[name] ?? assert.fail(`${describeClient(TENSORFLOW_SERVING)} has no ${name}`);
      for (const field of message.fieldsArray) {
        const fieldName = `${name}.${field.name}`;
        if (!NEWER.includes(fieldName)) assert.deepEqual(describeField(field), theirs[field.name], fieldName);
      }
    });
  }
  for (const declared of own.enums) {
    const name = fullName(declared);
    await t.test(name, () => {
      const theirs = published.enums[name] ?? assert.fail(`${describeClient(TENSORFLOW_SERVING)} has no ${name}`);
      for (const [value, number] of Object.entries(declared.values)) assert.equal(number, theirs[value], value);
    });
  }
  await t.test('methods', () => assert.deepEqual(own.methods.sort(), [...published.methods].sort()));
});

async function readPublished(): Promise<Published> {
  const { stdout, exitCode } = await runPython(TENSORFLOW_SERVING, ['published_descriptors.py']);
  assert.equal(exitCode, 0);
  return JSON.parse(stdout) as Published;
}

interface OwnFiles {
  readonly messages: protobuf.Type[];
  readonly enums: protobuf.Enum[];
  readonly methods: string[];
}

function loadOwn(): OwnFiles {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => (target.startsWith('google/') ? target : join(PROTO, target));
  const files = readdirSync(PROTO, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.proto'));
  root.loadSync(files, { keepCase: true });
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
  return { number: field.id, type, repeated: field.repeated || field.map };
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
