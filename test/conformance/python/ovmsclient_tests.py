"""What `ovmsclient` must see whichever interface it uses. Each class is mixed into a test case that has a `client`."""

import numpy as np
import serving_under_test as server
from ovmsclient import InvalidInputError, ModelNotFoundError

TEN = np.arange(10, dtype=np.float32).reshape(1, 10)
ERROR = "Error occurred during handling the request: "
AVAILABLE = {"state": "AVAILABLE", "error_code": 0, "error_message": "OK"}

NO_NAME = "Model with requested name is not found"
NO_VERSION = "Model with requested version is not found"
NOT_LOADED = "Model with requested version is not loaded yet"
PIPELINE_NOT_LOADED = "Pipeline is not loaded yet"

WRONG_INPUTS = {
    "Invalid number of inputs - Expected: 1; Actual: 2": {"b": TEN, "c": TEN},
    "Missing input with specific name - Required input: b": {"c": TEN},
    "Invalid number of shape dimensions - Expected: (1,10); Actual: (10); input name: b": {"b": TEN[0]},
    "Invalid input batch size - Expected: 1; Actual: 2; input name: b": {"b": np.concatenate([TEN, TEN])},
    "Invalid input shape - Expected: (1,10); Actual: (1,9); input name: b": {"b": TEN[:, :9]},
}


class Refusals:
    # What the client raises for a servable that is not loaded; over HTTP that is the same as for one that never was.
    unavailable = ConnectionError

    def assertRefused(self, error_class, text, call, *args, **kwargs):
        with self.assertRaises(error_class) as caught:
            call(*args, **kwargs)
        self.assertIs(type(caught.exception), error_class)
        self.assertEqual(str(caught.exception), ERROR + text)


class PredictTests(Refusals):
    no_such_name = NO_NAME

    def test_answers_models_and_pipelines(self):
        for name, increment in server.INCREMENTS.items():
            with self.subTest(name):
                np.testing.assert_array_equal(self.client.predict({"b": TEN}, name), TEN + increment)

    def test_takes_lists(self):
        for name, increment in server.INCREMENTS.items():
            with self.subTest(name):
                sent = (TEN + 0.5).tolist()
                np.testing.assert_array_equal(self.client.predict({"b": sent}, name), TEN + 0.5 + increment)

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

    def test_takes_names_that_are_not_ascii(self):
        np.testing.assert_array_equal(self.client.predict({server.UMLAUTS_INPUT: TEN}, server.UMLAUTS), TEN + 1)
        metadata = self.client.get_model_metadata(server.UMLAUTS)
        self.assertEqual((*metadata["inputs"], *metadata["outputs"]), (server.UMLAUTS_INPUT, server.UMLAUTS_OUTPUT))
        text = f"Missing input with specific name - Required input: {server.UMLAUTS_INPUT}"
        self.assertRefused(InvalidInputError, text, self.client.predict, {"b": TEN}, server.UMLAUTS)

    def test_refuses_unknown_names_and_versions(self):
        predict, inputs = self.client.predict, {"b": TEN}
        self.assertRefused(ModelNotFoundError, self.no_such_name, predict, inputs, "nobody")
        self.assertRefused(ModelNotFoundError, NO_VERSION, predict, inputs, "dummy", model_version=9)

    def test_refuses_what_could_not_be_loaded(self):
        predict, inputs = self.client.predict, {"b": TEN}
        self.assertRefused(self.unavailable, NOT_LOADED, predict, inputs, server.BROKEN, model_version=1)
        self.assertRefused(self.unavailable, PIPELINE_NOT_LOADED, predict, inputs, server.BROKEN_PIPELINE)

    def test_refuses_wrong_inputs(self):
        for name in server.INCREMENTS:
            for text, inputs in WRONG_INPUTS.items():
                with self.subTest(servable=name, text=text):
                    self.assertRefused(InvalidInputError, text, self.client.predict, inputs, name)


class MetadataTests(Refusals):
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
        for precision, dtype in server.DATA_TYPE_NAMES.items():
            with self.subTest(precision):
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
        self.assertRefused(ModelNotFoundError, NO_NAME, get, "nobody")
        self.assertRefused(ModelNotFoundError, NO_VERSION, get, "dummy", 9)
        self.assertRefused(self.unavailable, NOT_LOADED, get, server.BROKEN, 1)
        self.assertRefused(self.unavailable, PIPELINE_NOT_LOADED, get, server.BROKEN_PIPELINE)


class StatusTests(Refusals):
    def test_of_available_servables(self):
        for name in [*server.INCREMENTS, server.ENSEMBLE]:
            with self.subTest(name):
                self.assertEqual(self.client.get_model_status(name), {1: AVAILABLE})

    def test_of_versions(self):
        status = self.client.get_model_status
        self.assertEqual(status(server.VERSIONED), {1: AVAILABLE, 2: AVAILABLE})
        self.assertEqual(status(server.VERSIONED, model_version=1), {1: AVAILABLE})
        self.assertEqual(status("dummy_twice", model_version=7), {1: AVAILABLE})

    def test_of_what_could_not_be_loaded(self):
        status = self.client.get_model_status
        failed = {"state": "LOADING", "error_code": 2, "error_message": "UNKNOWN"}
        self.assertEqual(status(server.BROKEN), {1: failed})
        invalid = {"state": "LOADING", "error_code": 9, "error_message": "FAILED_PRECONDITION"}
        self.assertEqual(status(server.BROKEN_PIPELINE), {1: invalid})

    def test_errors(self):
        status = self.client.get_model_status
        self.assertRefused(ModelNotFoundError, NO_NAME, status, "nobody")
        self.assertRefused(ModelNotFoundError, NO_VERSION, status, "dummy", 9)
