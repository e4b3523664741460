import type { Metadata, Sharp } from 'sharp';

import { ServingError } from '../errors.js';
import type { PictureTarget } from '../servables/strings/picture-decoder.js';
import type { Picture, PictureShape } from '../tensors/picture.js';
import { openBmp } from './bmp.js';
import { openGif } from './gif.js';
import { checkSize, type OpenedPicture } from './opened-picture.js';
import { openPam } from './pam.js';
import { openPfm } from './pfm.js';
import { preparePng, type FramePlace } from './png.js';
import { openPnm } from './pnm.js';
import { checkTiff } from './tiff.js';
import { swapRedAndBlue, writePicture } from '../tensors/write-picture.js';

type SharpModule = typeof import('sharp');

/** Loaded with the first picture: threads that see none do without its 18 MB. */
let library: Promise<SharpModule> | undefined;

type Library = SharpModule['default'];

/** First bytes of what is decoded. The library knows more formats, but no request should reach its SVG parser. */
const BY_LIBRARY: readonly (readonly [RegExp, (library: Library, encoded: Uint8Array) => Promise<OpenedPicture>])[] = [
  [/^\xff\xd8\xff/, openJpeg],
  [/^\x89PNG\r\n/, openPng],
  [/^RIFF[^]{4}WEBP/, openWebp],
  [/^(II\*\0|MM\0\*)/, openTiff],
];
const BY_OURSELVES: readonly (readonly [RegExp, (encoded: Uint8Array) => OpenedPicture])[] = [
  [/^BM/, openBmp],
  [/^GIF/, openGif],
  [/^P[1-6][\s#]/, openPnm],
  [/^P7\s/, openPam],
  [/^P[fF]\s/, openPfm],
];
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
    const detail = `${picture.channels} channels decoded of a picture that has ${target.channels}${target.at}`;
    throw new ServingError('PICTURE_PARSING_FAILED', detail);
  }
  if (picture.isBlueFirst !== true) swapRedAndBlue(picture);
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
  const own = BY_OURSELVES.find(([signature]) => signature.test(start))?.[1];
  if (own !== undefined) return parsed(() => own(encoded));
  const opening = BY_LIBRARY.find(([signature]) => signature.test(start))?.[1];
  if (opening === undefined) {
    const expected = 'JPEG, PNG, WebP, TIFF, GIF, BMP, PNM, PAM or PFM';
    throw new ServingError('PICTURE_PARSING_FAILED', `Expected: ${expected}; Actual: another format`);
  }
  const { default: sharp } = await (library ??= import('sharp'));
  return parsed(() => opening(sharp, encoded));
}

/** As OpenCV's IMREAD_UNCHANGED: colour profiles are left aside, and so is the orientation that a camera has noted. */
function imageOf(sharp: Library, encoded: Uint8Array, failOn: 'error' | 'warning' = 'error'): Sharp {
  return sharp(encoded, { ignoreIcc: true, failOn });
}

async function openJpeg(sharp: Library, encoded: Uint8Array): Promise<OpenedPicture> {
  const image = imageOf(sharp, encoded);
  const metadata = await image.metadata();
  const { height, width } = metadata;
  if (metadata.space !== 'cmyk') return openedByLibrary(image, metadata);
  return { shape: { height, width, channels: 3 }, read: () => inksOf(image) };
}

/** Cyan, magenta, yellow and black as OpenCV mixes them, to the bit. The library gives the inks as the file has them. */
async function inksOf(image: Sharp): Promise<Picture> {
  const raw = image.pipelineColourspace('cmyk').toColourspace('cmyk').raw();
  const { data, info } = await raw.toBuffer({ resolveWithObject: true });
  const elements = new Uint8Array((data.byteLength / 4) * 3);
  for (let from = 0, to = 0; from < data.byteLength; from += 4, to += 3) {
    const black = 255 - data[from + 3]!;
    for (let ink = 0; ink < 3; ink += 1) elements[to + ink] = black - ((data[from + ink]! * black) >> 8);
  }
  return { height: info.height, width: info.width, channels: 3, elements };
}

async function openPng(sharp: Library, encoded: Uint8Array): Promise<OpenedPicture> {
  const { encoded: prepared, place } = preparePng(encoded);
  const image = imageOf(sharp, prepared);
  const opened = openedByLibrary(image, await image.metadata());
  if (place === null) return opened;
  const { height, width } = place;
  checkSize(place);
  return {
    shape: { height, width, channels: opened.shape.channels },
    read: async () => placed(await opened.read(), place),
  };
}

function placed({ height, width, channels, elements }: Picture, place: FramePlace): Picture {
  const count = place.height * place.width * channels;
  const whole = elements instanceof Uint16Array ? new Uint16Array(count) : new Uint8Array(count);
  for (let row = 0; row < height; row += 1) {
    const part = elements.subarray(row * width * channels, (row + 1) * width * channels);
    whole.set(part, channels * ((place.top + row) * place.width + place.left));
  }
  return { height: place.height, width: place.width, channels, elements: whole };
}

async function openWebp(sharp: Library, encoded: Uint8Array): Promise<OpenedPicture> {
  const image = imageOf(sharp, encoded);
  const metadata = await image.metadata();
  if (!metadata.hasAlpha || saysAlpha(encoded)) return openedByLibrary(image, metadata);
  // Around the frames of an animation the library has alpha also where the file says that there is none.
  return openedByLibrary(image.removeAlpha(), { ...metadata, hasAlpha: false, channels: 3 });
}

const EXTENDED_AT = 12;
const EXTENDED_FLAGS_AT = 20;
const HAS_ALPHA = 0x10;

/** Whether the extended header of a WebP announces alpha; without that header the data say so. */
function saysAlpha(encoded: Uint8Array): boolean {
  const kind = Buffer.from(encoded.subarray(EXTENDED_AT, EXTENDED_AT + 4)).toString('latin1');
  return kind !== 'VP8X' || (encoded[EXTENDED_FLAGS_AT]! & HAS_ALPHA) !== 0;
}

const TIFF_DEPTHS: readonly string[] = ['uchar', 'ushort'];

async function openTiff(sharp: Library, encoded: Uint8Array): Promise<OpenedPicture> {
  const isTiled = checkTiff(encoded);
  // A tile that cannot be read is only a warning to the library, and black; such a strip is an error.
  const image = imageOf(sharp, encoded, isTiled ? 'warning' : 'error');
  const metadata = await image.metadata();
  if (!TIFF_DEPTHS.includes(metadata.depth)) throw new Error(`expected unsigned samples, received ${metadata.depth}`);
  return openedByLibrary(image, metadata);
}

function openedByLibrary(image: Sharp, metadata: Metadata): OpenedPicture {
  const { height, width } = metadata;
  return { shape: { height, width, channels: channelsOf(metadata) }, read: () => pixelsOf(image, metadata) };
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
