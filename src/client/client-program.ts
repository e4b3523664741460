import { Command, InvalidArgumentError, Option } from 'commander';
import { TRANSPOSE_METHODS } from './frames.js';
import { metadataCommand, type ServableOptions } from './metadata-command.js';
import { predictCommand } from './predict-command.js';
import type { PredictOptions } from './predict-options.js';
import type { ClientStreams } from './client-streams.js';
import { statusCommand } from './status-command.js';

/**
 * The commands of `vinery client`, with the flags of OVMS's sample clients.
 * @param finish Takes the exit code of the command that ran.
 */
export function clientProgram(io: ClientStreams, finish: (exitCode: number) => void): Command {
  const program = new Command('vinery client')
    .description('Asks a TensorFlow Serving API over gRPC')
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr: (text) => io.stderr.write(text) });

  predictFlags(connectionFlags(program.command('predict')))
    .description('Sends images in numpy format to a classifier; prints results, performance and, with labels, accuracy')
    .action(async (options: PredictOptions) => finish(await predictCommand(options, io)));
  servableFlags(connectionFlags(program.command('metadata')))
    .description('Prints inputs and outputs of a model or pipeline')
    .action(async (options: ServableOptions) => finish(await metadataCommand(options, io)));
  servableFlags(connectionFlags(program.command('status')))
    .description('Prints the state of the versions of a model or pipeline')
    .action(async (options: ServableOptions) => finish(await statusCommand(options, io)));
  return program;
}

function connectionFlags(command: Command): Command {
  return command
    .option('--grpc_address <address>', 'address of the gRPC service', 'localhost')
    .option('--grpc_port <port>', 'port of the gRPC service', '9000')
    .option('--tls', 'use TLS', false)
    .option('--server_cert <path>', 'certificate of the server, PEM')
    .option('--client_cert <path>', 'certificate of the client, PEM')
    .option('--client_key <path>', 'key of the client, PEM');
}

function predictFlags(command: Command): Command {
  return command
    .requiredOption('--images_numpy_path <path>', 'images as .npy of shape [n,h,w,c] or [n,c,h,w]')
    .option('--labels_numpy_path <path>', 'labels as .npy of shape [n], to measure the accuracy')
    .option('--input_name <name>', 'input tensor', 'input')
    .option('--output_name <name>', 'output tensor', 'resnet_v1_50/predictions/Reshape_1')
    .addOption(
      new Option('--transpose_input <boolean>', 'transpose the images').choices(['False', 'True']).default('True'),
    )
    .addOption(
      new Option('--transpose_method <method>', 'how to transpose').choices(TRANSPOSE_METHODS).default('nhwc2nchw'),
    )
    .option('--iterations <count>', 'number of requests; 0: all images once', wholeNumber(0), 0)
    .option('--batchsize <count>', 'images in a request', wholeNumber(1), 1)
    .option('--model_name <name>', 'model to ask', 'resnet')
    .option('--pipeline_name <name>', 'pipeline to ask instead of a model', '')
    .option('--dag-batch-size-auto', 'insert a dimension of 1 after the batch dimension', false)
    .option('--record <path>', 'file that gets every request, for --warm_up recorded of the server')
    .option('--timeline', "draw when each node of the last request's pipeline ran", false);
}

function servableFlags(command: Command): Command {
  return command
    .option('--model_name <name>', 'model or pipeline to ask', 'resnet')
    .option('--model_version <version>', 'version of the model; without it the default, or all', version);
}

function wholeNumber(min: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || !Number.isSafeInteger(value)) {
      throw new InvalidArgumentError(`Expected a whole number from ${min} on.`);
    }
    return value;
  };
}

function version(text: string): bigint {
  if (!/^\d+$/.test(text) || BigInt(text) >= 2n ** 63n) throw new InvalidArgumentError('Expected a version number.');
  return BigInt(text);
}
