import { ServingError } from '../errors.js';
import type { LoadedConfig, MetricsSettings, ServerSettings } from './settings.js';
import { shortened } from '../texts.js';

/**
 * What the command line and config.json say of metrics, together; asked once, at the start.
 * @param knownNames every name `metrics_list` may have.
 * @throws ServingError CONFIG_VALUE_INVALID: said in both places, without REST port, or a name that is unknown (texts as
 *   OVMS 2026.2.1, which also refuses a name that is listed twice).
 */
export function resolveMetrics(
  server: ServerSettings,
  monitoring: LoadedConfig['monitoring'],
  knownNames: readonly string[],
): MetricsSettings {
  if (server.metrics.enabled && monitoring?.enabled) {
    throw invalid('metrics are enabled both by --metrics_enable and by /monitoring/metrics: expected one of them');
  }
  const { enabled, names } = server.metrics.enabled || !monitoring ? server.metrics : monitoring;
  if (!enabled) return { enabled: false, names: null };
  if (!server.rest) throw invalid('Missing rest_port parameter in server CLI');
  const wrong = names?.find((name, index) => !knownNames.includes(name) || names.indexOf(name) !== index);
  if (wrong !== undefined) throw invalid(`Invalid name in metrics_list: ${shortened(wrong)}`);
  return Object.freeze({ enabled, names: names ? Object.freeze([...names]) : null });
}

function invalid(detail: string): ServingError {
  return new ServingError('CONFIG_VALUE_INVALID', detail);
}
