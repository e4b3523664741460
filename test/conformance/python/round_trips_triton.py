"""Random tensors through KServe, encoded and decoded by tritonclient."""

import unittest

import numpy as np
import serving_under_test as server
import tritonclient.grpc
import tritonclient.http
from random_tensors import SEED, finite_tensors, random_tensors, same_bits
from serving_under_test import NUMPY_OF_PRECISION
from tritonclient.grpc import service_pb2, service_pb2_grpc
from tritonclient.utils import np_to_triton_dtype

CONTENTS = {
    "FP64": "fp64_contents",
    "FP32": "fp32_contents",
    "I64": "int64_contents",
    "I32": "int_contents",
    "I16": "int_contents",
    "I8": "int_contents",
    "U64": "uint64_contents",
    "U32": "uint_contents",
    "U16": "uint_contents",
    "U8": "uint_contents",
    "BOOL": "bool_contents",
}


class Grpc(unittest.TestCase):
    def setUp(self):
        self.client = tritonclient.grpc.InferenceServerClient(server.GRPC_ADDRESS)
        self.addCleanup(self.client.close)

    # covers: clients.round-trips
    def test_raw_contents(self):
        for precision in NUMPY_OF_PRECISION:
            with self.subTest(precision):
                model = server.passthrough(precision)
                for sent in random_tensors(precision):
                    tensor = tritonclient.grpc.InferInput("in", list(sent.shape), np_to_triton_dtype(sent.dtype))
                    tensor.set_data_from_numpy(sent)
                    same_bits(self, self.client.infer(model, [tensor]).as_numpy("out"), sent)

    # covers: clients.round-trips
    def test_typed_contents(self):
        infer = service_pb2_grpc.GRPCInferenceServiceStub(self.client._channel).ModelInfer
        for precision, field in CONTENTS.items():
            with self.subTest(precision):
                model = server.passthrough(precision)
                for sent in random_tensors(precision):
                    request = service_pb2.ModelInferRequest(model_name=model)
                    tensor = request.inputs.add(name="in", datatype=np_to_triton_dtype(sent.dtype), shape=sent.shape)
                    getattr(tensor.contents, field).extend(sent.ravel().tolist())
                    (raw,) = infer(request, timeout=60).raw_output_contents
                    answer = np.frombuffer(raw, sent.dtype).reshape(sent.shape)
                    if precision == "FP32":
                        # Python's floats may quiet a NaN on their way.
                        np.testing.assert_array_equal(answer, sent)
                    else:
                        same_bits(self, answer, sent)

    # covers: clients.round-trips
    def test_strings(self):
        random = np.random.default_rng(SEED)
        for _ in range(20):
            strings = random_strings(random)
            tensor = tritonclient.grpc.InferInput(server.TEXTS_INPUT, [len(strings)], "BYTES")
            tensor.set_data_from_numpy(np.array(strings, np.object_))
            answer = self.client.infer(server.TEXTS, [tensor]).as_numpy(server.TEXTS_OUTPUT)
            self.assertEqual(answer.tolist(), [string.encode() for string in strings])


class Http(unittest.TestCase):
    def setUp(self):
        self.client = tritonclient.http.InferenceServerClient(server.REST_ADDRESS)
        self.addCleanup(self.client.close)

    def infer(self, model, sent, binary):
        tensor = tritonclient.http.InferInput("in", list(sent.shape), np_to_triton_dtype(sent.dtype))
        tensor.set_data_from_numpy(sent, binary_data=binary)
        outputs = [tritonclient.http.InferRequestedOutput("out", binary_data=binary)]
        return self.client.infer(model, [tensor], outputs=outputs).as_numpy("out")

    # covers: clients.round-trips
    def test_binary_data(self):
        for precision in NUMPY_OF_PRECISION:
            with self.subTest(precision):
                model = server.passthrough(precision)
                for sent in random_tensors(precision):
                    same_bits(self, self.infer(model, sent, binary=True), sent)

    # covers: clients.round-trips
    def test_json(self):
        for precision in NUMPY_OF_PRECISION:
            with self.subTest(precision):
                model = server.passthrough(precision)
                for sent in finite_tensors(precision):
                    same_bits(self, self.infer(model, sent, binary=False), sent)

    # covers: clients.round-trips
    def test_strings(self):
        random = np.random.default_rng(SEED)
        for round in range(20):
            strings = random_strings(random)
            tensor = tritonclient.http.InferInput(server.TEXTS_INPUT, [len(strings)], "BYTES")
            tensor.set_data_from_numpy(np.array(strings, np.object_), binary_data=round % 2 == 0)
            outputs = [tritonclient.http.InferRequestedOutput(server.TEXTS_OUTPUT, binary_data=True)]
            answer = self.client.infer(server.TEXTS, [tensor], outputs=outputs).as_numpy(server.TEXTS_OUTPUT)
            self.assertEqual(answer.tolist(), [string.encode() for string in strings])


def random_strings(random):
    """Not empty and without NUL, which rows of U8 cannot keep."""
    alphabet = "aZ0 \"\\/\t\n\u00e9\u0416\u4e09\ufffd\U0001f347"
    lengths = random.integers(1, 30, int(random.integers(1, 8)))
    return ["".join(alphabet[index] for index in random.integers(0, len(alphabet), length)) for length in lengths]
