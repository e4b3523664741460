import { once } from 'node:events';
import { after } from 'node:test';
import { Worker } from 'node:worker_threads';
import type { WorkerReport, WorkerTask } from './worker.js';

const started: Worker[] = [];

// What a test that failed has left behind would keep the process from ending.
after(() => Promise.all(started.map((worker) => worker.terminate())));

/** A worker with a task of `worker.ts`. Both promises are made with the worker, since it may be over before anybody waits. */
export class Running {
  readonly worker: Worker;
  readonly exited: Promise<unknown>;
  readonly report: Promise<WorkerReport>;

  constructor(task: WorkerTask) {
    this.worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: task });
    started.push(this.worker);
    this.exited = once(this.worker, 'exit');
    this.report = new Promise((resolve, reject) => {
      this.worker.once('message', resolve);
      this.worker.once('error', reject);
    });
  }
}
