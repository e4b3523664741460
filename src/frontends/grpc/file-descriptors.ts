import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import descriptor from 'protobufjs/ext/descriptor.js';

const FOLDERS = ['tfs', 'kserve', 'grpc'].map((frontend) =>
  fileURLToPath(new URL(`../../../src/frontends/${frontend}/proto/`, import.meta.url)),
);

/** `FieldDescriptorProto.Label.LABEL_REPEATED` */
const REPEATED = 3;

/** The descriptors of all `.proto` files of the server, one file a package. */
export class FileDescriptors {
  /** Serialized `FileDescriptorProto` by name of the file. */
  readonly #files = new Map<string, Uint8Array>();
  /** Name of the file by each full name in it: messages, enums, services and methods. */
  readonly #symbols = new Map<string, string>();
  readonly #dependencies = new Map<string, readonly string[]>();

  /** Reads and parses the files. */
  constructor() {
    const root = loadProtos();
    for (const file of root.toDescriptor('proto3').file) {
      const name = fileOf(file.package ?? '');
      const namespace = root.lookup(file.package ?? '') as protobuf.Namespace;
      const dependencies = new Set<string>();
      this.#add(namespace, name, dependencies);
      dependencies.delete(name);
      this.#dependencies.set(name, [...dependencies]);
      for (const message of file.messageType ?? []) asProtoc(message, namespace.lookupType(message.name ?? ''));
      const whole = { ...file, name, dependency: [...dependencies], syntax: 'proto3' };
      this.#files.set(name, descriptor.FileDescriptorProto.encode(whole).finish());
    }
  }

  /** A file with all that it needs, or `null` for an unknown name. */
  file(name: string): readonly Uint8Array[] | null {
    if (!this.#files.has(name)) return null;
    const needed = new Set<string>();
    const visit = (each: string): void => {
      if (needed.has(each)) return;
      needed.add(each);
      for (const other of this.#dependencies.get(each) ?? []) visit(other);
    };
    visit(name);
    return [...needed].map((each) => this.#files.get(each)!);
  }

  /** As {@link file}, by the full name of something in it: `package.Message`, `package.Service` or `package.Service.Method`. */
  containing(symbol: string): readonly Uint8Array[] | null {
    const name = this.#symbols.get(symbol);
    return name === undefined ? null : this.file(name);
  }

  #add(namespace: protobuf.NamespaceBase, file: string, dependencies: Set<string>): void {
    for (const object of namespace.nestedArray) {
      if (isPackage(object)) continue;
      this.#symbols.set(object.fullName.slice(1), file);
      if (object instanceof protobuf.Service) {
        for (const method of object.methodsArray) {
          this.#symbols.set(method.fullName.slice(1), file);
          for (const type of [method.resolvedRequestType, method.resolvedResponseType]) need(type, dependencies);
        }
      }
      if (object instanceof protobuf.Type)
        for (const field of object.fieldsArray) need(field.resolvedType, dependencies);
      if (object instanceof protobuf.Namespace) this.#add(object, file, dependencies);
    }
  }
}

function need(type: protobuf.ReflectionObject | null, dependencies: Set<string>): void {
  let object = type;
  while (object !== null && !isPackage(object)) object = object.parent;
  if (object !== null) dependencies.add(fileOf(object.fullName.slice(1)));
}

/**
 * Says what protobufjs leaves out or says otherwise than protoc. It calls the entry message of a map `Some_field`, and readers in Go
 * refuse a file whose entries are not called `SomeFieldEntry`; and of names in JSON it drops those that are the name of the field.
 */
function asProtoc(message: descriptor.IDescriptorProto, type: protobuf.Type): void {
  for (const nested of message.nestedType ?? []) {
    if (nested.options?.mapEntry !== true) asProtoc(nested, type.lookupType(nested.name ?? ''));
    else {
      const field = message.field?.find(({ typeName, label }) => typeName === nested.name && label === REPEATED);
      if (field === undefined) throw new Error(`no field is the map of ${nested.name}`);
      nested.name = mapEntryName(field.name ?? '');
      field.typeName = nested.name;
    }
  }
  for (const field of message.field ?? []) {
    const jsonName = type.fields[field.name ?? '']?.jsonName;
    if (jsonName !== undefined) field.jsonName = jsonName;
  }
}

function mapEntryName(fieldName: string): string {
  const words = fieldName.split('_').map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return `${words.join('')}Entry`;
}

/** Messages and services are namespaces of protobufjs, too. */
function isPackage(object: protobuf.ReflectionObject): boolean {
  return object.constructor === protobuf.Namespace;
}

function fileOf(packageName: string): string {
  return `${packageName.replaceAll('.', '/')}.proto`;
}

function loadProtos(): protobuf.Root {
  const found = FOLDERS.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.proto'))
      .map((name) => [name, join(folder, name)] as const),
  );
  const places = new Map(found);
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => places.get(target) ?? target;
  root.loadSync([...places.keys()], { keepCase: true }).resolveAll();
  return root;
}
