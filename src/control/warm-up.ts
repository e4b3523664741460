import { access } from 'node:fs/promises';
import { join } from 'node:path';

import type { WarmUpMode } from '../config/settings.js';
import { log } from '../observability/logger.js';
import type { ServablesSnapshot, ServingModel } from '../servables/snapshot.js';
import type { WarmUpOutcome, WarmUpTask } from '../servables/warm-up.js';

/** Where TensorFlow Serving looks for recorded requests of a version. */
const RECORDED_REQUESTS = join('assets.extra', 'tf_serving_warmup_requests');

/** Has every owner worker ask a servable of a snapshot to come; resolves with what each says. */
export type AskOwners = (snapshot: ServablesSnapshot, task: WarmUpTask) => Promise<readonly WarmUpOutcome[]>;

/** A pipeline that was built anew. */
export interface FreshPipeline {
  readonly name: string;
  /** `null`: it has no versions. */
  readonly version: number | null;
  /** Absolute path of its recorded requests; `null`: there are none. */
  readonly recorded: string | null;
}

/**
 * Has servables asked before a snapshot shows them, so that the first client does not wait for what an infer request, a stream or a
 * thread does once. What fails is logged, and served all the same: a request that clients never send must not take a model away.
 */
export class WarmUp {
  readonly #mode: Exclude<WarmUpMode, 'none'>;
  readonly #ask: AskOwners;
  readonly #tellToForget: (modelId: number) => void;

  /** @param tellToForget has every owner worker close a model that was asked and will not be shown. */
  constructor(
    mode: Exclude<WarmUpMode, 'none'>,
    ask: AskOwners,
    tellToForget: (modelId: number) => void = () => undefined,
  ) {
    this.#mode = mode;
    this.#ask = ask;
    this.#tellToForget = tellToForget;
  }

  /**
   * A version that was just compiled, by itself. Never rejects.
   *
   * @param directory of its files.
   */
  async model(name: string, version: number, serving: ServingModel, directory: string): Promise<void> {
    const versions = [{ version, state: 'AVAILABLE', errorCode: 'OK', serving } as const];
    const snapshot = { epoch: 1, isLoaded: true, models: [{ name, versions }], pipelines: [] };
    await this.#run(snapshot, { kind: 'model', name, version, recorded: join(directory, RECORDED_REQUESTS) });
  }

  /** A version that was asked, and that no snapshot will show. */
  forget({ reference }: ServingModel): void {
    this.#tellToForget(reference.modelId);
  }

  /**
   * Pipelines one after the other: they share models. Never rejects.
   *
   * @param snapshot of the servables as they are when the pass is committed.
   */
  async pipelines(snapshot: ServablesSnapshot, fresh: readonly FreshPipeline[]): Promise<void> {
    for (const { name, version, recorded } of fresh)
      await this.#run(snapshot, { kind: 'pipeline', name, version: version ?? 1, recorded });
  }

  async #run(snapshot: ServablesSnapshot, task: WarmUpTask): Promise<void> {
    const recorded = this.#mode === 'recorded' ? task.recorded : null;
    if (this.#mode === 'recorded' && (recorded === null || !(await isThere(recorded)))) {
      log.modelmanager.debug(`No recorded requests to warm up ${titleOf(task)}`);
      return;
    }
    const started = performance.now();
    tell(task, await this.#ask(snapshot, { ...task, recorded }), performance.now() - started);
  }
}

function tell(task: WarmUpTask, outcomes: readonly WarmUpOutcome[], millis: number): void {
  const sum = (of: (outcome: WarmUpOutcome) => number): number =>
    outcomes.reduce((total, outcome) => total + of(outcome), 0);
  const answered = sum((outcome) => outcome.answered);
  const failed = sum((outcome) => outcome.failed);
  const fault = outcomes.find((outcome) => outcome.fault !== null)?.fault;
  const count = `${answered} of ${answered + failed} requests answered in ${millis.toFixed(0)} ms`;
  const line = `Warm-up of ${titleOf(task)}: ${count}`;
  if (fault === undefined) log.modelmanager.info(line);
  else log.modelmanager.warning(`${line}; it is served all the same. The first fault: ${fault}`);
}

function titleOf({ kind, name, version }: WarmUpTask): string {
  return `${kind}: ${name}; version: ${version}`;
}

async function isThere(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    // Whoever cannot read it is told by the read.
    return (error as NodeJS.ErrnoException).code !== 'ENOENT' && (error as NodeJS.ErrnoException).code !== 'ENOTDIR';
  }
}
