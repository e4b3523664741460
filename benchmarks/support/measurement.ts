import { Type, type Static } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';

/** What the reference and the load client print. Times in milliseconds, CPU in microseconds a request. */
const MeasurementSchema = Type.Object({
  requests: Type.Integer({ minimum: 1 }),
  /** Requests a second. */
  rate: Type.Number({ exclusiveMinimum: 0 }),
  p50Ms: Type.Number(),
  p95Ms: Type.Number(),
  p99Ms: Type.Number(),
  /** Of the process that computes: the server, or the reference itself. */
  cpuMicros: Type.Number({ minimum: 0 }),
  /** Of the load client; the reference needs none. */
  clientCpuMicros: Type.Optional(Type.Number({ minimum: 0 })),
  /** The reference tells which OpenVINO it runs on. */
  openvino: Type.Optional(Type.String()),
  /** Answer by picture; `null` for a picture that was not asked. */
  labels: Type.Array(Type.Union([Type.Number(), Type.Null()])),
});
export type Measurement = Static<typeof MeasurementSchema>;

/** @throws Error when the line is not a measurement */
export function parseMeasurement(line: string): Measurement {
  return Value.Parse(MeasurementSchema, JSON.parse(line));
}
