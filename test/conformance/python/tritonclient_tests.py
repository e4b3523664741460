"""What `tritonclient` must see whichever interface it uses. Each class is mixed into a test case that has a `client` and the `api`."""

import os

import numpy as np
import serving_under_test as server
from serving_under_test import KSERVE_NAMES, NUMPY_OF_PRECISION
from tritonclient.utils import shared_memory as shm
from tritonclient.utils import InferenceServerException, np_to_triton_dtype, serialize_byte_tensor

TEN = np.arange(10, dtype=np.float32).reshape(1, 10)

NO_NAME = "Model with requested name is not found"
NO_VERSION = "Model with requested version is not found"

WRONG_INPUTS = {
    "Invalid number of inputs - Expected: 1; Actual: 2": {"b": TEN, "c": TEN},
    "Missing input with specific name - Required input: b": {"c": TEN},
    "Invalid number of shape dimensions - Expected: (1,10); Actual: (10); input name: input name: b": {"b": TEN[0]},
    "Invalid input batch size - Expected: 1; Actual: 2; input name: input name: b": {"b": np.concatenate([TEN, TEN])},
    "Invalid input shape - Expected: (1,10); Actual: (1,9); input name: input name: b": {"b": TEN[:, :9]},
    "Invalid input precision - Expected: FP32; Actual: INT32; input name: input name: b": {"b": TEN.astype(np.int32)},
}


def texts_of(strings):
    """The client gives what came as JSON as `str`, and binary data as `bytes`."""
    return [element.decode() if isinstance(element, bytes) else element for element in strings.tolist()]


class TritonTests:
    # How the interface names codes of errors.
    codes: dict = {}

    def tensor(self, name, values, **options):
        tensor = self.api.InferInput(name, list(values.shape), np_to_triton_dtype(values.dtype))
        tensor.set_data_from_numpy(values, **options)
        return tensor

    def tensors(self, inputs, **options):
        return [self.tensor(name, values, **options) for name, values in inputs.items()]

    def infer(self, name, inputs, **options):
        return self.client.infer(name, self.tensors(inputs), **options)

    def assertRefused(self, code, text, call, *args, **kwargs):
        with self.assertRaises(InferenceServerException) as caught:
            call(*args, **kwargs)
        self.assertEqual((caught.exception.status(), caught.exception.message()), (self.codes[code], text))


class ServerTests(TritonTests):
    # covers: clients.triton-server, clients.script-kserve
    def test_lives_and_is_ready(self):
        self.assertTrue(self.client.is_server_live())
        self.assertTrue(self.client.is_server_ready())

    # covers: clients.triton-server
    def test_models_and_pipelines_are_ready(self):
        for name in ("dummy", "dummy_twice", server.ENSEMBLE):
            with self.subTest(name):
                self.assertTrue(self.client.is_model_ready(name))
        self.assertTrue(self.client.is_model_ready(server.VERSIONED, "1"))
        self.assertFalse(self.client.is_model_ready(server.BROKEN_PIPELINE))

    # covers: clients.triton-server
    def test_has_metadata(self):
        metadata = self.as_dict(self.client.get_server_metadata())
        self.assertEqual(metadata["name"], "OpenVINO Model Server")
        self.assertRegex(metadata["version"], r"^\d+\.\d+")

    # covers: clients.triton-metadata
    def test_metadata_of_models_and_pipelines(self):
        for name in server.INCREMENTS:
            with self.subTest(name):
                metadata = self.as_dict(self.client.get_model_metadata(name))
                self.assertEqual((metadata["name"], metadata["versions"]), (name, ["1"]))
                self.assertEqual(metadata["platform"], "OpenVINO")
                self.assertEqual(self.tensors_of(metadata["inputs"]), [("b", "FP32", [1, 10])])
                self.assertEqual(self.tensors_of(metadata["outputs"]), [("a", "FP32", [1, 10])])
        pair = self.as_dict(self.client.get_model_metadata(server.PAIR))
        self.assertEqual([name for name, _, _ in self.tensors_of(pair["outputs"])], ["left_sum", "right_sum"])

    # covers: clients.triton-metadata
    def test_metadata_of_every_precision_and_version(self):
        for precision, datatype in KSERVE_NAMES.items():
            with self.subTest(precision):
                metadata = self.as_dict(self.client.get_model_metadata(server.passthrough(precision)))
                self.assertEqual(self.tensors_of(metadata["inputs"]), [("in", datatype, [-1, -1])])
        for version in ("", "1", "2"):
            with self.subTest(version=version):
                metadata = self.as_dict(self.client.get_model_metadata(server.VERSIONED, version))
                self.assertEqual(sorted(metadata["versions"]), ["1", "2"])

    # covers: clients.triton-errors
    def test_metadata_of_nobody(self):
        self.assertRefused("NOT_FOUND", NO_NAME, self.client.get_model_metadata, "nobody")
        self.assertRefused("NOT_FOUND", NO_VERSION, self.client.get_model_metadata, "dummy", "9")

    @staticmethod
    def tensors_of(tensors):
        return [(tensor["name"], tensor["datatype"], [int(size) for size in tensor["shape"]]) for tensor in tensors]


class InferTests(TritonTests):
    # covers: clients.triton-infer, clients.script-kserve
    def test_answers_models_and_pipelines(self):
        for name, increment in server.INCREMENTS.items():
            with self.subTest(name):
                answer = self.infer(name, {"b": TEN})
                np.testing.assert_array_equal(answer.as_numpy("a"), TEN + increment)
        top = self.infer(server.ENSEMBLE, {server.ENSEMBLE_INPUT: TEN}).as_numpy(server.ENSEMBLE_OUTPUT)
        self.assertEqual((top.tolist(), top.dtype), ([9], np.int64))

    # covers: clients.triton-infer
    def test_answers_every_element_type(self):
        for precision, dtype in NUMPY_OF_PRECISION.items():
            with self.subTest(precision):
                sent = np.array([[0, 1, 100], [2, 3, 127]]).astype(dtype)
                answer = self.infer(server.passthrough(precision), {"in": sent}).as_numpy("out")
                np.testing.assert_array_equal(answer, sent)
                self.assertEqual(answer.dtype, dtype)

    # covers: clients.triton-infer
    def test_answers_several_inputs_and_outputs(self):
        answer = self.infer(server.PAIR, {"right": TEN + 5, "left": TEN})
        np.testing.assert_array_equal(answer.as_numpy("left_sum"), TEN + 1)
        np.testing.assert_array_equal(answer.as_numpy("right_sum"), TEN + 7)

    # covers: clients.triton-infer
    def test_asks_for_outputs(self):
        asked = [self.api.InferRequestedOutput(name) for name in ("right_sum", "left_sum")]
        answer = self.infer(server.PAIR, {"left": TEN, "right": TEN}, outputs=asked)
        np.testing.assert_array_equal(answer.as_numpy("left_sum"), TEN + 1)
        np.testing.assert_array_equal(answer.as_numpy("right_sum"), TEN + 2)

    # covers: clients.triton-infer
    def test_sends_ids_versions_and_parameters(self):
        for version, increment in {"": 2, "1": 1, "2": 2}.items():
            with self.subTest(version=version):
                more = {"request_id": "Nº 7", "priority": 1, "timeout": 1000, "parameters": {"a": "b", "n": 1, "t": True}}
                answer = self.infer(server.VERSIONED, {"b": TEN}, model_version=version, **more)
                np.testing.assert_array_equal(answer.as_numpy("a"), TEN + increment)
                response = self.as_dict(answer.get_response())
                self.assertEqual((response["id"], response["model_version"]), ("Nº 7", version or "2"))
                self.assertEqual(response["model_name"], server.VERSIONED)

    # covers: clients.triton-infer
    def test_takes_names_that_are_not_ascii(self):
        answer = self.infer(server.UMLAUTS, {server.UMLAUTS_INPUT: TEN})
        np.testing.assert_array_equal(answer.as_numpy(server.UMLAUTS_OUTPUT), TEN + 1)

    # covers: clients.triton-bytes
    def test_sends_and_reads_strings(self):
        texts = ["one", "Größe", "三つ", "🍇" * 20]
        for values in (np.array(texts, np.object_), np.array([text.encode() for text in texts], np.object_)):
            answer = self.infer(server.TEXTS, {server.TEXTS_INPUT: values}).as_numpy(server.TEXTS_OUTPUT)
            self.assertEqual(texts_of(answer), texts)

    # covers: clients.triton-errors
    def test_refuses_wrong_inputs(self):
        for name in server.INCREMENTS:
            for text, inputs in WRONG_INPUTS.items():
                with self.subTest(servable=name, text=text):
                    self.assertRefused("INVALID_ARGUMENT", text, self.infer, name, inputs)
        np.testing.assert_array_equal(self.infer("dummy", {"b": TEN}).as_numpy("a"), TEN + 1)

    # covers: clients.triton-errors
    def test_refuses_unknown_names_and_versions(self):
        no_graph = "Mediapipe graph definition with requested name is not found"
        self.assertRefused("NOT_FOUND", no_graph, self.infer, "nobody", {"b": TEN})
        self.assertRefused("NOT_FOUND", NO_VERSION, self.infer, "dummy", {"b": TEN}, model_version="9")
        not_loaded = "Pipeline is not loaded yet"
        self.assertRefused("UNAVAILABLE", not_loaded, self.infer, server.BROKEN_PIPELINE, {"b": TEN})


class ExtensionTests(TritonTests):
    # covers: clients.triton-extensions, kserve.server-metadata
    def test_tells_its_extensions(self):
        extensions = self.as_dict(self.client.get_server_metadata())["extensions"]
        self.assertEqual(extensions, ["binary_tensor_data", "model_configuration", "statistics", "system_shared_memory"])

    # covers: clients.triton-extensions, kserve.statistics
    def test_has_statistics(self):
        for name in server.INCREMENTS:
            before = self.statistics_of(name)
            for _ in range(3):
                self.infer(name, {"b": TEN})
            after = self.statistics_of(name)
            self.assertEqual(int(after["inference_count"]) - int(before.get("inference_count", 0)), 3)
            success = after["inference_stats"]["success"]
            self.assertEqual(int(success["count"]) - int(before["inference_stats"]["success"].get("count", 0)), 3)
            self.assertGreater(int(success["ns"]), 0)
        models = self.as_dict(self.client.get_inference_statistics())["model_stats"]
        self.assertLessEqual(set(server.INCREMENTS), {model["name"] for model in models})
        self.assertRefused("NOT_FOUND", NO_NAME, self.client.get_inference_statistics, "nobody")
        self.assertRefused("NOT_FOUND", NO_VERSION, self.client.get_inference_statistics, "dummy", "9")

    def statistics_of(self, name):
        (statistics,) = self.as_dict(self.client.get_inference_statistics(name))["model_stats"]
        self.assertEqual((statistics["name"], statistics["version"]), (name, "1"))
        return statistics

    # covers: clients.triton-extensions, kserve.model-config
    def test_has_configurations(self):
        for name in server.INCREMENTS:
            answer = self.as_dict(self.client.get_model_config(name))
            config = answer.get("config", answer)
            self.assertEqual((config["name"], config["platform"], config["backend"]), (name, "OpenVINO", "openvino"))
            (tensor,) = config["input"]
            self.assertEqual((tensor["name"], tensor["data_type"]), ("b", "TYPE_FP32"))
            self.assertEqual([int(size) for size in tensor["dims"]], [1, 10])
        self.assertRefused("NOT_FOUND", NO_NAME, self.client.get_model_config, "nobody")

    # covers: clients.triton-extensions, kserve.repository-index
    def test_has_an_index(self):
        index = self.as_dict(self.client.get_model_repository_index())
        entries = {(entry["name"], entry["version"]): entry["state"] for entry in (index["models"] if "models" in index else index)}
        self.assertEqual(entries[("dummy", "1")], "READY")
        self.assertEqual({state for (name, _), state in entries.items() if name == server.VERSIONED}, {"READY"})


class SharedMemoryTests(TritonTests):
    def share_memory(self):
        self.key = f"/vinery-conformance-{os.getpid()}"
        self.memory = shm.create_shared_memory_region("region", self.key, 4096)
        self.addCleanup(shm.destroy_shared_memory_region, self.memory)
        self.client.unregister_system_shared_memory()
        self.addCleanup(self.client.unregister_system_shared_memory)

    def shared_input(self, name, values, region, offset=0):
        tensor = self.api.InferInput(name, list(values.shape), np_to_triton_dtype(values.dtype))
        tensor.set_shared_memory(region, values.nbytes, offset)
        return tensor

    def shared_output(self, name, region, size, offset=0):
        output = self.api.InferRequestedOutput(name)
        output.set_shared_memory(region, size, offset)
        return output

    # covers: clients.triton-shared-memory, kserve.shared-memory-regions
    def test_registers_regions(self):
        self.client.register_system_shared_memory("vat", self.key, 4096)
        self.client.register_system_shared_memory("cask", self.key, 64, offset=128)
        self.assertEqual(
            self.regions_of(self.client.get_system_shared_memory_status()),
            {"vat": (self.key, 0, 4096), "cask": (self.key, 128, 64)},
        )
        taken = "shared memory region 'vat' already in manager"
        self.assertRefused("ALREADY_EXISTS", taken, self.client.register_system_shared_memory, "vat", self.key, 64)
        self.client.unregister_system_shared_memory("vat")
        self.assertEqual(list(self.regions_of(self.client.get_system_shared_memory_status("cask"))), ["cask"])
        missing = "Unable to find system shared memory region: 'vat'"
        self.assertRefused("NOT_FOUND", missing, self.client.get_system_shared_memory_status, "vat")
        self.client.unregister_system_shared_memory()
        self.assertEqual(self.regions_of(self.client.get_system_shared_memory_status()), {})

    # covers: clients.triton-shared-memory, kserve.shared-memory-tensors
    def test_infers_from_and_to_shared_memory(self):
        self.client.register_system_shared_memory("vat", self.key, 4096)
        shm.set_shared_memory_region(self.memory, [TEN])
        for name, increment in server.INCREMENTS.items():
            with self.subTest(name):
                inputs = [self.shared_input("b", TEN, "vat")]
                outputs = [self.shared_output("a", "vat", TEN.nbytes, 1024)]
                answer = self.client.infer(name, inputs, outputs=outputs)
                output = answer.get_output("a")
                self.assertIn("shared_memory_region", self.parameters_of(output))
                there = shm.get_contents_as_numpy(self.memory, np.float32, [1, 10], 1024)
                np.testing.assert_array_equal(there, TEN + increment)
                np.testing.assert_array_equal(self.client.infer(name, inputs).as_numpy("a"), TEN + increment)
                self.client.infer(name, self.tensors({"b": TEN + 5}), outputs=outputs)
                there = shm.get_contents_as_numpy(self.memory, np.float32, [1, 10], 1024)
                np.testing.assert_array_equal(there, TEN + 5 + increment)

    # covers: clients.triton-shared-memory, kserve.shared-memory-tensors
    def test_takes_and_gives_some_tensors_in_shared_memory(self):
        self.client.register_system_shared_memory("vat", self.key, 4096)
        shm.set_shared_memory_region(self.memory, [TEN])
        inputs = [self.shared_input("left", TEN, "vat"), self.tensor("right", TEN + 5)]
        outputs = [self.shared_output("left_sum", "vat", TEN.nbytes, 64), self.api.InferRequestedOutput("right_sum")]
        answer = self.client.infer(server.PAIR, inputs, outputs=outputs)
        np.testing.assert_array_equal(answer.as_numpy("right_sum"), TEN + 7)
        there = shm.get_contents_as_numpy(self.memory, np.float32, [1, 10], 64)
        np.testing.assert_array_equal(there, TEN + 1)

    # covers: clients.triton-shared-memory, kserve.shared-memory-tensors
    def test_every_element_type(self):
        self.client.register_system_shared_memory("vat", self.key, 4096)
        for precision, dtype in NUMPY_OF_PRECISION.items():
            with self.subTest(precision):
                sent = np.array([[0, 1, 100], [2, 3, 127]]).astype(dtype)
                shm.set_shared_memory_region(self.memory, [sent])
                outputs = [self.shared_output("out", "vat", sent.nbytes, 2048)]
                inputs = [self.shared_input("in", sent, "vat")]
                self.client.infer(server.passthrough(precision), inputs, outputs=outputs)
                there = shm.get_contents_as_numpy(self.memory, dtype, sent.shape, 2048)
                np.testing.assert_array_equal(there, sent)

    # covers: clients.triton-shared-memory, kserve.shared-memory-strings
    def test_strings(self):
        self.client.register_system_shared_memory("vat", self.key, 4096)
        texts = np.array(["one", "Größe"], np.object_)
        packed = serialize_byte_tensor(texts)
        shm.set_shared_memory_region(self.memory, [packed])
        tensor = self.api.InferInput(server.TEXTS_INPUT, [2], "BYTES")
        tensor.set_shared_memory("vat", len(packed.item()))
        outputs = [self.shared_output(server.TEXTS_OUTPUT, "vat", 1024, 1024)]
        self.client.infer(server.TEXTS, [tensor], outputs=outputs)
        there = shm.get_contents_as_numpy(self.memory, np.object_, [2], 1024)
        self.assertEqual(texts_of(there), ["one", "Größe"])

    # covers: clients.triton-shared-memory, errors.shared-memory-place
    def test_refuses_wrong_places(self):
        self.client.register_system_shared_memory("vat", self.key, 64)
        for code, place in (("NOT_FOUND", ("cask", 0)), ("INVALID_ARGUMENT", ("vat", 64)), ("INVALID_ARGUMENT", ("vat", 32))):
            with self.subTest(place), self.assertRaises(InferenceServerException) as caught:
                self.client.infer("dummy", [self.shared_input("b", TEN, *place)])
            self.assertEqual(caught.exception.status(), self.codes[code])
            self.assertIn("shared memory region", caught.exception.message())
        np.testing.assert_array_equal(self.infer("dummy", {"b": TEN}).as_numpy("a"), TEN + 1)
