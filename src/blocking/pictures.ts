import type { Metadata, Sharp } from 'sharp';

import { ServingError } from '../errors.js';
import type { PictureTarget } from '../servables/strings/picture-decoder.js';
import type { Picture, PictureShape } from '../tensors/picture.js';
import { openBmp } from './bmp.js';
import type { OpenedPicture } from './opened-picture.js';
import { openPnm } from './pnm.js';
import { swapRedAndBlue, writePicture } from '../tensors/write-picture.js';

type SharpModule = typeof import('sharp');

/** Loaded with the first picture: threads that see none do without its 18 MB. */
let library: Promise<SharpModule> | undefined;

/** First bytes of what is decoded. The library knows more formats, but nobody should reach its SVG parser through a request. */
const SIGNATURES = ['\xff\xd8\xff', '\x89PNG\r\n\x1a\n', 'II*\0', 'MM\0*', 'GIF87a', 'GIF89a'];
const WEBP_SIGNATURE = /^RIFF[^]{4}WEBP/;
const PNM_SIGNATURE = /^P[1-6][\s#]/;
const SIGNATURE_BYTES = 12;

/** Reads the header of a picture: see `PictureDecoder.measurePicture`. */
export async function measurePicture(encoded: Uint8Array): Promise<PictureShape> {
  return (await open(encoded)).shape;
}

/** Decodes a picture into shared memory: see `PictureDecoder.decodePicture`. */
export async function decodePicture(encoded: Uint8Array, target: PictureTarget): Promise<void> {
  const { shape, read } = await open(encoded);
  checkTarget(shape, target);
  const picture = await parsed(read);
  if (picture.channels !== target.channels) {
    throw new Error(`${picture.channels} channels decoded of a picture that has ${target.channels}`);
  }
  swapRedAndBlue(picture);
  writePicture(picture, target, target.precision, target.bytes);
}

function checkTarget(found: PictureShape, target: PictureTarget): void {
  if (found.channels !== target.channels) {
    const detail = `Expected: ${target.channels}; Actual: ${found.channels}${target.at}`;
    throw new ServingError('PICTURE_CHANNELS_INVALID', detail);
  }
  const isSame = found.height === target.height && found.width === target.width;
  if (isSame || target.otherSize === 'resize') return;
  const detail = `Expected: ${sizeText(target)}; Actual: ${sizeText(found)}${target.at}`;
  throw new ServingError(target.otherSize, detail);
}

function sizeText({ height, width }: PictureShape): string {
  return `height ${height} and width ${width}`;
}

async function open(encoded: Uint8Array): Promise<OpenedPicture> {
  const start = Buffer.from(encoded.subarray(0, SIGNATURE_BYTES)).toString('latin1');
  if (start.startsWith('BM')) return parsed(() => openBmp(encoded));
  if (PNM_SIGNATURE.test(start)) return parsed(() => openPnm(encoded));
  if (!SIGNATURES.some((signature) => start.startsWith(signature)) && !WEBP_SIGNATURE.test(start)) {
    const expected = 'JPEG, PNG, WebP, TIFF, GIF, BMP or PNM';
    throw new ServingError('PICTURE_PARSING_FAILED', `Expected: ${expected}; Actual: another format`);
  }
  const { default: sharp } = await (library ??= import('sharp'));
  return parsed(() => openByLibrary(sharp, encoded));
}

async function openByLibrary(sharp: SharpModule['default'], encoded: Uint8Array): Promise<OpenedPicture> {
  // As OpenCV's IMREAD_UNCHANGED: colour profiles are left aside, and so is the orientation that a camera has noted.
  const image = sharp(encoded, { ignoreIcc: true, failOn: 'error' });
  const metadata = await image.metadata();
  const shape = { height: metadata.height, width: metadata.width, channels: channelsOf(metadata) };
  return { shape, read: () => pixelsOf(image, metadata) };
}

/** Grey stays one channel; with alpha it becomes four, as colours with alpha are (as OpenCV's IMREAD_UNCHANGED). */
function channelsOf({ channels, hasAlpha }: Metadata): number {
  if (hasAlpha) return 4;
  return channels === 1 ? 1 : 3;
}

/** Pixels of 8 bits, or of 16 where the picture has them. */
async function pixelsOf(image: Sharp, metadata: Metadata): Promise<Picture> {
  const isWide = metadata.depth === 'ushort';
  const isGrey = metadata.channels === 1;
  image.toColourspace(isGrey ? (isWide ? 'grey16' : 'b-w') : isWide ? 'rgb16' : 'srgb');
  const raw = image.raw({ depth: isWide ? 'ushort' : 'uchar' });
  const { data, info } = await raw.toBuffer({ resolveWithObject: true });
  const elements = isWide ? wideElements(data) : data;
  return { height: info.height, width: info.width, channels: info.channels, elements };
}

function wideElements({ buffer, byteOffset, byteLength }: Buffer): Uint16Array {
  if (byteOffset % 2 === 0) return new Uint16Array(buffer, byteOffset, byteLength / 2);
  return new Uint16Array(buffer.slice(byteOffset, byteOffset + byteLength));
}

/** Whatever is wrong with a picture, it cannot be parsed. */
async function parsed<T>(reading: () => T | Promise<T>): Promise<T> {
  try {
    return await reading();
  } catch (error) {
    throw new ServingError('PICTURE_PARSING_FAILED', String(error instanceof Error ? error.message : error), {
      cause: error,
    });
  }
}
