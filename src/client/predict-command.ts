import { appendFile } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { Metadata } from '@grpc/grpc-js';
import { METHOD } from '../frontends/tfs/method.js';
import { decodePredictResponse, encodePredictRequest } from '../frontends/tfs/predict-message.js';
import { encodePredictionLog } from '../frontends/tfs/warm-up/prediction-log.js';
import { encodeRecord } from '../frontends/tfs/warm-up/record-file.js';
import { TIMELINE_HEADER } from '../frontends/timeline.js';
import type { RequestTensor } from '../servables/predict-request.js';
import { ClientError } from './client-error.js';
import type { ClientStreams } from './client-streams.js';
import { Connection } from './connection.js';
import { batchBytes, formatDataRange, normalizeFrames, repeatedCount, transposeFrames, type Frames } from './frames.js';
import { readNpy } from './npy.js';
import { servableName, type PredictOptions } from './predict-options.js';
import { PredictReport } from './predict-report.js';

/**
 * Sends pictures to a classifier and tells what it saw and how long it took, as OVMS's `grpc_predict_resnet.py`.
 * @returns The exit code.
 * @throws ClientError
 */
export async function predictCommand(options: PredictOptions, io: ClientStreams): Promise<number> {
  const frames = await readFrames(options, io);
  const labels = await readLabels(options.labels_numpy_path, frames.shape[0]!);
  const connection = await Connection.open(options);
  try {
    return await predictAll(options, frames, connection, new PredictReport(options, io, labels));
  } finally {
    connection.close();
  }
}

async function predictAll(
  options: PredictOptions,
  frames: Frames,
  connection: Connection,
  report: PredictReport,
): Promise<number> {
  const frameCount = repeatedCount(frames.shape[0]!, options.batchsize);
  const batches = Math.floor(frameCount / options.batchsize);
  const iterations = options.iterations || batches;
  report.head(iterations, [frameCount, ...frames.shape.slice(1)]);
  let timelineJson: string | undefined;
  for (let iteration = 1; iteration <= iterations; iteration += 1) {
    // Batches follow each other; when fewer frames than a batch are left, they start again.
    const firstFrame = ((iteration - 1) % batches) * options.batchsize;
    const answer = await predictBatch(options, frames, firstFrame, connection);
    const output = answer.outputs.get(options.output_name);
    if (output === undefined) {
      report.invalidOutput(answer.outputs.keys());
      return 1;
    }
    report.iteration(iteration, answer.milliseconds, output, firstFrame);
    ({ timelineJson } = answer);
  }
  report.tail(timelineJson);
  return 0;
}

interface BatchAnswer {
  readonly outputs: ReadonlyMap<string, RequestTensor>;
  readonly milliseconds: number;
  readonly timelineJson: string | undefined;
}

async function predictBatch(
  options: PredictOptions,
  frames: Frames,
  firstFrame: number,
  connection: Connection,
): Promise<BatchAnswer> {
  const { batchsize, input_name: name } = options;
  const frameShape = frames.shape.slice(1);
  const shape = options.dagBatchSizeAuto ? [batchsize, 1, ...frameShape] : [batchsize, ...frameShape];
  const bytes = batchBytes(frames, firstFrame, batchsize);
  const metadata = new Metadata();
  if (options.timeline) metadata.set(TIMELINE_HEADER, '1');

  const start = performance.now();
  const request = encodePredictRequest(servableName(options), null, [{ name, precision: 'FP32', shape, bytes }]);
  const answer = await connection.call(METHOD.PREDICT, request, metadata);
  const outputs = decodePredictResponse(answer.bytes);
  const milliseconds = performance.now() - start;
  if (options.record !== undefined) await record(options.record, request);
  return { outputs, milliseconds, timelineJson: answer.trailer.get(TIMELINE_HEADER)[0]?.toString() };
}

/** @throws ClientError when the file cannot be written */
async function record(path: string, request: Uint8Array): Promise<void> {
  try {
    await appendFile(path, encodeRecord(encodePredictionLog(request)));
  } catch (error) {
    throw new ClientError(`Requests cannot be recorded: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function readFrames(options: PredictOptions, io: ClientStreams): Promise<Frames> {
  const images = await readNpy(options.images_numpy_path);
  if (images.shape.length === 0 || images.elements.length === 0) {
    throw new ClientError(`File ${options.images_numpy_path} holds no image`);
  }
  const frames = normalizeFrames(images);
  io.stdout.write(`Image data range: ${formatDataRange(frames.values)}\n`);
  return options.transpose_input === 'True' ? transposeFrames(frames, options.transpose_method) : frames;
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
