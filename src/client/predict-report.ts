import type { RequestTensor } from '../servables/predict-request.js';
import type { ClientStreams } from './client-streams.js';
import { imagenetClassName } from './imagenet-classes.js';
import { servableName, type PredictOptions } from './predict-options.js';
import { outputArray, predictedClasses, pythonTuple } from './prediction.js';
import { statisticsBlock, twoDecimals } from './statistics.js';
import { drawTimeline, parseTimeline } from './timeline-chart.js';

/** Prints a run of the predict client, in the layout of OVMS's sample that scripts read, and counts the right answers. */
export class PredictReport {
  readonly #options: PredictOptions;
  readonly #io: ClientStreams;
  /** One a real frame, or `null` when the accuracy is not asked for. */
  readonly #labels: ArrayLike<number> | null;
  readonly #times: number[] = [];
  #matched = 0;
  #classified = 0;

  constructor(options: PredictOptions, io: ClientStreams, labels: ArrayLike<number> | null) {
    this.#options = options;
    this.#io = io;
    this.#labels = labels;
  }

  head(iterations: number, shape: readonly number[]): void {
    this.#io.stdout.write(
      `Start processing:\n\tModel name: ${servableName(this.#options)}\n\tIterations: ${iterations}\n` +
        `\tImages numpy path: ${this.#options.images_numpy_path}\n\tNumpy file shape: ${pythonTuple(shape)}\n\n`,
    );
  }

  invalidOutput(available: Iterable<string>): void {
    const names = Array.from(available, (name) => `${name}\n`).join('');
    this.#io.stdout.write(`Invalid output name ${this.#options.output_name}\nAvailable outputs:\n${names}`);
  }

  /**
   * @param firstFrame The frame that the first item of the batch was.
   * @throws ClientError when the output is not what its shape says.
   */
  iteration(number: number, milliseconds: number, tensor: RequestTensor, firstFrame: number): void {
    this.#times.push(milliseconds);
    const time = twoDecimals(milliseconds);
    const speed = twoDecimals((1000 * this.#options.batchsize) / milliseconds);
    this.#io.stdout.write(`Iteration ${number}; Processing time: ${time} ms; speed ${speed} fps\n`);
    this.#io.stdout.write('imagenet top results in a single batch:\n');
    const fromPipeline = this.#options.pipeline_name !== '';
    const output = outputArray(this.#options.output_name, tensor);
    for (const [item, label] of predictedClasses(output, fromPipeline).entries()) {
      if (fromPipeline) this.#io.stdout.write(`response shape ${pythonTuple(output.shape)}\n`);
      this.#io.stdout.write(`\t ${item} ${className(label)} ${label} ${this.#mark(label, firstFrame + item)}\n`);
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

  /** @param timelineJson Of the last answer, absent when the server sent none. */
  tail(timelineJson: string | undefined): void {
    this.#io.stdout.write(statisticsBlock(this.#times, this.#options.batchsize));
    if (this.#labels !== null) {
      const accuracy = (100 * this.#matched) / this.#classified;
      this.#io.stdout.write(`Classification accuracy: ${twoDecimals(accuracy)}\n`);
    }
    if (!this.#options.timeline) return;
    if (timelineJson === undefined) this.#io.stderr.write('The server sent no time line\n');
    else this.#io.stdout.write(drawTimeline(parseTimeline(timelineJson)));
  }
}

function className(label: number): string {
  return imagenetClassName(label) ?? '(no ImageNet class)';
}
