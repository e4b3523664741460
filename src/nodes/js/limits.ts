/** Times and sizes within which nodes live. Milliseconds unless the name says otherwise. */
export interface JsNodeLimits {
  /** Most threads of one generation of one module in one owner worker. */
  readonly threads: number;
  /** A thread that has done nothing for so long is ended. */
  readonly idleMs: number;
  /** What an execution that nobody waits for may still take. */
  readonly withdrawGraceMs: number;
  /** Loading the module and `initialize`, in the first execution of a node in a thread; `timeout_ms` begins after it. */
  readonly initializeMs: number;
  /** All `deinitialize` of a thread together. */
  readonly deinitializeMs: number;
  /** JavaScript heap of a thread. Memory of typed arrays does not count. */
  readonly heapMegabytes: number;
}
