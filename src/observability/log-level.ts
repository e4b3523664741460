/** Levels an operator can choose, least severe first; upper case as in `--log_level` (as OVMS 2026.2.1). */
export const LOG_LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARNING', 'ERROR'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
