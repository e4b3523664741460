import type { VersionStatus } from '../../servables/serving.js';

/** Every version of one model or pipeline. */
export interface ServableStatus {
  readonly name: string;
  readonly versions: readonly VersionStatus[];
}

/** Answer of `GET /v1/models/{name}`: one space of indentation and a line end behind (as OVMS 2026.2.1). */
export function encodeStatus(versions: readonly VersionStatus[]): string {
  return `${statusObject(versions)}\n`;
}

/** Answer of `GET /v1/config`: names sorted, quirks of the white space included (as OVMS 2026.2.1). */
export function encodeAllStatuses(servables: readonly ServableStatus[]): string {
  if (servables.length === 0) return '{}';
  const members = [...servables]
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
    .map(({ name, versions }) => `${JSON.stringify(name)} : \n${statusObject(versions)}`);
  return `{\n${members.join(',\n')}\n}`;
}

/** Failure body of the config endpoints, which OVMS 2026.2.1 indents with a tab. */
export function encodeConfigError(text: string): string {
  return `{\n\t"error": ${JSON.stringify(text)}\n}`;
}

/** Failure body of all other endpoints. */
export function encodeError(text: string): string {
  return JSON.stringify({ error: text });
}

function statusObject(versions: readonly VersionStatus[]): string {
  const entries = versions.map(({ version, state, errorCode }) => ({
    version: String(version),
    state,
    status: { error_code: errorCode, error_message: errorCode },
  }));
  return JSON.stringify({ model_version_status: entries }, null, 1);
}
