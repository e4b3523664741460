import { different, supported } from '../row.js';

/** Model repositories, formats, cloud storages and the cache of compiled models. */
export const repository = {
  'repository.version-directories': supported(
    'a version is a directory whose name is a positive integer; other directories are skipped with a warning',
  ),
  'repository.version-prefix': different(
    'a directory `3abc` is version 3',
    'it is skipped with a warning: beside a directory `3` there would be two versions 3',
  ),
  'repository.missing-directory': supported(
    "a base path that is not there: that model alone fails, `The provided base path is invalid or doesn't exists`",
  ),
  'repository.no-versions': supported('a base path without version directories only warns: a model of no versions'),
  'repository.climbing-paths': supported(
    "base paths that start with `../`, end with `/..` or contain `/../` are refused: `The provided base path is invalid or doesn't exists`",
  ),
  'repository.relative-to-config': supported(
    'a relative `base_path` belongs to the directory of config.json; an absolute one stays',
  ),
  'repository.relative-to-working-directory': supported('a relative `--model_path` belongs to the working directory'),
  'repository.ir': supported('OpenVINO IR: `*.xml` with `*.bin`, of any name; `.mapping` files are not read'),
  'repository.ir-pair': supported('an `*.xml` without its `*.bin`, or the other way round, is no model'),
  'repository.onnx': supported('ONNX: `*.onnx`'),
  'repository.paddle': supported('Paddle: `*.pdmodel` with `*.pdiparams`'),
  'repository.tensorflow-saved-model': supported('TensorFlow: `saved_model.pb`, whose directory is read'),
  'repository.tensorflow-frozen': supported('TensorFlow: a frozen graph `*.pb`'),
  'repository.tensorflow-lite': supported('TensorFlow Lite: `*.tflite`'),
  'repository.search-order': supported(
    'where a version directory holds several kinds: IR, ONNX, Paddle, TensorFlow, TensorFlow Lite, in this order',
  ),
  'repository.no-file': supported(
    'a version directory without a model: `Could not find file for model: `, `File not found or cannot open`',
  ),
  'repository.half-weights': supported('a file cut in half fails that version alone'),
  'repository.copied-version': supported(
    'a version that fails, for example because its files are still being copied, is tried again and then served',
  ),
  'repository.changed-version': supported(
    'changes inside a version directory that is loaded are not noticed, `mapping_config.json` included',
  ),
  'repository.mapping': supported(
    '`mapping_config.json` of a version directory renames inputs and outputs for clients and pipelines',
  ),
  'repository.mapping-invalid': supported('a `mapping_config.json` that is no JSON fails that version alone'),
  'repository.nameless-outputs': supported('an output without a name is `out_<index>`, an input `in_<index>`'),
  'repository.s3': supported('`s3://bucket/key`: S3 itself, or the server that `S3_ENDPOINT` names'),
  'repository.s3-endpoint-in-path': supported('`s3://host:port/bucket/key` names its server itself, which speaks HTTP'),
  'repository.s3-credentials': supported(
    '`AWS_PROFILE`, else `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` with `AWS_SESSION_TOKEN`, else no credentials; `AWS_REGION`',
  ),
  'repository.gs': supported('`gs://bucket/key`: Google Cloud Storage, without credentials a public bucket'),
  'repository.az': supported('`az://container/path`: Azure blobs of the account in `AZURE_STORAGE_CONNECTION_STRING`'),
  'repository.azfs': supported('`azfs://share/path`: an Azure file share of that account'),
  'repository.cloud-model-path': supported('`--model_path` takes an address of a cloud storage, too'),
  'repository.cloud-proxies': supported(
    '`https_proxy` and `http_proxy` in lower and upper case; `AZURE_STORAGE_USE_HTTP_PROXY` chooses `http_proxy` for Azure',
  ),
  'repository.cloud-copies': supported(
    'the versions that are wanted are copied into a temporary directory, and the copy goes with the version',
  ),
  'repository.cloud-watch': supported(
    'versions that come and go in a storage are noticed at each look; what is loaded is not downloaded again',
  ),
  'repository.cloud-upload': supported(
    'a version that is still being uploaded, or changes while it is copied, is tried again and then served',
  ),
  'repository.cloud-faults': supported(
    'a storage that refuses, is not there or does not answer fails that model alone: `S3 Bucket not found`, `S3 Invalid access rights`, `S3 Failed to list objects`, `GCS Bucket not found`, `AS Container not found`, `AS Share not found` and their like',
  ),
  'repository.cloud-loggers': supported('loggers `s3`, `gcs` and `azurestorage`'),
  'repository.cloud-packages': different(
    'the storages are part of the binary',
    'they are optional npm packages of their vendors, loaded when a path asks for one; without it that model fails with a line that says what to install',
  ),
  'repository.cache-dir': supported(
    '`--cache_dir`: made when it is missing, `Model cache is enabled: <dir>` in the log, read by the next start',
  ),
  'repository.cache-default': supported('`/opt/cache` is the cache when it exists and no other is named'),
  'repository.cache-unwritable': supported('a cache directory that cannot be written only warns'),
  'repository.cache-auto': supported(
    'models with a batch size or shape `auto` are cached only with `allow_cache: true`',
  ),
  'repository.cache-forbidden': different(
    '`allow_cache: false` changes nothing for other models',
    'it keeps the model out of the cache, which is what it says',
  ),
};
