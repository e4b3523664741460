import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readNpy, type NdArray } from '#src/client/npy.js';

const MODELS = fileURLToPath(new URL('../../../models/', import.meta.url));
const PICTURES = join(MODELS, 'pictures-ocr');

/** The pipeline that reads text, on the networks of `make models SET=ocr`. */
export const OCR_CONFIG = join(MODELS, 'ocr.config.json');
export const OCR_PIPELINE = 'read_text';

/** Why the tests on the reading pipeline are skipped, or `false`. `make test-integration` prepares the networks. */
export const OCR_SKIPPED = existsSync(join(PICTURES, 'lines.json'))
  ? false
  : 'the text networks are not prepared: run make models SET=ocr, which needs a Python package index';

/** A prepared picture, U8 [1,height,width,3], and what was written on it, from top to bottom. */
export interface OcrPicture {
  readonly name: string;
  readonly lines: readonly string[];
  readonly array: NdArray;
}

export async function readOcrPictures(): Promise<OcrPicture[]> {
  const written = JSON.parse(readFileSync(join(PICTURES, 'lines.json'), 'utf8')) as readonly {
    readonly picture: string;
    readonly lines: readonly string[];
  }[];
  return Promise.all(
    written.map(async ({ picture, lines }) => {
      return { name: picture, lines, array: await readNpy(join(PICTURES, `${picture}.npy`)) };
    }),
  );
}
