"""`ovmsclient` over HTTP, as its users call it. It sends the column format."""

import unittest

import numpy as np
from ovmsclient import InvalidInputError, ModelNotFoundError, make_http_client

import serving_under_test as server

TEN = np.arange(10, dtype=np.float32).reshape(1, 10)
ERROR = "Error occurred during handling the request: "


class ClientTest(unittest.TestCase):
    def setUp(self):
        self.client = make_http_client(server.REST_ADDRESS)
        self.addCleanup(self.client.session.close)

    def assertRefused(self, error_class, text, call, *args, **kwargs):
        with self.assertRaises(error_class) as caught:
            call(*args, **kwargs)
        self.assertIs(type(caught.exception), error_class)
        self.assertEqual(str(caught.exception), ERROR + text)


class Predict(ClientTest):
    def test_answers_models_and_pipelines(self):
        for name, increment in server.INCREMENTS.items():
            with self.subTest(name):
                np.testing.assert_array_equal(self.client.predict({"b": TEN}, name), TEN + increment)

    def test_answers_the_ensemble(self):
        answer = self.client.predict({server.ENSEMBLE_INPUT: TEN}, server.ENSEMBLE)
        np.testing.assert_array_equal(answer, [9])

    def test_answers_by_version(self):
        for version, increment in {0: 2, 1: 1, 2: 2}.items():
            with self.subTest(version=version):
                answer = self.client.predict({"b": TEN}, server.VERSIONED, model_version=version)
                np.testing.assert_array_equal(answer, TEN + increment)

    def test_ignores_the_version_of_pipelines(self):
        np.testing.assert_array_equal(self.client.predict({"b": TEN}, "dummy_twice", model_version=7), TEN + 2)

    def test_returns_every_number_type(self):
        for precision in server.PASSTHROUGH_PRECISIONS:
            if precision == "BOOL":
                continue
            with self.subTest(precision):
                sent = np.array([[0, 1, 100], [2, 3, 127]], np.float64 if precision.startswith("FP") else np.int64)
                answer = self.client.predict({"in": sent}, server.passthrough(precision))
                np.testing.assert_array_equal(answer, sent)

    def test_returns_large_integers_unchanged(self):
        limits = np.iinfo(np.int64)
        sent = np.array([[limits.min, limits.max, 2**53 + 1]], np.int64)
        answer = self.client.predict({"in": sent}, server.passthrough("I64"))
        np.testing.assert_array_equal(answer, sent)
        self.assertEqual(answer.dtype, np.int64)

    def test_returns_floats_to_the_last_bit(self):
        for precision, dtype in {"FP32": np.float32, "FP64": np.float64}.items():
            with self.subTest(precision):
                sent = np.array([[0.1, 1 / 3, np.finfo(dtype).max, np.finfo(dtype).tiny, -0.0]], dtype)
                answer = self.client.predict({"in": sent}, server.passthrough(precision)).astype(dtype)
                self.assertEqual(answer.tobytes(), sent.tobytes())


class PredictErrors(ClientTest):
    def test_unknown_name(self):
        text = "Model with requested name is not found"
        self.assertRefused(ModelNotFoundError, text, self.client.predict, {"b": TEN}, "nobody")

    def test_unknown_version(self):
        text = "Model with requested version is not found"
        self.assertRefused(ModelNotFoundError, text, self.client.predict, {"b": TEN}, "dummy", model_version=9)

    def test_wrong_inputs(self):
        wrong = {
            "Invalid number of inputs - Expected: 1; Actual: 2": {"b": TEN, "c": TEN},
            "Missing input with specific name - Required input: b": {"c": TEN},
            "Invalid number of shape dimensions - Expected: (1,10); Actual: (10); input name: b": {"b": TEN[0]},
            "Invalid input batch size - Expected: 1; Actual: 2; input name: b": {"b": np.concatenate([TEN, TEN])},
            "Invalid input shape - Expected: (1,10); Actual: (1,9); input name: b": {"b": TEN[:, :9]},
        }
        for name in server.INCREMENTS:
            for text, inputs in wrong.items():
                with self.subTest(servable=name, text=text):
                    self.assertRefused(InvalidInputError, text, self.client.predict, inputs, name)

    def test_no_inputs(self):
        with self.assertRaisesRegex(InvalidInputError, f"^{ERROR}Invalid JSON structure, missing inputs"):
            self.client.predict({}, "dummy")

    def test_text_for_numbers(self):
        text = "Could not parse input content. Not valid ndarray detected"
        with self.assertRaisesRegex(InvalidInputError, f"^{ERROR}{text}"):
            self.client.predict({"b": [["x"] * 10]}, "dummy")

    def test_broken_model(self):
        text = "Model with requested version is not loaded yet"
        self.assertRefused(ModelNotFoundError, text, self.client.predict, {"b": TEN}, server.BROKEN, model_version=1)

    def test_broken_pipeline(self):
        text = "Pipeline is not loaded yet"
        self.assertRefused(ModelNotFoundError, text, self.client.predict, {"b": TEN}, server.BROKEN_PIPELINE)

    def test_timeout(self):
        inputs = {server.HEAVY_INPUT: np.zeros(server.HEAVY_SHAPE, np.float32)}
        with self.assertRaises((TimeoutError, ConnectionError)):
            self.client.predict(inputs, server.HEAVY, timeout=0.01)
        np.testing.assert_array_equal(self.client.predict({"b": TEN}, "dummy"), TEN + 1)


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
        self.assertRefused(ModelNotFoundError, text, get, server.BROKEN, 1)


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
