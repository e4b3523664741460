import type { ErrorCode } from '../errors.js';

/** How a reload that somebody asked for ended. Plain data: it crosses threads. */
export type ReloadOutcome =
  /** Everything listed is applied; `reloaded` says whether anything changed by it. */
  | { readonly kind: 'done'; readonly reloaded: boolean }
  /** `code` names the step that failed, `cause` the first fault of it, whose HTTP status is that of the answer (as OVMS 2026.2.1). */
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly cause: ErrorCode };
