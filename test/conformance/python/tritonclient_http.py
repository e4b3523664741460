"""`tritonclient.http`, as its users call it: numbers as binary data and as JSON."""

import unittest

import numpy as np
import serving_under_test as server
import tritonclient.http as triton
from serving_under_test import NUMPY_OF_PRECISION
from tritonclient.utils import InferenceServerException
from tritonclient_tests import TEN, ExtensionTests, InferTests, ServerTests, SharedMemoryTests, texts_of


class ClientTest(unittest.TestCase):
    api = triton
    codes = {"NOT_FOUND": "404", "INVALID_ARGUMENT": "400", "UNAVAILABLE": "404", "ALREADY_EXISTS": "409"}

    def setUp(self):
        self.client = triton.InferenceServerClient(server.REST_ADDRESS, concurrency=8)
        self.addCleanup(self.client.close)

    @staticmethod
    def as_dict(document):
        return document


class Server(ClientTest, ServerTests):
    # covers: clients.triton-server
    def test_nobody_is_not_ready(self):
        self.assertFalse(self.client.is_model_ready("nobody"))

    # covers: clients.triton-not-offered
    def test_what_only_triton_has_is_no_url(self):
        calls = (
            lambda: self.client.load_model("dummy"),
            lambda: self.client.unload_model("dummy"),
            self.client.get_trace_settings,
        )
        for number, call in enumerate(calls):
            with self.subTest(number):
                self.assertRefused("INVALID_ARGUMENT", "Invalid request URL", call)


class Extensions(ClientTest, ExtensionTests):
    pass


class SharedMemory(ClientTest, SharedMemoryTests):
    def setUp(self):
        super().setUp()
        self.share_memory()

    @staticmethod
    def regions_of(status):
        return {region["name"]: (region["key"], region["offset"], region["byte_size"]) for region in status}

    @staticmethod
    def parameters_of(output):
        return output["parameters"]


class Infer(ClientTest, InferTests):
    # covers: clients.triton-infer
    def test_sends_json_and_reads_binary_data_and_the_reverse(self):
        for precision, dtype in NUMPY_OF_PRECISION.items():
            sent = np.array([[0, 1, 100], [2, 3, 127]]).astype(dtype)
            for binary_in in (True, False):
                for binary_out in (True, False):
                    with self.subTest(precision, binary_in=binary_in, binary_out=binary_out):
                        inputs = self.tensors({"in": sent}, binary_data=binary_in)
                        outputs = [triton.InferRequestedOutput("out", binary_data=binary_out)]
                        answer = self.client.infer(server.passthrough(precision), inputs, outputs=outputs)
                        self.assertEqual("data" in answer.get_output("out"), not binary_out)
                        np.testing.assert_array_equal(answer.as_numpy("out"), sent)
                        self.assertEqual(answer.as_numpy("out").dtype, dtype)

    # covers: clients.triton-infer
    def test_asks_for_one_output_as_json_and_for_another_as_binary_data(self):
        outputs = [triton.InferRequestedOutput("left_sum", True), triton.InferRequestedOutput("right_sum", False)]
        answer = self.infer(server.PAIR, {"left": TEN, "right": TEN}, outputs=outputs)
        self.assertNotIn("data", answer.get_output("left_sum"))
        self.assertIn("data", answer.get_output("right_sum"))
        np.testing.assert_array_equal(answer.as_numpy("left_sum"), TEN + 1)
        np.testing.assert_array_equal(answer.as_numpy("right_sum"), TEN + 2)

    # covers: clients.triton-infer, kserve.binary-outputs
    def test_gets_all_outputs_as_binary_data_when_it_lists_none(self):
        answer = self.infer(server.PAIR, {"left": TEN, "right": TEN})
        for name, expected in (("left_sum", TEN + 1), ("right_sum", TEN + 2)):
            self.assertNotIn("data", answer.get_output(name))
            np.testing.assert_array_equal(answer.as_numpy(name), expected)

    # covers: kserve.rest-parameters, kserve.not-finite-sent
    def test_sends_parameters_and_floats_of_any_kind(self):
        sent = np.array([[np.nan, np.inf, -np.inf]], np.float32)
        inputs = self.tensors({"in": sent}, binary_data=False)
        numbers = {"half": 0.5, "large": 2**53, "huge": 1e300}
        outputs = [triton.InferRequestedOutput("out", binary_data=True)]
        answer = self.client.infer(server.passthrough("FP32"), inputs, outputs=outputs, parameters=numbers)
        np.testing.assert_array_equal(answer.as_numpy("out"), sent)

    # covers: clients.triton-bytes
    def test_sends_and_reads_strings_as_json(self):
        texts = ["one", "Größe", 'quote " and \\', "tab\t"]
        for binary in (True, False):
            with self.subTest(binary=binary):
                inputs = self.tensors({server.TEXTS_INPUT: np.array(texts, np.object_)}, binary_data=False)
                outputs = [triton.InferRequestedOutput(server.TEXTS_OUTPUT, binary_data=binary)]
                answer = self.client.infer(server.TEXTS, inputs, outputs=outputs).as_numpy(server.TEXTS_OUTPUT)
                self.assertEqual(texts_of(answer), texts)

    # covers: clients.triton-transport
    def test_compresses(self):
        zeros = np.zeros((100, 1000), np.float32)
        for algorithm in ("gzip", "deflate"):
            for more in ({}, {"response_compression_algorithm": algorithm}):
                with self.subTest(algorithm, more=more):
                    more = {"request_compression_algorithm": algorithm, **more}
                    answer = self.infer(server.passthrough("FP32"), {"in": zeros}, **more)
                    np.testing.assert_array_equal(answer.as_numpy("out"), zeros)

    # covers: clients.triton-async
    def test_infers_asynchronously_on_several_connections(self):
        for name, increment in server.INCREMENTS.items():
            with self.subTest(name):
                calls = [self.client.async_infer(name, self.tensors({"b": TEN + number})) for number in range(50)]
                for number, call in enumerate(calls):
                    np.testing.assert_array_equal(call.get_result().as_numpy("a"), TEN + number + increment)

    # covers: clients.triton-timeouts
    def test_times_out(self):
        inputs = self.tensors({server.HEAVY_INPUT: np.zeros(server.HEAVY_SHAPE, np.float32)})
        with triton.InferenceServerClient(server.REST_ADDRESS, network_timeout=0.05) as client:
            with self.assertRaises(TimeoutError):
                client.infer(server.HEAVY, inputs)
        np.testing.assert_array_equal(self.infer("dummy", {"b": TEN}).as_numpy("a"), TEN + 1)

    # covers: clients.triton-transport
    def test_makes_and_reads_bodies_for_others_to_send(self):
        import urllib.request

        outputs = [triton.InferRequestedOutput("a", binary_data=True)]
        body, head = triton.InferenceServerClient.generate_request_body(self.tensors({"b": TEN}), outputs=outputs)
        url = f"http://{server.REST_ADDRESS}/v2/models/dummy/infer"
        headers = {"Inference-Header-Content-Length": str(head), "Content-Type": "application/octet-stream"}
        with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=60) as response:
            head = int(response.headers["Inference-Header-Content-Length"])
            answer = triton.InferenceServerClient.parse_response_body(response.read(), header_length=head)
        np.testing.assert_array_equal(answer.as_numpy("a"), TEN + 1)

    # covers: clients.triton-errors
    def test_errors_of_bodies_have_a_status_and_a_text(self):
        tensor = triton.InferInput("b", [1, 10], "FP32")
        tensor.set_data_from_numpy(TEN)
        tensor._raw_data = tensor._raw_data[:-4]
        with self.assertRaises(InferenceServerException) as caught:
            self.client.infer("dummy", [tensor])
        self.assertEqual(caught.exception.status(), "400")
        self.assertIn("binary_data_size", caught.exception.message())
