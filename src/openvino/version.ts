import { loadNativeBinding } from '../native/load.js';
import type { Version } from './api.js';

/**
 * The OpenVINO libraries in use. Printed as text it is three lines, as in openvino-node; that does not show among its keys.
 *
 * @throws ServingError NATIVE_BINDING_MISSING
 */
export function getOpenvinoVersion(): Version {
  const buildNumber = loadNativeBinding().openvinoVersion();
  const description = 'OpenVINO Runtime';
  const [version] = buildNumber.split('-');
  const text = `${description}\n    Version : ${version}\n    Build   : ${buildNumber}`;
  return Object.defineProperty({ buildNumber, description }, 'toString', { value: () => text });
}
