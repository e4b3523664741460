import { basename, extname, join } from 'node:path';

import { ServingError } from '../errors.js';

/** Kinds of models, in the order in which a version directory is searched (as OVMS 2026.2.1). */
export type ModelFormat = 'IR' | 'ONNX' | 'Paddle' | 'TF' | 'TFLite';

export interface ModelFile {
  readonly format: ModelFormat;
  /** Absolute path for OpenVINO: the file to read, or the directory of a TensorFlow saved model. */
  readonly path: string;
}

/** What a version directory must hold, for error texts. */
const EXPECTED_MODEL_FILES = '*.xml with *.bin, *.onnx, *.pdmodel with *.pdiparams, *.pb or *.tflite';

/**
 * The model among the files of a version directory, or `null`. Where one kind has several files the first by name is taken.
 * @param files names of the files in `directory`.
 */
export function findModelFile(directory: string, files: readonly string[]): ModelFile | null {
  const sorted = [...files].sort();
  const finders: readonly [ModelFormat, () => string | undefined][] = [
    ['IR', () => withCompanion(sorted, '.xml', '.bin')],
    ['ONNX', () => withExtension(sorted, '.onnx')],
    ['Paddle', () => withCompanion(sorted, '.pdmodel', '.pdiparams')],
    ['TF', () => (sorted.includes('saved_model.pb') ? '' : withExtension(sorted, '.pb'))],
    ['TFLite', () => withExtension(sorted, '.tflite')],
  ];
  for (const [format, find] of finders) {
    const file = find();
    if (file !== undefined) return { format, path: join(directory, file) };
  }
  return null;
}

/** The error of a version directory in which {@link findModelFile} finds nothing. */
export function missingModelFile(directory: string, files: readonly string[]): ServingError {
  const found = files.length === 0 ? 'no file' : [...files].sort().join(', ');
  const text = `Could not find file for model: expected ${EXPECTED_MODEL_FILES} in ${directory}, found ${found}`;
  return new ServingError('FILE_INVALID', text);
}

function withExtension(files: readonly string[], extension: string): string | undefined {
  return files.find((file) => extname(file) === extension);
}

/** OpenVINO reads the weights from the file of the same stem. */
function withCompanion(files: readonly string[], extension: string, companion: string): string | undefined {
  return files.find((file) => extname(file) === extension && files.includes(basename(file, extension) + companion));
}
