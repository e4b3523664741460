import { different, supported } from '../row.js';

/** Strings and encoded pictures as inputs and outputs, and what is refused of them. */
export const stringsAndPictures = {
  'strings.native': supported(
    'an input of precision STRING takes strings (DT_STRING, BYTES) as its elements, in the shape that the model has',
  ),
  'strings.native-output': supported('an output of precision STRING comes back as strings, over every protocol'),
  'strings.native-shape': supported(
    'precision, rank, batch and shape of strings for a STRING input are checked like those of numbers',
  ),
  'strings.native-count': supported(
    'a number of strings that the shape does not say: `Invalid number of values in tensor proto container - Expected: 3; Actual: 2; input name: b` (KServe: `3 values`), INVALID_ARGUMENT and 400',
  ),
  'strings.native-empty': supported('strings for a STRING input may be empty, and hold any bytes'),
  'strings.native-limit': supported(
    'a tensor may have 33554432 strings; more are refused before they take memory: `String max size exceeded`, INVALID_ARGUMENT and 400',
  ),
  'strings.metadata': supported(
    'metadata shows DT_STRING over TensorFlow Serving and BYTES over KServe, with the shape',
  ),
  'strings.rows': supported(
    'an input U8 of rank 2 that no demultiplexer at the entry splits takes strings of shape `[N]` as rows `[N, longest + 1]`, filled up with NULs',
  ),
  'strings.rows-limit': supported('the rows of one input may take 1 GiB: `String max size exceeded`'),
  'strings.rows-shape': supported(
    'rows that do not fit the model: `Invalid input shape - Expected batch size: 2; got: 2; Expected max null terminated string length: 4; got: 5; input name: b`, INVALID_ARGUMENT and 400',
  ),
  'strings.row-output': supported(
    'an output U8 of rank 2 whose name ends in `_string` comes back as strings, each row cut at its first NUL',
  ),
  'strings.custom-node': supported(
    'custom nodes get strings as U8 rows and give them back by outputs called `_string`',
  ),
  'strings.nothing-fits': supported('strings for any other input: `Functionality not implemented`, UNKNOWN and 500'),
  'strings.tfs-grpc': supported('TensorFlow Serving over gRPC carries strings in `string_val`, both ways'),
  'strings.tfs-rest': supported(
    'TensorFlow Serving over REST takes JSON strings for inputs U8 and STRING, and `{"b64": ...}` for any, in row and column format',
  ),
  'strings.tfs-rest-answer': supported('strings in an answer of TensorFlow Serving over REST are JSON strings'),
  'strings.tfs-rest-bytes': different(
    'outputs whose name ends in `_bytes` come back as `{"b64": ...}`',
    'as TensorFlow Serving does it, because JSON cannot say any other bytes than UTF-8',
  ),
  'strings.kserve-typed': supported('KServe over gRPC takes BYTES in `bytes_contents`'),
  'strings.kserve-raw': supported(
    'KServe over gRPC takes BYTES in `raw_input_contents`, each with its length in front, and answers so',
  ),
  'strings.kserve-json': supported('KServe over REST takes BYTES in `data` and answers so'),
  'strings.kserve-binary': supported('KServe over REST takes BYTES behind the JSON, and answers so where it is asked'),
  'strings.kserve-overrun': supported(
    'a length of raw BYTES that leads beyond the content: `Invalid content size of tensor proto - Batch length metadata exceeded buffer size, ...`, INVALID_ARGUMENT and 400',
  ),
  'strings.overflow': supported(
    'a shape of strings whose product overflows: `Invalid content size of tensor proto - Shape dimensions are too large; ...`, INVALID_ARGUMENT and 400',
  ),
  'strings.pipeline': supported(
    'the request of a pipeline may feed a STRING input of a model, and its response take a STRING output',
  ),
  'strings.pipeline-between': supported(
    'a STRING tensor between two nodes makes the pipeline invalid: `Functionality not implemented`',
  ),
  'strings.pipeline-split': supported(
    'a STRING input behind a demultiplexer makes the pipeline invalid: `Demultiplication is not supported for string precision`',
  ),
  'pictures.decoded': supported(
    'an input of rank 4 takes encoded pictures of shape `[N]`; they become its elements, blue, green and red, converted to its precision',
  ),
  'pictures.precisions': supported('pictures become FP32, FP64, FP16, I32, I16, U16, I8 and U8'),
  'pictures.demultiplexed': supported(
    'behind a demultiplexer at the entry each picture is a shard of an input of rank 5',
  ),
  'pictures.formats': supported(
    'JPEG, PNG, WebP, GIF, BMP, PNM (PBM, PGM and PPM, in text and in binary), PAM and PFM',
  ),
  'pictures.opencv': supported(
    'pictures are what OpenCV 4.13 makes of them with `IMREAD_UNCHANGED`: CMYK and YCCK, frames of GIF and APNG, transparent grey, masks and old headers of BMP, floats of PFM',
  ),
  'pictures.tiff': different(
    'TIFF: `Image parsing failed`, because OpenCV is built without it',
    'unsigned samples of at most 16 bits in grey, RGB or a palette are read; floats, signed samples, other colours, premultiplied alpha and planes of anything but RGB are refused',
  ),
  'pictures.unchanged': supported(
    'grey pictures have one channel, pictures with alpha have four, 16 bits stay 16 bits, and the orientation of a camera is not applied',
  ),
  'pictures.channels': supported(
    'another number of channels than the input has: `Invalid number of channels in binary input`, INVALID_ARGUMENT and 400',
  ),
  'pictures.resized': supported(
    'pictures are resized bilinearly where no size is open and the layout is `NHWC`, `N?HWC` or `...`',
  ),
  'pictures.ranges': supported('a size out of a range becomes the nearer end of the range'),
  'pictures.open': supported('sizes that the model leaves open are those of the first picture'),
  'pictures.sizes-differ': supported(
    'pictures of different sizes that cannot be resized: `Binary input images for this endpoint are required to have the same resolution`, INVALID_ARGUMENT and 400',
  ),
  'pictures.layout': supported(
    'a layout that is not compatible with `N...HWC`: `Received binary image input but resource not configured to accept NHWC layout`, INVALID_ARGUMENT and 400',
  ),
  'pictures.undecodable': supported(
    'what is no picture: `Image parsing failed`, 500 over REST and UNKNOWN with `Unknown error` over gRPC',
  ),
  'pictures.precision': supported('an input of another precision, for example I64: `Invalid input precision`'),
  'pictures.empty': supported('an empty element: `String val is empty`, INVALID_ARGUMENT and 400'),
  'pictures.empty-kserve': supported(
    'an empty element over KServe: `Bytes contents is empty`, INVALID_ARGUMENT and 500',
  ),
  'pictures.rank': supported(
    'a shape of strings that is not `[N]`: `Invalid number of shape dimensions - Expected number of binary input shape dimensions: 1; Actual: 2; input name: b`, INVALID_ARGUMENT and 400; KServe leaves out `binary`',
  ),
  'pictures.count': supported(
    'a number of strings or pictures that is not the one the shape says or not the batch of the model: `Invalid input batch size`, INVALID_ARGUMENT and 400',
  ),
};
