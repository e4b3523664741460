import { performance } from 'node:perf_hooks';
import { Metadata } from '@grpc/grpc-js';
import { METHOD, TIMELINE_METADATA } from '../frontends/tfs/method.js';
import { decodePredictResponse, encodePredictRequest } from '../frontends/tfs/predict-message.js';
import type { RequestTensor } from '../servables/predict-request.js';
import { ClientError } from './client-error.js';
import { Connection, type ConnectionOptions } from './connection.js';
import {
  batchBytes,
  formatDataRange,
  normalizeFrames,
  repeatedCount,
  transposeFrames,
  type Frames,
  type TransposeMethod,
} from './frames.js';
import { imagenetClassName } from './imagenet-classes.js';
import { readNpy } from './npy.js';
import type { ClientStreams } from './run-client.js';
import { outputArray, predictedClasses, pythonTuple } from './prediction.js';
import { statisticsBlock, twoDecimals } from './statistics.js';
import { parseTimeline, timelineText } from './timeline-text.js';

export interface PredictOptions extends ConnectionOptions {
  readonly images_numpy_path: string;
  readonly labels_numpy_path?: string;
  readonly input_name: string;
  readonly output_name: string;
  readonly transpose_input: 'True' | 'False';
  readonly transpose_method: TransposeMethod;
  /** 0: as many as there are whole batches. */
  readonly iterations: number;
  readonly batchsize: number;
  readonly model_name: string;
  readonly pipeline_name: string;
  readonly dagBatchSizeAuto: boolean;
  readonly timeline: boolean;
}

/** Sends pictures to a classifier and tells what it saw and how long it took, as OVMS's `grpc_predict_resnet.py` prints it. */
export async function predictCommand(options: PredictOptions, io: ClientStreams): Promise<number> {
  const run = await PredictRun.prepare(options, io);
  const connection = await Connection.open(options);
  try {
    return await run.execute(connection);
  } finally {
    connection.close();
  }
}

/** One batch on its way and what came back. */
interface BatchAnswer {
  readonly outputs: ReadonlyMap<string, RequestTensor>;
  readonly milliseconds: number;
  readonly timelineJson: string | undefined;
}

class PredictRun {
  readonly #options: PredictOptions;
  readonly #io: ClientStreams;
  readonly #frames: Frames;
  /** Frames after doubling. */
  readonly #frameCount: number;
  /** One a real frame, or `null` when the accuracy is not asked for. */
  readonly #labels: ArrayLike<number> | null;
  readonly #iterations: number;
  readonly #times: number[] = [];
  #matched = 0;
  #classified = 0;

  private constructor(options: PredictOptions, io: ClientStreams, frames: Frames, labels: ArrayLike<number> | null) {
    this.#options = options;
    this.#io = io;
    this.#frames = frames;
    this.#labels = labels;
    this.#frameCount = repeatedCount(frames.shape[0]!, options.batchsize);
    this.#iterations = options.iterations || Math.floor(this.#frameCount / options.batchsize);
  }

  static async prepare(options: PredictOptions, io: ClientStreams): Promise<PredictRun> {
    const images = await readNpy(options.images_numpy_path);
    const count = images.shape[0] ?? 0;
    if (count === 0 || images.elements.length === 0) {
      throw new ClientError(`File ${options.images_numpy_path} holds no image`);
    }
    const frames = normalizeFrames(images);
    io.stdout.write(`Image data range: ${formatDataRange(frames.values)}\n`);
    const transposed = options.transpose_input === 'True' ? transposeFrames(frames, options.transpose_method) : frames;
    return new PredictRun(options, io, transposed, await readLabels(options.labels_numpy_path, count));
  }

  async execute(connection: Connection): Promise<number> {
    this.#printHead();
    let timelineJson: string | undefined;
    for (let iteration = 1; iteration <= this.#iterations; iteration += 1) {
      const first = this.#firstFrame(iteration);
      const answer = await this.#predict(connection, first);
      const output = answer.outputs.get(this.#options.output_name);
      if (output === undefined) return this.#printInvalidOutput(answer.outputs);
      this.#times.push(answer.milliseconds);
      this.#printIteration(iteration, answer.milliseconds);
      this.#printClasses(output, first);
      ({ timelineJson } = answer);
    }
    this.#printTail(timelineJson);
    return 0;
  }

  /** Batches follow each other; when fewer frames than a batch are left, they start again. */
  #firstFrame(iteration: number): number {
    const { batchsize } = this.#options;
    const batches = Math.floor(this.#frameCount / batchsize);
    return ((iteration - 1) % batches) * batchsize;
  }

  async #predict(connection: Connection, first: number): Promise<BatchAnswer> {
    const { batchsize, input_name: name } = this.#options;
    const frameShape = this.#frames.shape.slice(1);
    const shape = this.#options.dagBatchSizeAuto ? [batchsize, 1, ...frameShape] : [batchsize, ...frameShape];
    const bytes = batchBytes(this.#frames, first, batchsize);
    const metadata = new Metadata();
    if (this.#options.timeline) metadata.set(TIMELINE_METADATA, '1');

    const start = performance.now();
    const request = encodePredictRequest(this.#servable, null, [{ name, precision: 'FP32', shape, bytes }]);
    const answer = await connection.call(METHOD.PREDICT, request, metadata);
    const outputs = decodePredictResponse(answer.bytes);
    const milliseconds = performance.now() - start;
    return { outputs, milliseconds, timelineJson: answer.trailer.get(TIMELINE_METADATA)[0]?.toString() };
  }

  get #servable(): string {
    return this.#options.pipeline_name || this.#options.model_name;
  }

  #printHead(): void {
    const shape = [this.#frameCount, ...this.#frames.shape.slice(1)];
    this.#io.stdout.write(
      `Start processing:\n\tModel name: ${this.#servable}\n\tIterations: ${this.#iterations}\n` +
        `\tImages numpy path: ${this.#options.images_numpy_path}\n\tNumpy file shape: ${pythonTuple(shape)}\n\n`,
    );
  }

  #printInvalidOutput(outputs: BatchAnswer['outputs']): number {
    const names = [...outputs.keys()].map((name) => `${name}\n`).join('');
    this.#io.stdout.write(`Invalid output name ${this.#options.output_name}\nAvailable outputs:\n${names}`);
    return 1;
  }

  #printIteration(iteration: number, milliseconds: number): void {
    const speed = (1000 * this.#options.batchsize) / milliseconds;
    this.#io.stdout.write(
      `Iteration ${iteration}; Processing time: ${twoDecimals(milliseconds)} ms; speed ${twoDecimals(speed)} fps\n` +
        'imagenet top results in a single batch:\n',
    );
  }

  #printClasses(tensor: RequestTensor, first: number): void {
    const fromPipeline = this.#options.pipeline_name !== '';
    const output = outputArray(this.#options.output_name, tensor);
    for (const [item, label] of predictedClasses(output, fromPipeline).entries()) {
      if (fromPipeline) this.#io.stdout.write(`response shape ${pythonTuple(output.shape)}\n`);
      const mark = this.#mark(label, first + item);
      this.#io.stdout.write(`\t ${item} ${className(label)} ${label} ${mark}\n`);
    }
  }

  #mark(label: number, frame: number): string {
    if (this.#labels === null) return '';
    const expected = this.#labels[frame % this.#labels.length]!;
    this.#classified += 1;
    if (label !== expected) return `; Incorrect match. Should be ${expected} ${className(expected)}`;
    this.#matched += 1;
    return '; Correct match.';
  }

  #printTail(timelineJson: string | undefined): void {
    this.#io.stdout.write(statisticsBlock(this.#times, this.#options.batchsize));
    if (this.#labels !== null) {
      const accuracy = (100 * this.#matched) / this.#classified;
      this.#io.stdout.write(`Classification accuracy: ${twoDecimals(accuracy)}\n`);
    }
    if (!this.#options.timeline) return;
    if (timelineJson === undefined) this.#io.stderr.write('The server sent no time line\n');
    else this.#io.stdout.write(timelineText(parseTimeline(timelineJson)));
  }
}

/** @throws ClientError when there is not one label an image. */
async function readLabels(path: string | undefined, imageCount: number): Promise<ArrayLike<number> | null> {
  if (path === undefined) return null;
  const labels = await readNpy(path);
  if (labels.elements.length !== imageCount) {
    throw new ClientError(`File ${path} holds ${labels.elements.length} labels for ${imageCount} images`);
  }
  return labels.elements;
}

function className(label: number): string {
  return imagenetClassName(label) ?? '(no ImageNet class)';
}
