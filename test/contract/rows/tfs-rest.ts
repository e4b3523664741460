import { different, supported } from '../row.js';

/** What all REST APIs share, and that of TensorFlow Serving. */
export const tfsRest = {
  'tfs-rest.http': supported('HTTP/1.1 and HTTP/1.0 without TLS, and no time limit on idle connections'),
  'tfs-rest.body-limit': supported(
    'a body of more than 1 GiB: 413 from its Content-Length alone, without a body, and the connection ends',
  ),
  'tfs-rest.chunked': supported('bodies in chunks'),
  'tfs-rest.expect': supported('`Expect: 100-continue`'),
  'tfs-rest.upgrade': supported('an offer of `Upgrade: h2c` is ignored and answered in HTTP/1.1'),
  'tfs-rest.compression': different('a body in gzip or deflate is 412', 'inflated and read'),
  'tfs-rest.content-type': different(
    '`Content-Type: application/json; charset=utf-8`',
    '`application/json`, which the SDK of KServe needs to show the texts of errors',
  ),
  'tfs-rest.headers': supported('no `Server` and no `Date` header'),
  'tfs-rest.cors': supported('CORS headers on every answer, and `OPTIONS` on any path is 200 with them'),
  'tfs-rest.error-body': supported('an error is `{"error":"<text>"}`, without white space'),
  'tfs-rest.percent-encoding': supported('names in a URL are percent-decoded'),
  'tfs-rest.path-escape': supported('a path that climbs with `..` is 400'),
  'tfs-rest.wrong-method': supported(
    'another method than the one of a path, and any but GET, POST and OPTIONS: 406 `Unsupported method`',
  ),
  'tfs-rest.unknown-path': supported('an unknown path is 400 `Invalid request URL`'),
  'tfs-rest.query': supported('a query string is ignored'),

  'tfs-rest.predict': supported('`POST /v1/models/{name}[/versions/{n}|/labels/{l}]:predict`; the label is ignored'),
  'tfs-rest.classify': supported('`:classify` and `:regress` are 404 `Requested REST resource not found`'),
  'tfs-rest.status': supported(
    '`GET /v1/models/{name}[/versions/{n}|/labels/{l}]`: the status with an indentation of one space and a line end; the label is ignored',
  ),
  'tfs-rest.metadata': supported(
    "`GET /v1/models/{name}[/versions/{n}]/metadata`: the signature as protobuf's JSON, default values printed, an indentation of one space",
  ),
  'tfs-rest.no-name': supported('`GET /v1/models` asks for the empty name: 404'),
  'tfs-rest.metrics-off': supported('`GET /metrics` while metrics are off is 400 `Invalid request URL`'),
  'tfs-rest.openai-models': supported(
    '`GET /v3/models`, `/v3/v1/models` and `/{name}` behind them: the models and pipelines that answer, as OpenAI lists them',
  ),

  'tfs-rest.one-format': supported(
    'a body has either `instances` or `inputs`; other members, `signature_name` too, are ignored',
  ),
  'tfs-rest.row-named': supported('row: a list of objects; the batch is the length of the list for all inputs'),
  'tfs-rest.row-bare': supported('row: a list of bare values for servables with one input'),
  'tfs-rest.column-named': supported('column: an object of tensors'),
  'tfs-rest.column-bare': supported('column: a bare tensor for servables with one input'),
  'tfs-rest.pipeline-bare': supported('bare values are taken by pipelines with one input, too'),
  'tfs-rest.scalar': supported('a scalar is a number without brackets, in and out'),
  'tfs-rest.casts': supported(
    "numbers are written in the model's precision without a range check: 300 into I8 is 44, 1.5 into I64 is 1",
  ),
  'tfs-rest.int64': supported('64-bit integers are exact both ways'),
  'tfs-rest.half': different(
    'numbers for an FP16 input are stored as bit patterns, and FP16 outputs are 400',
    'written as half floats, and answered',
  ),
  'tfs-rest.uint16': different('U16 outputs are 400', 'answered'),
  'tfs-rest.bool': different('BOOL inputs and outputs are 400', 'true and false, or numbers, both ways'),
  'tfs-rest.wide-unsigned': different('U32 and U64 outputs are 500', 'answered'),
  'tfs-rest.unknown-inputs': supported(
    'inputs that the servable does not have are read and counted: a wrong number of inputs',
  ),
  'tfs-rest.row-answer': supported('row, one output: each item on one line, to the last blank'),
  'tfs-rest.row-answer-named': supported('row, several outputs: an object an item'),
  'tfs-rest.column-answer': supported('column, one output: every element on its own line'),
  'tfs-rest.column-answer-named': supported('column, several outputs: an object of tensors'),
  'tfs-rest.output-order': supported(
    'the order of several outputs is not fixed in OVMS; here they are sorted by name, as KServe has them',
  ),
  'tfs-rest.float-text': supported('floats are the shortest text of their precision, always with a decimal part'),
  'tfs-rest.not-finite': supported(
    '`NaN`, `Infinity` and `-Infinity` are bare words in an answer, which Python reads and strict JSON parsers do not',
  ),
  'tfs-rest.not-finite-sent': different(
    '`NaN` and `Infinity` in a request are 412',
    '`NaN`, `Infinity`, `Inf` and their negatives are taken for inputs of floating point, as TensorFlow Serving does; a text like `"NaN"` is refused',
  ),
  'tfs-rest.row-batch': supported('row with outputs of different batch sizes is 500 `Response parsing to JSON error`'),
  'tfs-rest.duplicate-keys': different(
    'of two inputs with one name the elements are put together, and do not fit the shape',
    'the later one counts, as in most JSON parsers',
  ),
  'tfs-rest.no-shards': different(
    'a request whose dynamic demultiplexer gets no shard is not answered at all in the measured build',
    '204 without a body, as its documents say',
  ),
};
