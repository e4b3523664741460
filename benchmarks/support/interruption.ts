/**
 * Aborts when somebody stops the benchmark, so that every child process it has started ends with it. The terminal sends SIGINT to the
 * children, too; SIGTERM reaches this process only.
 */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => controller.abort(new Error(`stopped by ${signal}`)));
  }
  return controller.signal;
}
