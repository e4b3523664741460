import { different, supported, unsupported } from '../row.js';

export const clients = {
  // the sample clients of the demo
  'clients.script-predict': supported(
    '`grpc_predict_resnet.py` works as it is: float32 pictures of `make_tensor_proto`, and an output that `make_ndarray` reads, for pipelines (class with the background) and models',
  ),
  'clients.script-binary': supported(
    '`grpc_predict_binary_resnet.py` and `rest_predict_binary_resnet.py` work: JPEG files as strings and as `b64`',
  ),
  'clients.script-metadata': supported(
    '`grpc_get_model_metadata.py` works: the first field of the packed SignatureDefMap is `signature_def`, and holds `serving_default`',
  ),
  'clients.script-status': supported(
    '`grpc_get_model_status.py` works: state by name, error code 0, error message `OK`',
  ),
  'clients.script-rest': supported(
    '`rest_get_model_status.py`, `rest_get_model_metadata.py` and `rest_predict_resnet.py` work: the same questions over REST',
  ),
  'clients.script-kserve': supported(
    'The KServe samples work: they are calls of `tritonclient`, by gRPC and HTTP, for live, ready, metadata, infer and asynchronous infer',
  ),
  'clients.script-tls': unsupported(
    'The scripts with `--tls` against a server',
    'The server itself speaks without TLS, as OVMS does; both want a proxy in front',
  ),
  'clients.predict-flags': supported(
    '`vinery client predict` takes the flags of `grpc_predict_resnet.py`, with its defaults: pictures, labels, address, names, transposing, iterations, batch size, `--dag-batch-size-auto`; wrong ones are usage errors with exit code 2',
  ),
  'clients.predict-pictures': supported(
    'Pictures are shifted to 0 and scaled to 255 as a whole, transposed by `nhwc2nchw` or `nchw2nhwc`, and doubled until there are more than one batch',
  ),
  'clients.predict-pipeline': supported(
    '`--pipeline_name` wins over `--model_name`, and its output is the class, counted with the background',
  ),
  'clients.predict-model': supported('Of a model the class is the argmax of its scores, less one where there are 1001'),
  'clients.predict-output': supported(
    'What `vinery client predict` prints has the layout of the sample, tabs and empty lines included, with `Correct match.` or `Incorrect match. Should be ...` where labels are given',
  ),
  'clients.predict-statistics': supported(
    'Average, median, greatest, least, percentiles, deviation and variance of the times truncated to milliseconds, and the accuracy, as NumPy computes and Python prints them',
  ),
  'clients.predict-no-such-output': supported(
    'An output that the answer lacks gives `Invalid output name`, `Available outputs:`, one name a line, and exit code 1',
  ),
  'clients.metadata-output': supported(
    '`vinery client metadata` prints inputs and outputs as `grpc_get_model_metadata.py`',
  ),
  'clients.status-output': supported('`vinery client status` prints versions as `grpc_get_model_status.py`'),
  'clients.demo-pipeline': supported(
    "The demo's pipeline answers the demo's pictures: two networks in parallel, then the argmax of their sum; tensor names with slashes are opaque",
  ),

  // clients that others wrote
  'clients.ovmsclient-grpc': supported(
    '`ovmsclient` by gRPC: predict of every type, metadata, status, its exceptions and texts, timeouts',
  ),
  'clients.ovmsclient-http': supported('`ovmsclient` by HTTP: the same'),
  'clients.tensorflow-serving': supported(
    'The stubs of `tensorflow-serving-api` with grpcio: every method, tensors as TensorFlow makes and reads them, codes and texts of errors',
  ),
  'clients.tensorflow-serving-typed': different(
    'One-element arrays, which TensorFlow puts into typed fields, are predicted on',
    'OVMS reads `tensor_content` only and refuses them; there is no use in that',
  ),
  'clients.tensorflow-serving-transport': supported(
    'grpcio: gzip and deflate, deadlines, cancelled calls, metadata, messages over 4 MB, many calls on a channel',
  ),
  'clients.curl': supported(
    'curl: status, metadata, predict and errors; HTTP/1.0, chunked bodies, `Expect: 100-continue`, kept connections',
  ),
  'clients.curl-http2-offer': supported(
    'An offer to upgrade to HTTP/2 is declined and the request answered in HTTP/1.1',
  ),
  'clients.triton-server': supported('`tritonclient` by gRPC and HTTP: live, ready, model ready, server metadata'),
  'clients.triton-metadata': supported('`tritonclient`: metadata of models and pipelines, of every type and version'),
  'clients.triton-infer': supported(
    '`tritonclient`: infer with every type, raw, as binary data and as JSON; several inputs and outputs, requested outputs, versions, ids, parameters, headers',
  ),
  'clients.triton-bytes': supported(
    '`tritonclient`: BYTES of numpy object arrays, both ways, as binary data and as JSON',
  ),
  'clients.triton-async': supported('`tritonclient`: asynchronous infer, many at once, and cancelling'),
  'clients.triton-timeouts': supported('`tritonclient`: the timeouts of client and call; the server stays up'),
  'clients.triton-errors': supported('`tritonclient`: InferenceServerException with the status and the text of OVMS'),
  'clients.triton-transport': supported(
    '`tritonclient`: compressed calls, long messages, keep-alive pings during a long call, typed contents by its stubs, bodies made for others to send',
  ),
  'clients.triton-not-offered': supported(
    'What only Triton has (load, unload, trace, log) is UNIMPLEMENTED by gRPC and `Invalid request URL` with 400 by HTTP',
  ),
  'clients.triton-shared-memory': different(
    '`tritonclient.utils.shared_memory` has nobody to share with',
    'it works as it is, by gRPC and HTTP',
  ),
  'clients.triton-extensions': different(
    '`tritonclient`: statistics, model configuration and repository index are not offered',
    'they are answered, by gRPC and HTTP',
  ),
  'clients.kserve-streams': supported(
    'ModelStreamInfer fails with NOT_FOUND `Mediapipe graph definition with requested name is not found`: models and pipelines are no graphs',
  ),
  'clients.grpcurl-reflection': different(
    'grpcurl lists and describes services, messages, enums and methods; a load generator that asks for a method symbol finds it',
    'OVMS has no reflection, so every tool needs its `.proto` files',
  ),
  'clients.grpcurl-calls': different(
    'grpcurl calls predict, infer, metadata, status, readiness and health with JSON, without a `.proto` file',
    'OVMS has no reflection',
  ),
  'clients.go-predict': supported('grpc-go: predict on models and pipelines, every type'),
  'clients.go-kserve': supported('grpc-go: the KServe questions, and infer with raw and typed contents of every type'),
  'clients.go-metadata-and-status': supported('grpc-go: metadata with its packed message, status of every version'),
  'clients.go-errors': supported('grpc-go: codes and texts of errors'),
  'clients.go-health': different(
    'grpc-go: `grpc.health.v1` by call, by watching, and by a channel that checks health itself',
    'OVMS has no `grpc.health.v1`',
  ),
  'clients.go-deadlines-and-cancelling': supported('grpc-go: deadlines and cancelled calls; the server stays up'),
  'clients.go-transport': supported(
    'grpc-go: gzip, messages of 6 MB, 200 calls at once on a channel, metadata, keep-alive pings',
  ),
  'clients.java-grpc': supported('grpc-java: predict on models and pipelines, every type; metadata and status'),
  'clients.java-kserve': supported('grpc-java: KServe readiness and metadata, and infer of every type'),
  'clients.java-errors': supported('grpc-java and the HTTP client of the JDK: codes and texts of errors'),
  'clients.java-deadlines-and-cancelling': supported('grpc-java: deadlines and cancelled calls; the server stays up'),
  'clients.java-transport': supported('grpc-java: gzip, messages of 6 MB, 200 calls at once on a channel, metadata'),
  'clients.java-health-and-reflection': different(
    'grpc-java: health checks and reflection by its own stubs',
    'OVMS has neither',
  ),
  'clients.java-http': supported(
    'The HTTP client of the JDK, whose every request offers an upgrade to HTTP/2: status, metadata, predict, KServe infer with binary data, bodies of unknown length, many at once',
  ),
  'clients.round-trips': supported(
    'Random tensors of every type, with no elements, NaN, infinities and the limits of integers, come back bit for bit through the libraries of the clients',
  ),
  'clients.protos': supported(
    'The `.proto` files of the server say what the published ones say: TensorFlow Serving, KServe, health checks, reflection',
  ),
};
