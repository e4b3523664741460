/** Counters of a server since it started. */
export interface MetricSums {
  /** Predict over gRPC, answered well. */
  readonly requests: number;
  /** Bytes of tensors by the reason of the copy. */
  readonly copied: ReadonlyMap<string, number>;
}

/**
 * Reads `GET /metrics`.
 * @param servable whose requests are counted: a request to a pipeline counts for its models, too
 */
export async function metricSums(restPort: number, servable: string): Promise<MetricSums> {
  const response = await fetch(`http://127.0.0.1:${restPort}/metrics`);
  if (!response.ok) throw new Error(`expected metrics, received status ${response.status}`);
  let requests = 0;
  const copied = new Map<string, number>();
  for (const line of (await response.text()).split('\n')) {
    const value = Number(line.slice(line.lastIndexOf(' ') + 1));
    const reason = /^vinery_tensor_bytes_copied_total\{reason="(\w+)"\}/.exec(line)?.[1];
    if (reason !== undefined) copied.set(reason, value);
    else if (/^ovms_requests_success\{[^}]*interface="gRPC",method="Predict"/.test(line)) {
      if (line.includes(`,name="${servable}"`)) requests += value;
    }
  }
  return { requests, copied };
}
