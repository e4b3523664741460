import { METHOD } from '../frontends/tfs/method.js';
import { decodeStatusResponse, encodeStatusRequest } from '../frontends/tfs/status-message.js';
import { Connection } from './connection.js';
import type { ServableOptions } from './metadata-command.js';
import type { ClientStreams } from './client-streams.js';

/** Prints the state of the versions of a servable, as OVMS's `grpc_get_model_status.py`. */
export async function statusCommand(options: ServableOptions, io: ClientStreams): Promise<number> {
  const connection = await Connection.open(options);
  try {
    io.stdout.write(`Getting model status for model: ${options.model_name}\n`);
    const request = encodeStatusRequest({ name: options.model_name, version: options.model_version ?? null });
    const answer = await connection.call(METHOD.GET_MODEL_STATUS, request);
    for (const { version, state, errorCode, errorMessage } of decodeStatusResponse(answer.bytes)) {
      io.stdout.write(`\nModel version: ${version}\nState ${state}\nError code:  ${errorCode}\n`);
      io.stdout.write(`Error message:  ${errorMessage}\n`);
    }
    return 0;
  } finally {
    connection.close();
  }
}
