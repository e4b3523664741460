"""`ovmsclient` over gRPC, as its users call it."""

import unittest

import numpy as np
from ovmsclient import InvalidInputError, ModelNotFoundError, make_grpc_client, make_tensor_proto
from ovmsclient.tfs_compat.protos.tensorflow.core.framework.types_pb2 import DataType

import serving_under_test as server

TEN = np.arange(10, dtype=np.float32).reshape(1, 10)
ERROR = "Error occurred during handling the request: "

NUMPY_OF_PRECISION = {
    "FP64": np.float64,
    "FP32": np.float32,
    "FP16": np.float16,
    "I64": np.int64,
    "I32": np.int32,
    "I16": np.int16,
    "I8": np.int8,
    "U64": np.uint64,
    "U32": np.uint32,
    "U16": np.uint16,
    "U8": np.uint8,
    "BOOL": np.bool_,
}


class ClientTest(unittest.TestCase):
    def setUp(self):
        self.client = make_grpc_client(server.GRPC_ADDRESS)
        self.addCleanup(self.client.channel.close)

    def assertRefused(self, error_class, text, call, *args, **kwargs):
        with self.assertRaises(error_class) as caught:
            call(*args, **kwargs)
        self.assertIs(type(caught.exception), error_class)
        self.assertEqual(str(caught.exception), ERROR + text)


class Predict(ClientTest):
    def test_answers_models_and_pipelines(self):
        for name, increment in server.INCREMENTS.items():
            with self.subTest(name):
                answer = self.client.predict({"b": TEN}, name)
                np.testing.assert_array_equal(answer, TEN + increment)
                self.assertEqual(answer.dtype, np.float32)

    def test_takes_lists(self):
        for name, increment in server.INCREMENTS.items():
            with self.subTest(name):
                np.testing.assert_array_equal(self.client.predict({"b": TEN.tolist()}, name), TEN + increment)

    def test_takes_tensor_protos(self):
        tensor = make_tensor_proto(list(range(10)), dtype=DataType.DT_FLOAT, shape=[1, 10])
        np.testing.assert_array_equal(self.client.predict({"b": tensor}, "dummy"), TEN + 1)

    def test_answers_the_ensemble(self):
        answer = self.client.predict({server.ENSEMBLE_INPUT: TEN}, server.ENSEMBLE)
        np.testing.assert_array_equal(answer, [9])
        self.assertEqual(answer.dtype, np.int64)

    def test_answers_by_version(self):
        for version, increment in {0: 2, 1: 1, 2: 2}.items():
            with self.subTest(version=version):
                answer = self.client.predict({"b": TEN}, server.VERSIONED, model_version=version)
                np.testing.assert_array_equal(answer, TEN + increment)

    def test_ignores_the_version_of_pipelines(self):
        np.testing.assert_array_equal(self.client.predict({"b": TEN}, "dummy_twice", model_version=7), TEN + 2)

    def test_returns_every_element_type(self):
        # Half floats are left to `make_tensor_proto` of TensorFlow: this client puts them where OVMS does not look.
        for precision, dtype in NUMPY_OF_PRECISION.items():
            with self.subTest(precision):
                sent = np.array([[0, 1, 100], [2, 3, 127]]).astype(dtype)
                answer = self.client.predict({"in": sent}, server.passthrough(precision))
                np.testing.assert_array_equal(answer, sent)
                self.assertEqual(answer.dtype, dtype)

    def test_returns_the_limits_of_integers(self):
        for precision, dtype in NUMPY_OF_PRECISION.items():
            if not np.issubdtype(dtype, np.integer):
                continue
            with self.subTest(precision):
                limits = np.iinfo(dtype)
                sent = np.array([[limits.min, limits.max]], dtype)
                np.testing.assert_array_equal(self.client.predict({"in": sent}, server.passthrough(precision)), sent)

    def test_returns_special_floats(self):
        for precision in ("FP64", "FP32", "FP16"):
            with self.subTest(precision):
                dtype = NUMPY_OF_PRECISION[precision]
                sent = np.array([[np.nan, np.inf, -np.inf, -0.0, np.finfo(dtype).max, np.finfo(dtype).tiny]], dtype)
                answer = self.client.predict({"in": sent}, server.passthrough(precision))
                self.assertEqual(answer.tobytes(), sent.tobytes())

    def test_takes_single_elements_in_typed_fields(self):
        for precision, dtype in NUMPY_OF_PRECISION.items():
            if precision == "FP16":
                continue  # the client fails to fill half_val by itself
            with self.subTest(precision):
                tensor = make_tensor_proto(dtype(1), shape=[1, 1])
                self.assertEqual(tensor.tensor_content, b"")
                answer = self.client.predict({"in": tensor}, server.passthrough(precision))
                np.testing.assert_array_equal(answer, np.ones((1, 1), dtype))

    def test_takes_empty_arrays(self):
        empty = np.zeros((0, 3), np.float32)
        answer = self.client.predict({"in": empty}, server.passthrough("FP32"))
        self.assertEqual(answer.shape, (0, 3))


class PredictErrors(ClientTest):
    def test_unknown_name(self):
        text = "Pipeline with requested name is not found"
        self.assertRefused(ModelNotFoundError, text, self.client.predict, {"b": TEN}, "nobody")

    def test_unknown_version(self):
        text = "Model with requested version is not found"
        self.assertRefused(ModelNotFoundError, text, self.client.predict, {"b": TEN}, "dummy", model_version=9)

    def test_wrong_inputs(self):
        wrong = {
            "Invalid number of inputs - Expected: 1; Actual: 0": {},
            "Invalid number of inputs - Expected: 1; Actual: 2": {"b": TEN, "c": TEN},
            "Missing input with specific name - Required input: b": {"c": TEN},
            "Invalid input precision - Expected: FP32; Actual: FP64; input name: b": {"b": TEN.astype(np.float64)},
            "Invalid input precision - Expected: FP32; Actual: I32; input name: b": {"b": [list(range(10))]},
            "Invalid number of shape dimensions - Expected: (1,10); Actual: (10); input name: b": {"b": TEN[0]},
            "Invalid input batch size - Expected: 1; Actual: 2; input name: b": {"b": np.concatenate([TEN, TEN])},
            "Invalid input shape - Expected: (1,10); Actual: (1,9); input name: b": {"b": TEN[:, :9]},
        }
        for name in server.INCREMENTS:
            for text, inputs in wrong.items():
                with self.subTest(servable=name, text=text):
                    self.assertRefused(InvalidInputError, text, self.client.predict, inputs, name)

    def test_unknown_error_of_a_string_keeps_its_text(self):
        with self.assertRaisesRegex(ConnectionError, f"^{ERROR}Unknown error"):
            self.client.predict({"b": b"picture"}, "dummy")

    def test_broken_model(self):
        text = "Model with requested version is not loaded yet"
        self.assertRefused(ConnectionError, text, self.client.predict, {"b": TEN}, server.BROKEN, model_version=1)

    def test_broken_pipeline(self):
        text = "Pipeline is not loaded yet"
        self.assertRefused(ConnectionError, text, self.client.predict, {"b": TEN}, server.BROKEN_PIPELINE)

    def test_timeout(self):
        big = np.zeros(server.HEAVY_SHAPE, np.float32)
        text = "Request handling exceeded timeout"
        inputs = {server.HEAVY_INPUT: big}
        self.assertRefused(TimeoutError, text, self.client.predict, inputs, server.HEAVY, timeout=0.01)
        np.testing.assert_array_equal(self.client.predict(inputs, server.HEAVY), big)


class Metadata(ClientTest):
    def test_of_models(self):
        expected = {
            "model_version": 1,
            "inputs": {"b": {"shape": [1, 10], "dtype": "DT_FLOAT"}},
            "outputs": {"a": {"shape": [1, 10], "dtype": "DT_FLOAT"}},
        }
        self.assertEqual(self.client.get_model_metadata("dummy"), expected)

    def test_of_pipelines(self):
        expected = {
            "model_version": 1,
            "inputs": {server.ENSEMBLE_INPUT: {"shape": [1, 10], "dtype": "DT_FLOAT"}},
            "outputs": {server.ENSEMBLE_OUTPUT: {"shape": [1], "dtype": "DT_INT64"}},
        }
        self.assertEqual(self.client.get_model_metadata(server.ENSEMBLE), expected)

    def test_of_every_element_type(self):
        names = {"FP64": "DT_DOUBLE", "FP32": "DT_FLOAT", "FP16": "DT_HALF"}
        for precision in server.PASSTHROUGH_PRECISIONS:
            with self.subTest(precision):
                integer = f"DT_{precision.replace('I', 'INT').replace('U', 'UINT')}"
                dtype = "DT_BOOL" if precision == "BOOL" else names.get(precision, integer)
                metadata = self.client.get_model_metadata(server.passthrough(precision))
                self.assertEqual(metadata["inputs"], {"in": {"shape": [-1, -1], "dtype": dtype}})
                self.assertEqual(metadata["outputs"], {"out": {"shape": [-1, -1], "dtype": dtype}})

    def test_of_versions(self):
        for asked, answered in {0: 2, 1: 1, 2: 2}.items():
            with self.subTest(version=asked):
                metadata = self.client.get_model_metadata(server.VERSIONED, model_version=asked)
                self.assertEqual(metadata["model_version"], answered)

    def test_errors(self):
        get = self.client.get_model_metadata
        self.assertRefused(ModelNotFoundError, "Model with requested name is not found", get, "nobody")
        self.assertRefused(ModelNotFoundError, "Model with requested version is not found", get, "dummy", 9)
        text = "Model with requested version is not loaded yet"
        self.assertRefused(ConnectionError, text, get, server.BROKEN, 1)
        self.assertRefused(ConnectionError, "Pipeline is not loaded yet", get, server.BROKEN_PIPELINE)


AVAILABLE = {"state": "AVAILABLE", "error_code": 0, "error_message": "OK"}


class Status(ClientTest):
    def test_of_available_servables(self):
        for name in [*server.INCREMENTS, server.ENSEMBLE]:
            with self.subTest(name):
                self.assertEqual(self.client.get_model_status(name), {1: AVAILABLE})

    def test_of_versions(self):
        status = self.client.get_model_status
        self.assertEqual(status(server.VERSIONED), {1: AVAILABLE, 2: AVAILABLE})
        self.assertEqual(status(server.VERSIONED, model_version=1), {1: AVAILABLE})
        self.assertEqual(status("dummy_twice", model_version=7), {1: AVAILABLE})

    def test_of_what_failed_to_load(self):
        status = self.client.get_model_status
        loading = {"state": "LOADING", "error_code": 2, "error_message": "UNKNOWN"}
        self.assertEqual(status(server.BROKEN), {1: loading})
        unmet = {"state": "LOADING", "error_code": 9, "error_message": "FAILED_PRECONDITION"}
        self.assertEqual(status(server.BROKEN_PIPELINE), {1: unmet})

    def test_errors(self):
        status = self.client.get_model_status
        self.assertRefused(ModelNotFoundError, "Model with requested name is not found", status, "nobody")
        self.assertRefused(ModelNotFoundError, "Model with requested version is not found", status, "dummy", 9)
