/** OVMS release whose command line, configuration and network APIs are followed. */
export const COMPATIBLE_WITH = '2026.2.1';

/** What `--version` prints, in the three lines scripts know from OVMS 2026.2.1; no line end behind the last. */
export function versionText(versions: {
  readonly product: string;
  readonly openvino: string;
  readonly node: string;
}): string {
  return [
    `OpenVINO Model Server ${COMPATIBLE_WITH} compatible: Vinery ${versions.product}`,
    `OpenVINO backend ${versions.openvino}`,
    `Bazel build flags: none, runs on Node.js ${versions.node}`,
  ].join('\n');
}
