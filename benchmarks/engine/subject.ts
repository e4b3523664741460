/** Something that can be run again and again, and costs so and so much a node. */
export interface Subject {
  /** What runs, in words. */
  readonly name: string;
  /** The graph, in words; `` where there is none. */
  readonly graph: string;
  readonly nodes: number;
  /** Runs at once. */
  readonly inFlight: number;
  /**
   * Starts one run and calls `ended` once when it is over, perhaps before it returns; with an error when the run failed or computed
   * something else than it should.
   */
  run(ended: (error: Error | null) => void): void;
}

/** What a node costs. Microseconds. */
export interface NodeCost {
  /** Wall time by number of nodes: how long it takes when one waits for it, or what comes out when many run at once. */
  readonly elapsedMicros: number;
  /** Of the whole process: OpenVINO's threads count, too. */
  readonly cpuMicros: number;
}

/** Keeps `inFlight` runs going for `seconds`. Rejects at the first run that fails, when the others have ended. */
export function measure(subject: Subject, seconds: number): Promise<NodeCost> {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const cpuBefore = process.cpuUsage();
    const end = began + seconds * 1000;
    let ended = 0;
    let running = subject.inFlight;
    let failure: Error | null = null;
    const finish = (): void => {
      const elapsedMs = performance.now() - began;
      const { user, system } = process.cpuUsage(cpuBefore);
      const nodes = ended * subject.nodes;
      if (failure !== null) reject(failure);
      else resolve({ elapsedMicros: (elapsedMs * 1000) / nodes, cpuMicros: (user + system) / nodes });
    };
    /** A loop, not a recursion: a subject that ends at once must not fill the stack. */
    const keepRunning = (): void => {
      let again = true;
      while (again) {
        let returned = false;
        again = false;
        subject.run((error) => {
          failure ??= error;
          ended += 1;
          if (failure !== null || performance.now() >= end) {
            running -= 1;
            if (running === 0) finish();
          } else if (returned) keepRunning();
          else again = true;
        });
        returned = true;
      }
    };
    for (let count = subject.inFlight; count > 0; count -= 1) keepRunning();
  });
}
