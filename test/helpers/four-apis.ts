import { METHOD as KSERVE } from '#src/frontends/kserve/method.js';
import { METHOD as TFS } from '#src/frontends/tfs/method.js';
import { encodePredictRequest } from '#src/frontends/tfs/predict-message.js';
import type { WireTensor } from '#src/frontends/tfs/tensor-map.js';
import { GrpcClient, type RpcOutcome } from './grpc-client.js';
import { encodeKserve, type Fields } from './kserve-messages.js';
import { errorOf, restCall, type RestOutcome } from './rest-client.js';

/** One request as each API sends it; what an API cannot say is left out, and that API is not asked. */
export interface Question {
  /** TensorFlow Serving, gRPC: the inputs. */
  readonly tfs?: readonly WireTensor[];
  /** TensorFlow Serving, REST: the body, or its text. */
  readonly rest?: unknown;
  /** KServe, gRPC: a ModelInferRequest without its model. */
  readonly kserve?: Fields;
  /** KServe, REST: the body, or its text. */
  readonly infer?: unknown;
}

/** What each API that was asked said: `OK` or `200`, else code or status and the text of the error. */
export type Answers = { readonly [api in keyof Question]: string };

/** Which version to ask; none for the default. */
type Version = bigint | undefined;

/** The four ways to one servable, over ports of 127.0.0.1. */
export class FourApis {
  readonly client: GrpcClient;
  readonly restPort: number;

  constructor({ grpcPort, restPort }: { readonly grpcPort: number; readonly restPort: number }) {
    this.client = new GrpcClient(grpcPort);
    this.restPort = restPort;
  }

  async ask(servable: string, { tfs, rest, kserve, infer }: Question, version?: Version): Promise<Answers> {
    return {
      ...(tfs === undefined ? {} : { tfs: rpcText(await this.predict(servable, tfs, version)) }),
      ...(rest === undefined ? {} : { rest: restText(await this.restPredict(servable, rest, version)) }),
      ...(kserve === undefined ? {} : { kserve: rpcText(await this.infer(servable, kserve, version)) }),
      ...(infer === undefined ? {} : { infer: restText(await this.restInfer(servable, infer, version)) }),
    };
  }

  predict(servable: string, inputs: readonly WireTensor[], version?: Version): Promise<RpcOutcome> {
    return this.client.call(TFS.PREDICT, encodePredictRequest(servable, version ?? null, inputs));
  }

  restPredict(servable: string, body: unknown, version?: Version): Promise<RestOutcome> {
    return this.post(`/v1/models/${place(servable, version)}:predict`, body);
  }

  infer(servable: string, request: Fields, version?: Version): Promise<RpcOutcome> {
    const model = { model_name: servable, ...(version === undefined ? {} : { model_version: String(version) }) };
    return this.client.call(KSERVE.MODEL_INFER, encodeKserve('ModelInferRequest', { ...model, ...request }));
  }

  restInfer(servable: string, body: unknown, version?: Version): Promise<RestOutcome> {
    return this.post(`/v2/models/${place(servable, version)}/infer`, body);
  }

  get(path: string): Promise<RestOutcome> {
    return restCall(this.restPort, 'GET', path);
  }

  post(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<RestOutcome> {
    return restCall(this.restPort, 'POST', path, body, undefined, headers);
  }

  close(): void {
    this.client.close();
  }
}

function place(servable: string, version: Version): string {
  return version === undefined ? servable : `${servable}/versions/${version}`;
}

export function rpcText({ code, details }: RpcOutcome): string {
  return `${code} ${details}`.trim();
}

export function restText(outcome: RestOutcome): string {
  const isError = outcome.status >= 300 && outcome.text !== '';
  return isError ? `${outcome.status} ${errorOf(outcome)}` : String(outcome.status);
}
