/** Largest message in both directions (as OVMS 2026.2.1). */
export const MESSAGE_LIMIT_BYTES = 1024 ** 3;
