import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { ServingError } from '../errors.js';
import type { NativeBinding } from './binding.js';

const BUILT_ADDON = fileURLToPath(new URL('../../build/native/Release/vinery.node', import.meta.url));
const HOW_TO_BUILD = 'run `npm run native`';

let loaded: NativeBinding | undefined;

/**
 * The native addon of this thread's environment. `VINERY_ADDON` names another file than the built one, for the sanitizer build.
 * Throws a `ServingError` that says what was expected where and what to run.
 */
export function loadNativeBinding(file = process.env['VINERY_ADDON'] ?? BUILT_ADDON): NativeBinding {
  loaded ??= requireAddon(file);
  return loaded;
}

/** Loads without remembering, so that a test may name a file that does not exist. */
export function requireAddon(file: string): NativeBinding {
  if (!existsSync(file)) {
    throw new ServingError('NATIVE_BINDING_MISSING', `expected the addon at ${file}, found no file: ${HOW_TO_BUILD}`);
  }
  try {
    return createRequire(import.meta.url)(file) as NativeBinding;
  } catch (cause) {
    throw new ServingError('NATIVE_BINDING_MISSING', describeLoadFault(file, cause), { cause });
  }
}

/** The dynamic linker names the library that it misses; the file it was asked for is there. */
function describeLoadFault(file: string, cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  const library = /(libopenvino[^:\s]*|libtbb[^:\s]*): cannot open shared object file/.exec(text)?.[1];
  if (library !== undefined) {
    return `found the addon at ${file}, but not ${library} of the OpenVINO runtime that it needs: ${HOW_TO_BUILD}`;
  }
  return `expected a Node.js addon at ${file}, found a file that does not load (${text}): ${HOW_TO_BUILD}`;
}
