"""grpcio with the published stubs and messages of TensorFlow Serving."""

import unittest

import grpc
import numpy as np
import published_protos as protos
import serving_under_test as server
from demo_client import classify
from published_protos import get_model_metadata_pb2, get_model_status_pb2, predict_pb2
from serving_under_test import NUMPY_OF_PRECISION
from tensor_protos import NUMPY_TYPES, content_proto, make_ndarray, make_tensor_proto, typed_proto

TEN = np.arange(10, dtype=np.float32).reshape(1, 10)
# A guard against hanging, for machines with much else to do.
TIMEOUT = 60.0
LONG_MESSAGE = 6 * 1024 * 1024
UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


def predict_request(name, inputs, version=None, **fields):
    """`inputs`: arrays, which become messages as TensorFlow makes them, or messages."""
    request = predict_pb2.PredictRequest(**fields)
    request.model_spec.name = name
    if version is not None:
        request.model_spec.version.value = version
    for key, value in inputs.items():
        request.inputs[key].CopyFrom(make_tensor_proto(value) if isinstance(value, np.ndarray) else value)
    return request


def metadata_request(name, fields=("signature_def",), version=None):
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=fields)
    request.model_spec.name = name
    if version is not None:
        request.model_spec.version.value = version
    return request


def status_request(name, version=None):
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = name
    if version is not None:
        request.model_spec.version.value = version
    return request


class StubTest(unittest.TestCase):
    def setUp(self):
        self.channel = grpc.insecure_channel(server.GRPC_ADDRESS, options=UNLIMITED)
        self.addCleanup(self.channel.close)
        self.predictions = protos.prediction_service_pb2_grpc.PredictionServiceStub(self.channel)
        self.models = protos.model_service_pb2_grpc.ModelServiceStub(self.channel)

    def predict(self, name, inputs, version=None, **fields):
        return self.predictions.Predict(predict_request(name, inputs, version, **fields), TIMEOUT)

    def assertRefused(self, code, text, call, request, **options):
        with self.assertRaises(grpc.RpcError) as caught:
            call(request, **{"timeout": TIMEOUT, **options})
        self.assertEqual((caught.exception.code(), caught.exception.details()), (code, text))


class Predict(StubTest):
    # covers: clients.tensorflow-serving
    def test_answers_models_and_pipelines(self):
        for name, increment in server.INCREMENTS.items():
            with self.subTest(name):
                answer = self.predict(name, {"b": TEN})
                self.assertEqual(list(answer.outputs), ["a"])
                np.testing.assert_array_equal(make_ndarray(answer.outputs["a"]), TEN + increment)

    # covers: clients.script-predict
    def test_answers_the_demos_script(self):
        batches = [np.roll(TEN, shift) for shift in range(10)]
        found = classify(self.predictions, server.ENSEMBLE, server.ENSEMBLE_INPUT, server.ENSEMBLE_OUTPUT, batches)
        self.assertEqual(found, [int(batch.argmax()) - 1 for batch in batches])

    def test_leaves_model_spec_unset(self):
        for name in server.INCREMENTS:
            with self.subTest(name):
                self.assertFalse(self.predict(name, {"b": TEN}).HasField("model_spec"))

    def test_answers_in_tensor_content_with_type_and_shape(self):
        for precision, dtype in NUMPY_OF_PRECISION.items():
            for shape in ((1, 1), (2, 3)):
                with self.subTest(precision, shape=shape):
                    sent = np.ones(shape, dtype)
                    output = self.predict(server.passthrough(precision), {"in": sent}).outputs["out"]
                    filled = {field.name for field, _ in output.ListFields()}
                    self.assertEqual(filled, {"dtype", "tensor_shape", "tensor_content"})
                    self.assertIs(NUMPY_TYPES[output.dtype], dtype)
                    np.testing.assert_array_equal(make_ndarray(output), sent)

    # covers: clients.tensorflow-serving
    def test_takes_tensors_as_tensorflow_makes_them(self):
        for precision, dtype in NUMPY_OF_PRECISION.items():
            with self.subTest(precision):
                sent = np.array([[0, 1, 100], [2, 3, 127]]).astype(dtype)
                answer = self.predict(server.passthrough(precision), {"in": make_tensor_proto(sent)})
                np.testing.assert_array_equal(make_ndarray(answer.outputs["out"]), sent)

    # covers: clients.tensorflow-serving-typed
    def test_takes_typed_fields_of_every_type(self):
        for precision, dtype in NUMPY_OF_PRECISION.items():
            for shape in ((1, 1), (2, 3)):
                with self.subTest(precision, shape=shape):
                    computed = server.computed_type(precision)
                    limits = np.iinfo(computed) if np.issubdtype(computed, np.integer) else None
                    values = (0, 1) if limits is None else (max(limits.min, np.iinfo(dtype).min), limits.max)
                    sent = np.resize(np.array(values, dtype), shape)
                    answer = self.predict(server.passthrough(precision), {"in": typed_proto(sent)})
                    np.testing.assert_array_equal(make_ndarray(answer.outputs["out"]), sent)

    def test_ignores_signature_name_label_and_output_filter(self):
        request = predict_request("dummy", {"b": TEN}, output_filter=["something"])
        request.model_spec.signature_name = "another"
        answer = self.predictions.Predict(request, TIMEOUT)
        np.testing.assert_array_equal(make_ndarray(answer.outputs["a"]), TEN + 1)
        request.model_spec.version_label = "stable"
        answer = self.predictions.Predict(request, TIMEOUT)
        np.testing.assert_array_equal(make_ndarray(answer.outputs["a"]), TEN + 1)

    def test_answers_by_version(self):
        for version, increment in {None: 2, 0: 2, 1: 1, 2: 2}.items():
            with self.subTest(version=version):
                answer = self.predict(server.VERSIONED, {"b": TEN}, version)
                np.testing.assert_array_equal(make_ndarray(answer.outputs["a"]), TEN + increment)

    def test_takes_names_that_are_not_ascii(self):
        answer = self.predict(server.UMLAUTS, {server.UMLAUTS_INPUT: TEN})
        np.testing.assert_array_equal(make_ndarray(answer.outputs[server.UMLAUTS_OUTPUT]), TEN + 1)
        request = predict_request(server.UMLAUTS, {"b": TEN})
        text = f"Missing input with specific name - Required input: {server.UMLAUTS_INPUT}"
        self.assertRefused(grpc.StatusCode.INVALID_ARGUMENT, text, self.predictions.Predict, request)

    # covers: clients.tensorflow-serving-transport
    def test_takes_metadata(self):
        request = predict_request("dummy", {"b": TEN})
        metadata = (("x-request-id", "1"), ("trace-bin", b"\x00\xff"), ("authorization", "Bearer nothing"))
        self.predictions.Predict(request, TIMEOUT, metadata=metadata)

    # covers: clients.tensorflow-serving-transport
    def test_takes_compressed_requests(self):
        for compression in (grpc.Compression.Gzip, grpc.Compression.Deflate):
            with self.subTest(compression.name):
                request = predict_request(server.passthrough("FP32"), {"in": np.zeros((100, 1000), np.float32)})
                answer = self.predictions.Predict(request, TIMEOUT, compression=compression)
                np.testing.assert_array_equal(make_ndarray(answer.outputs["out"]), np.zeros((100, 1000)))

    # covers: clients.tensorflow-serving-transport
    def test_takes_and_gives_long_messages(self):
        sent = np.arange(LONG_MESSAGE // 4, dtype=np.float32).reshape(1, -1)
        answer = self.predict(server.passthrough("FP32"), {"in": sent})
        np.testing.assert_array_equal(make_ndarray(answer.outputs["out"]), sent)

    # covers: clients.tensorflow-serving-transport
    def test_answers_many_calls_at_once_on_one_channel(self):
        for name, increment in server.INCREMENTS.items():
            with self.subTest(name):
                sent = [TEN + 100 * call for call in range(200)]
                calls = [self.predictions.Predict.future(predict_request(name, {"b": b}), TIMEOUT) for b in sent]
                for b, call in zip(sent, calls):
                    np.testing.assert_array_equal(make_ndarray(call.result().outputs["a"]), b + increment)


class PredictErrors(StubTest):
    def assertPredictRefused(self, code, text, name, inputs, version=None):
        self.assertRefused(code, text, self.predictions.Predict, predict_request(name, inputs, version))

    def test_selection(self):
        not_found, unavailable = grpc.StatusCode.NOT_FOUND, grpc.StatusCode.UNAVAILABLE
        refused = self.assertPredictRefused
        refused(not_found, "Pipeline with requested name is not found", "nobody", {"b": TEN})
        refused(not_found, "Pipeline with requested name is not found", "", {"b": TEN})
        refused(not_found, "Model with requested version is not found", "dummy", {"b": TEN}, 9)
        refused(unavailable, "Model with requested version is not loaded yet", server.BROKEN, {"b": TEN}, 1)
        refused(not_found, "Model with requested version is not found", server.BROKEN, {"b": TEN})
        refused(unavailable, "Pipeline is not loaded yet", server.BROKEN_PIPELINE, {"b": TEN})
        unnamed = predict_pb2.PredictRequest()
        self.assertRefused(
            not_found, "Pipeline with requested name is not found", self.predictions.Predict, unnamed
        )

    def test_inputs(self):
        one = np.ones((1, 1), np.float32)
        complex_tensor = content_proto(TEN)
        complex_tensor.dtype = protos.types_pb2.DT_COMPLEX64
        wrong = {
            "Invalid number of inputs - Expected: 1; Actual: 0": {},
            "Invalid number of inputs - Expected: 1; Actual: 2": {"b": TEN, "c": TEN},
            "Missing input with specific name - Required input: b": {"c": TEN},
            "Invalid input shape - Negative or zero dimension size is not acceptable: (1,-3); input name: b": {
                "b": content_proto(TEN, (1, -3))
            },
            "Invalid input precision - Expected: FP32; Actual: I32; input name: b": {"b": TEN.astype(np.int32)},
            "Invalid input precision - Expected: FP32; Actual: FP64; input name: b": {"b": TEN.astype(np.float64)},
            "Invalid input precision - Expected: FP32; Actual: BOOL; input name: b": {"b": TEN.astype(np.bool_)},
            "Invalid input precision - Expected: FP32; Actual: INVALID; input name: b": {"b": complex_tensor},
            "Invalid number of shape dimensions - Expected: (1,10); Actual: (1,10,1); input name: b": {
                "b": TEN.reshape(1, 10, 1)
            },
            "Invalid input batch size - Expected: 1; Actual: 2; input name: b": {"b": np.concatenate([TEN, TEN])},
            "Invalid input batch size - Expected: 1; Actual: 0; input name: b": {"b": TEN[:0]},
            "Invalid input shape - Expected: (1,10); Actual: (1,11); input name: b": {"b": TEN.repeat(11)[None, :11]},
            "Invalid content size of tensor proto - Expected: 40 bytes; Actual: 36 bytes; input name: b": {
                "b": content_proto(TEN[:, :9], (1, 10))
            },
            "Invalid content size of tensor proto - Expected: 40 bytes; Actual: 44 bytes; input name: b": {
                "b": content_proto(TEN.repeat(11)[:11], (1, 10))
            },
            "Invalid content size of tensor proto - Expected: 40 bytes; Actual: 0 bytes; input name: b": {
                "b": content_proto(TEN[:, :0], (1, 10))
            },
            "Invalid number of values in tensor proto container - Expected: 10; Actual: 1; input name: b": {
                "b": typed_proto(one, (1, 10))
            },
        }
        for name in server.INCREMENTS:
            for text, inputs in wrong.items():
                with self.subTest(servable=name, text=text):
                    self.assertPredictRefused(grpc.StatusCode.INVALID_ARGUMENT, text, name, inputs)

    def test_values_of_half_floats_and_short_integers_are_counted(self):
        for precision, dtype in {"FP16": np.float16, "U16": np.uint16}.items():
            for sent, count in {"typed": 5, "content": 0}.items():
                with self.subTest(precision, sent=sent):
                    values = np.ones(5, dtype)
                    tensor = typed_proto(values, (2, 5)) if sent == "typed" else content_proto(values[:0], (2, 5))
                    text = "Invalid number of values in tensor proto container"
                    text += f" - Expected: 10; Actual: {count}; input name: in"
                    code = grpc.StatusCode.INVALID_ARGUMENT
                    self.assertPredictRefused(code, text, server.passthrough(precision), {"in": tensor})

    def test_shapes_that_overflow(self):
        for shape in ((2**31, 2**33), (2**63 - 1, 2**63 - 1), (2**62, 4)):
            with self.subTest(shape=shape):
                text = "Invalid content size of tensor proto - Shape dimensions are too large; input name: in"
                code = grpc.StatusCode.INVALID_ARGUMENT
                self.assertPredictRefused(code, text, server.passthrough("FP32"), {"in": content_proto(TEN, shape)})

    def test_long_messages_reach_validation(self):
        long = np.zeros((1, LONG_MESSAGE // 4), np.float32)
        text = f"Invalid input shape - Expected: (1,10); Actual: (1,{LONG_MESSAGE // 4}); input name: b"
        for name in server.INCREMENTS:
            with self.subTest(name):
                self.assertPredictRefused(grpc.StatusCode.INVALID_ARGUMENT, text, name, {"b": long})

    def test_strings_are_unknown_errors(self):
        request = predict_request("dummy", {})
        request.inputs["b"].dtype = protos.types_pb2.DT_STRING
        request.inputs["b"].tensor_shape.dim.add(size=1)
        request.inputs["b"].string_val.append(b"picture")
        with self.assertRaises(grpc.RpcError) as caught:
            self.predictions.Predict(request, TIMEOUT)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.UNKNOWN)
        self.assertRegex(caught.exception.details(), "^Unknown error")

    def test_deadline(self):
        request = predict_request(server.HEAVY, {server.HEAVY_INPUT: np.zeros(server.HEAVY_SHAPE, np.float32)})
        with self.assertRaises(grpc.RpcError) as caught:
            self.predictions.Predict(request, 0.05)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.DEADLINE_EXCEEDED)
        self.predictions.Predict(request, TIMEOUT)

    def test_cancelled_call(self):
        request = predict_request(server.HEAVY, {server.HEAVY_INPUT: np.zeros(server.HEAVY_SHAPE, np.float32)})
        call = self.predictions.Predict.future(request, TIMEOUT)
        call.cancel()
        with self.assertRaises(grpc.FutureCancelledError):
            call.result()
        self.predictions.Predict(request, TIMEOUT)

    def test_garbage(self):
        call = self.channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
        for garbage in (b"\xff" * 100, b"\x12\x7f\x00", b"\x0a\xff\xff\xff\xff\x0f"):
            with self.subTest(garbage=garbage[:8]):
                with self.assertRaises(grpc.RpcError) as caught:
                    call(garbage, TIMEOUT)
                self.assertEqual(caught.exception.code(), grpc.StatusCode.INVALID_ARGUMENT)
        self.predict("dummy", {"b": TEN})

    def test_unknown_method(self):
        call = self.channel.unary_unary("/tensorflow.serving.PredictionService/Nothing")
        with self.assertRaises(grpc.RpcError) as caught:
            call(b"", TIMEOUT)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.UNIMPLEMENTED)


class Metadata(StubTest):
    def signature(self, name, version=None):
        """As the demo's `grpc_get_model_metadata.py` reads it."""
        response = self.predictions.GetModelMetadata(metadata_request(name, version=version), TIMEOUT)
        signature_map = get_model_metadata_pb2.SignatureDefMap()
        signature_map.ParseFromString(response.metadata["signature_def"].value)
        return signature_map.ListFields()[0][1]["serving_default"]

    def tensors(self, infos):
        return {
            key: (info.name, info.dtype, [dim.size for dim in info.tensor_shape.dim]) for key, info in infos.items()
        }

    # covers: clients.script-metadata
    def test_of_models_and_pipelines(self):
        float_row = [1, 10]
        for name in server.INCREMENTS:
            with self.subTest(name):
                signature = self.signature(name)
                self.assertEqual(self.tensors(signature.inputs), {"b": ("b", protos.types_pb2.DT_FLOAT, float_row)})
                self.assertEqual(self.tensors(signature.outputs), {"a": ("a", protos.types_pb2.DT_FLOAT, float_row)})
                self.assertEqual(signature.method_name, "")
        ensemble = self.signature(server.ENSEMBLE)
        picture, label = server.ENSEMBLE_INPUT, server.ENSEMBLE_OUTPUT
        self.assertEqual(self.tensors(ensemble.inputs), {picture: (picture, protos.types_pb2.DT_FLOAT, float_row)})
        self.assertEqual(self.tensors(ensemble.outputs), {label: (label, protos.types_pb2.DT_INT64, [1])})

    def test_unpacks_as_a_signature_map(self):
        response = self.predictions.GetModelMetadata(metadata_request("dummy"), TIMEOUT)
        self.assertEqual(list(response.metadata), ["signature_def"])
        packed = response.metadata["signature_def"]
        self.assertEqual(packed.type_url, "type.googleapis.com/tensorflow.serving.SignatureDefMap")
        signature_map = get_model_metadata_pb2.SignatureDefMap()
        self.assertTrue(packed.Unpack(signature_map))
        self.assertEqual(list(signature_map.signature_def), ["serving_default"])

    def test_says_which_version_answered(self):
        for name, asked, answered in (
            (server.VERSIONED, None, 2),
            (server.VERSIONED, 0, 2),
            (server.VERSIONED, 1, 1),
            ("dummy_twice", 7, 1),
        ):
            with self.subTest(name, asked=asked):
                response = self.predictions.GetModelMetadata(metadata_request(name, version=asked), TIMEOUT)
                self.assertEqual(response.model_spec.name, name)
                self.assertEqual(response.model_spec.version.value, answered)

    def test_errors(self):
        get, codes = self.predictions.GetModelMetadata, grpc.StatusCode
        not_found = "Model with requested name is not found"
        self.assertRefused(codes.NOT_FOUND, not_found, get, metadata_request("nobody"))
        no_version = "Model with requested version is not found"
        self.assertRefused(codes.NOT_FOUND, no_version, get, metadata_request("dummy", version=9))
        not_loaded = "Model with requested version is not loaded yet"
        self.assertRefused(codes.UNAVAILABLE, not_loaded, get, metadata_request(server.BROKEN, version=1))
        self.assertRefused(codes.UNAVAILABLE, "Pipeline is not loaded yet", get, metadata_request(server.BROKEN_PIPELINE))
        no_spec = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
        self.assertRefused(codes.INVALID_ARGUMENT, "model_spec missing in request", get, no_spec)
        for fields in ([], ["something"], ["signature_def", "signature_def"], ["signature_def", "something"]):
            with self.subTest(fields=fields):
                request = metadata_request("dummy", fields)
                self.assertRefused(codes.INVALID_ARGUMENT, "Invalid signature name", get, request)


class Status(StubTest):
    def statuses(self, name, version=None):
        response = self.models.GetModelStatus(status_request(name, version), TIMEOUT)
        name_of = get_model_status_pb2.ModelVersionStatus.State.Name
        return [
            (status.version, name_of(status.state), status.status.error_code, status.status.error_message)
            for status in response.model_version_status
        ]

    # covers: clients.script-status
    def test_of_models_and_pipelines(self):
        first, second = (1, "AVAILABLE", 0, "OK"), (2, "AVAILABLE", 0, "OK")
        self.assertEqual(self.statuses("dummy"), [first])
        self.assertEqual(self.statuses("dummy_twice"), [first])
        self.assertEqual(self.statuses("dummy_twice", 7), [first])
        self.assertEqual(self.statuses(server.VERSIONED), [first, second])
        self.assertEqual(self.statuses(server.VERSIONED, 0), [first, second])
        self.assertEqual(self.statuses(server.VERSIONED, 1), [first])
        self.assertEqual(self.statuses(server.VERSIONED, 2), [second])

    def test_of_what_failed_to_load(self):
        self.assertEqual(self.statuses(server.BROKEN), [(1, "LOADING", 2, "UNKNOWN")])
        self.assertEqual(self.statuses(server.BROKEN_PIPELINE), [(1, "LOADING", 9, "FAILED_PRECONDITION")])

    def test_errors(self):
        get, not_found = self.models.GetModelStatus, grpc.StatusCode.NOT_FOUND
        self.assertRefused(not_found, "Model with requested name is not found", get, status_request("nobody"))
        self.assertRefused(not_found, "Model with requested version is not found", get, status_request("dummy", 9))
        empty = get_model_status_pb2.GetModelStatusRequest()
        self.assertRefused(not_found, "Model with requested name is not found", get, empty)


class OtherMethods(StubTest):
    def test_reload_config_does_nothing_and_says_ok(self):
        request = protos.model_management_pb2.ReloadConfigRequest()
        response = self.models.HandleReloadConfigRequest(request, TIMEOUT)
        self.assertEqual(response, protos.model_management_pb2.ReloadConfigResponse())

    def test_the_rest_is_unimplemented(self):
        calls = (
            (self.predictions.Classify, protos.classification_pb2.ClassificationRequest()),
            (self.predictions.Regress, protos.regression_pb2.RegressionRequest()),
            (self.predictions.MultiInference, protos.inference_pb2.MultiInferenceRequest()),
        )
        for call, request in calls:
            with self.subTest(type(request).__name__):
                self.assertRefused(grpc.StatusCode.UNIMPLEMENTED, "", call, request)
