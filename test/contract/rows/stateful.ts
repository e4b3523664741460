import { different, supported } from '../row.js';

export const stateful = {
  'stateful.sequence_id': supported(
    'A request says with the input `sequence_id` (UINT64, shape [1], `uint64_val`) which sequence it belongs to',
  ),
  'stateful.sequence_control_input': supported(
    'The input `sequence_control_input` (UINT32, shape [1], `uint32_val`) begins a sequence with 1 and ends it with 2; 0 is as if it were absent',
  ),
  'stateful.state': supported('The state of a sequence goes from each of its requests to the next, and is its own'),
  'stateful.made_id': supported('A sequence that begins without an id, or with 0, gets a unique one from the server'),
  'stateful.response': supported(
    'Every response carries the output `sequence_id` (UINT64, shape [1], in `uint64_val`)',
  ),
  'stateful.count': supported('The two inputs count on both sides when the number of inputs is wrong'),
  'stateful.metadata': supported('The two inputs and the output are not part of the metadata'),
  'stateful.rest': supported('Over REST both inputs are arrays of one number, and the id comes back as one'),
  'stateful.serial': supported('Requests of one sequence run one after the other, whichever connections they come on'),
  'stateful.tensor_content': different(
    'Of both inputs only the typed fields are read',
    'raw `tensor_content` is read as well: many clients send nothing else',
  ),
  'stateful.kserve': different(
    'Sequences are a matter of the TensorFlow Serving API only',
    'KServe v2 by gRPC and REST takes the same two inputs, UINT64 and UINT32, and gives the same output',
  ),
  'stateful.failed': different(
    'A first request that fails leaves a sequence that cannot be used, a last one that fails leaves one that cannot be ended',
    'what fails or is cancelled has not happened: the sequence is as before, so the request can be sent again',
  ),
  'stateful.no_auto': supported(
    '`batch_size` or `shape` `auto` on a stateful model is refused: `Dynamic shape and dynamic batch size are not supported for stateful models`',
  ),
  'stateful.no_pipeline': supported(
    'A stateful model in a pipeline is refused: `Stateful model cannot be subscribed to pipeline`',
  ),
  'stateful.type_change': supported(
    '`stateful` cannot be switched on a model: `Model type cannot be changed after it is loaded`',
  ),
  'stateful.reload': supported('Sequences end when their version is reloaded or unloaded'),
  'stateful.flag': supported('`stateful` in `config.json` or `--stateful` makes a stateful model'),
  'stateful.max_sequence_number': supported('`max_sequence_number` bounds the sequences of a version at once (500)'),
  'stateful.idle_sequence_cleanup': supported(
    '`idle_sequence_cleanup` (true): a sequence without a successful request from one scan of the cleaner to the next is removed',
  ),
  'stateful.cleaner_interval': supported(
    '`--sequence_cleaner_poll_wait_minutes` (5) is the time between two scans; 0 turns the cleaner off',
  ),
  'stateful.low_latency': supported(
    '`low_latency_transformation` takes loops apart, so that a model without state of its own keeps that of its loops',
  ),
  'stateful.sub_flags': supported(
    '`idle_sequence_cleanup`, `low_latency_transformation` and `max_sequence_number` are refused without `stateful`',
  ),
  'stateful.error.missing': supported(
    'An id that no sequence has: NOT_FOUND, 404, `Sequence with provided ID does not exist`',
  ),
  'stateful.error.exists': supported(
    'A sequence that begins with an id in use: ALREADY_EXISTS, 409, `Sequence with provided ID already exists`',
  ),
  'stateful.error.not_provided': supported(
    'No id, or 0, on any but the first request: INVALID_ARGUMENT, 400, `Sequence ID has not been provided in request inputs`',
  ),
  'stateful.error.control': supported(
    'A control other than 0, 1 and 2: INVALID_ARGUMENT, 400, `Unexpected value of sequence control input`',
  ),
  'stateful.error.field': supported(
    'Another type, or more than one value: INVALID_ARGUMENT, `Could not find sequence id in expected tensor proto field uint64_val`, `Could not find sequence control input in expected tensor proto field uint32_val`',
  ),
  'stateful.error.shape': supported(
    'No shape: INVALID_ARGUMENT, `Special input proto does not contain tensor shape information`; another one: `Required shape for sequence_id is: (1)`',
  ),
  'stateful.error.terminated': supported(
    "A sequence that begins with the id of one whose last request still runs: FAILED_PRECONDITION, 412, `Sequence last request is being processed and it's not available anymore`",
  ),
  'stateful.error.limit': supported(
    'More than `max_sequence_number` sequences: UNAVAILABLE, 503, `Max sequence number has been reached. Could not create new sequence.`',
  ),
};
