"""`tritonclient.grpc`, as its users call it."""

import queue
import unittest

import grpc
import numpy as np
import serving_under_test as server
import tritonclient.grpc as triton
from google.protobuf.json_format import MessageToDict
from tritonclient.utils import InferenceServerException
from tritonclient_tests import TEN, ExtensionTests, InferTests, ServerTests, SharedMemoryTests

LONG = 6 * 1024 * 1024


class ClientTest(unittest.TestCase):
    api = triton
    codes = {code: f"StatusCode.{code}" for code in ("NOT_FOUND", "INVALID_ARGUMENT", "UNAVAILABLE", "UNIMPLEMENTED", "ALREADY_EXISTS")}

    def setUp(self):
        self.client = triton.InferenceServerClient(server.GRPC_ADDRESS)
        self.addCleanup(self.client.close)

    @staticmethod
    def as_dict(message):
        return MessageToDict(message, preserving_proto_field_name=True)


class Server(ClientTest, ServerTests):
    # covers: clients.triton-errors
    def test_asks_whether_nobody_is_ready(self):
        text = "Model with requested name is not found"
        self.assertRefused("NOT_FOUND", text, self.client.is_model_ready, "nobody")
        wrong = "invalid model version format in request"
        self.assertRefused("INVALID_ARGUMENT", wrong, self.client.is_model_ready, "dummy", "two")

    # covers: clients.triton-not-offered
    def test_what_only_triton_has_is_unimplemented(self):
        calls = (
            lambda: self.client.load_model("dummy"),
            lambda: self.client.unload_model("dummy"),
            self.client.get_trace_settings,
            self.client.get_log_settings,
        )
        for number, call in enumerate(calls):
            with self.subTest(number), self.assertRaises(InferenceServerException) as caught:
                call()
            self.assertEqual(caught.exception.status(), self.codes["UNIMPLEMENTED"])


class Extensions(ClientTest, ExtensionTests):
    pass


class SharedMemory(ClientTest, SharedMemoryTests):
    def setUp(self):
        super().setUp()
        self.share_memory()

    @staticmethod
    def regions_of(status):
        return {name: (region.key, region.offset, region.byte_size) for name, region in status.regions.items()}

    @staticmethod
    def parameters_of(output):
        return {name: value.WhichOneof("parameter_choice") for name, value in output.parameters.items()}


class Infer(ClientTest, InferTests):
    # covers: clients.triton-infer
    def test_takes_a_dictionary_of_headers(self):
        answer = self.infer("dummy", {"b": TEN}, headers={"x-request-id": "1"})
        np.testing.assert_array_equal(answer.as_numpy("a"), TEN + 1)

    # covers: clients.triton-transport
    def test_compresses(self):
        zeros = np.zeros((100, 1000), np.float32)
        for algorithm in ("gzip", "deflate"):
            with self.subTest(algorithm):
                answer = self.infer(server.passthrough("FP32"), {"in": zeros}, compression_algorithm=algorithm)
                np.testing.assert_array_equal(answer.as_numpy("out"), zeros)

    # covers: clients.triton-transport
    def test_sends_and_reads_long_messages(self):
        sent = np.arange(LONG // 4, dtype=np.float32).reshape(1, -1)
        np.testing.assert_array_equal(self.infer(server.passthrough("FP32"), {"in": sent}).as_numpy("out"), sent)

    # covers: clients.triton-async
    def test_infers_asynchronously(self):
        for name, increment in server.INCREMENTS.items():
            with self.subTest(name):
                answers: queue.Queue = queue.Queue()
                for number in range(100):

                    def answered(result, error, number=number):
                        answers.put((number, result, error))

                    self.client.async_infer(name, self.tensors({"b": TEN + number}), answered)
                for _ in range(100):
                    number, result, error = answers.get(timeout=60)
                    self.assertIsNone(error)
                    np.testing.assert_array_equal(result.as_numpy("a"), TEN + number + increment)

    # covers: clients.triton-async
    def test_cancels_an_asynchronous_call(self):
        errors: queue.Queue = queue.Queue()
        inputs = self.tensors({server.HEAVY_INPUT: np.zeros(server.HEAVY_SHAPE, np.float32)})
        context = self.client.async_infer(server.HEAVY, inputs, lambda result, error: errors.put(error))
        context.cancel()
        self.assertEqual(errors.get(timeout=60).status(), "StatusCode.CANCELLED")
        np.testing.assert_array_equal(self.infer("dummy", {"b": TEN}).as_numpy("a"), TEN + 1)

    # covers: clients.triton-timeouts
    def test_times_out(self):
        inputs = {server.HEAVY_INPUT: np.zeros(server.HEAVY_SHAPE, np.float32)}
        with self.assertRaises(InferenceServerException) as caught:
            self.infer(server.HEAVY, inputs, client_timeout=0.05)
        self.assertEqual(caught.exception.status(), "StatusCode.DEADLINE_EXCEEDED")
        np.testing.assert_array_equal(self.infer("dummy", {"b": TEN}).as_numpy("a"), TEN + 1)

    # covers: clients.triton-transport
    def test_keeps_the_connection_alive_during_a_long_call(self):
        options = triton.KeepAliveOptions(
            keepalive_time_ms=20,
            keepalive_timeout_ms=10_000,
            keepalive_permit_without_calls=True,
            http2_max_pings_without_data=0,
        )
        with triton.InferenceServerClient(server.GRPC_ADDRESS, keepalive_options=options) as client:
            inputs = self.tensors({server.HEAVY_INPUT: np.zeros(server.HEAVY_SHAPE, np.float32)})
            answer = client.infer(server.HEAVY, inputs)
        self.assertEqual(answer.as_numpy("a").shape, server.HEAVY_SHAPE)

    # covers: clients.kserve-streams
    def test_streams_are_for_graphs_only(self):
        answers: queue.Queue = queue.Queue()
        self.client.start_stream(lambda result, error: answers.put((result, error)))
        self.client.async_stream_infer("dummy", self.tensors({"b": TEN}))
        result, error = answers.get(timeout=60)
        self.client.stop_stream()
        self.assertIsNone(result)
        text = "Mediapipe graph definition with requested name is not found"
        self.assertEqual((error.status(), error.message()), (self.codes["NOT_FOUND"], text))

    # covers: clients.triton-transport
    def test_stubs_and_typed_contents(self):
        from tritonclient.grpc import service_pb2, service_pb2_grpc

        with grpc.insecure_channel(server.GRPC_ADDRESS) as channel:
            request = service_pb2.ModelInferRequest(model_name="dummy", id="7")
            tensor = request.inputs.add(name="b", datatype="FP32", shape=[1, 10])
            tensor.contents.fp32_contents.extend(range(10))
            response = service_pb2_grpc.GRPCInferenceServiceStub(channel).ModelInfer(request, timeout=60)
        self.assertEqual(response.raw_output_contents[0], (TEN + 1).tobytes())
