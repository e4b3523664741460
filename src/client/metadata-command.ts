import { decodeMetadataResponse, encodeMetadataRequest } from '../frontends/tfs/metadata-message.js';
import { METHOD } from '../frontends/tfs/method.js';
import type { SignatureTensor } from '../frontends/tfs/signature-def.js';
import { Connection, type ConnectionOptions } from './connection.js';
import type { ClientStreams } from './client-streams.js';

export interface ServableOptions extends ConnectionOptions {
  readonly model_name: string;
  readonly model_version?: bigint;
}

/** Prints inputs and outputs of a servable, as OVMS's `grpc_get_model_metadata.py`. */
export async function metadataCommand(options: ServableOptions, io: ClientStreams): Promise<number> {
  const connection = await Connection.open(options);
  try {
    io.stdout.write(`Getting model metadata for model: ${options.model_name}\n`);
    const request = encodeMetadataRequest(options.model_name, options.model_version ?? null);
    const metadata = decodeMetadataResponse((await connection.call(METHOD.GET_MODEL_METADATA, request)).bytes);
    io.stdout.write(`Inputs metadata:\n${metadata.inputs.map((tensor) => tensorLine('Input', tensor)).join('')}`);
    io.stdout.write(`Outputs metadata:\n${metadata.outputs.map((tensor) => tensorLine('Output', tensor)).join('')}`);
    return 0;
  } finally {
    connection.close();
  }
}

function tensorLine(kind: string, { name, shape, dataType }: SignatureTensor): string {
  return `\t${kind} name: ${name}; shape: [${shape.join(', ')}]; dtype: ${dataType}\n`;
}
