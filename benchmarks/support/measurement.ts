import { Type, type Static } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';

/** What the reference and the load clients print. Times in milliseconds, CPU in microseconds a request. */
const MeasurementSchema = Type.Object({
  requests: Type.Integer({ minimum: 1 }),
  /** Requests a second. */
  rate: Type.Number({ exclusiveMinimum: 0 }),
  p50Ms: Type.Number(),
  p95Ms: Type.Number(),
  p99Ms: Type.Number(),
  /** Of the process that computes: the server, or the reference itself. */
  cpuMicros: Type.Number({ minimum: 0 }),
  /** Of the load client; 0 for the reference, which needs none. */
  clientCpuMicros: Type.Number({ minimum: 0 }),
  /** Calls that failed, or were answered otherwise than before. The reference ends at the first one. */
  failed: Type.Optional(Type.Integer({ minimum: 0 })),
  firstFailure: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  /** The reference tells which OpenVINO it runs on. */
  openvino: Type.Optional(Type.String()),
  /** The reference: label by input; `null` for an input that was not asked. */
  labels: Type.Optional(Type.Array(Type.Union([Type.Number(), Type.Null()]))),
  /** The load clients: bytes of the first answer in hexadecimal digits, by request. */
  answers: Type.Optional(Type.Array(Type.Union([Type.String(), Type.Null()]))),
});
export type Measurement = Static<typeof MeasurementSchema>;

/** @throws Error when the line is not a measurement */
export function parseMeasurement(line: string): Measurement {
  return Value.Parse(MeasurementSchema, JSON.parse(line));
}
