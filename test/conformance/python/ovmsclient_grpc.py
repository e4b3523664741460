"""`ovmsclient` over gRPC, as its users call it."""

import unittest

import numpy as np
import serving_under_test as server
from ovmsclient import InvalidInputError, make_grpc_client, make_tensor_proto
from ovmsclient.tfs_compat.protos.tensorflow.core.framework.types_pb2 import DataType
from ovmsclient_tests import ERROR, TEN, MetadataTests, PredictTests, StatusTests
from serving_under_test import NUMPY_OF_PRECISION


class ClientTest(unittest.TestCase):
    def setUp(self):
        self.client = make_grpc_client(server.GRPC_ADDRESS)
        self.addCleanup(self.client.channel.close)


# covers: clients.ovmsclient-grpc
class Predict(ClientTest, PredictTests):
    no_such_name = "Pipeline with requested name is not found"

    def test_takes_tensor_protos(self):
        tensor = make_tensor_proto(list(range(10)), dtype=DataType.DT_FLOAT, shape=[1, 10])
        np.testing.assert_array_equal(self.client.predict({"b": tensor}, "dummy"), TEN + 1)

    def test_returns_every_element_type(self):
        for precision, dtype in NUMPY_OF_PRECISION.items():
            with self.subTest(precision):
                sent = np.array([[0, 1, 100], [2, 3, 127]]).astype(dtype)
                answer = self.client.predict({"in": sent}, server.passthrough(precision))
                np.testing.assert_array_equal(answer, sent)
                self.assertEqual(answer.dtype, dtype)

    def test_returns_the_limits_of_integers(self):
        for precision in server.INTEGERS:
            with self.subTest(precision):
                limits = np.iinfo(server.computed_type(precision))
                sent = np.array([[limits.min, limits.max]], NUMPY_OF_PRECISION[precision])
                np.testing.assert_array_equal(self.client.predict({"in": sent}, server.passthrough(precision)), sent)

    def test_returns_special_floats(self):
        for precision in ("FP32", "FP16"):
            with self.subTest(precision):
                limits = np.finfo(NUMPY_OF_PRECISION[precision])
                sent = np.array([[np.nan, np.inf, -np.inf, -0.0, limits.max, limits.tiny]], limits.dtype)
                answer = self.client.predict({"in": sent}, server.passthrough(precision))
                self.assertEqual(answer.tobytes(), sent.tobytes())

    def test_takes_scalars(self):
        # The client turns a scalar into one element in a typed field, which OVMS does not read.
        for precision, scalar in {"FP32": 1.5, "I32": 7, "U8": np.uint8(7)}.items():
            with self.subTest(precision):
                self.assertEqual(make_tensor_proto(scalar).tensor_content, b"")
                answer = self.client.predict({"b": scalar}, server.increment(precision))
                np.testing.assert_array_equal(answer, [scalar + 1])

    def test_takes_empty_arrays(self):
        empty = np.zeros((0, 3), np.float32)
        answer = self.client.predict({"in": empty}, server.passthrough("FP32"))
        self.assertEqual(answer.shape, (0, 3))

    def test_refuses_no_inputs_and_wrong_precisions(self):
        wrong = {
            "Invalid number of inputs - Expected: 1; Actual: 0": {},
            "Invalid input precision - Expected: FP32; Actual: FP64; input name: b": {"b": TEN.astype(np.float64)},
            "Invalid input precision - Expected: FP32; Actual: I32; input name: b": {"b": [list(range(10))]},
        }
        for name in server.INCREMENTS:
            for text, inputs in wrong.items():
                with self.subTest(servable=name, text=text):
                    self.assertRefused(InvalidInputError, text, self.client.predict, inputs, name)

    def test_unknown_errors_keep_their_opening_words(self):
        with self.assertRaisesRegex(ConnectionError, f"^{ERROR}Unknown error"):
            self.client.predict({"b": b"picture"}, "dummy")

    def test_timeout(self):
        inputs = {server.HEAVY_INPUT: np.zeros(server.HEAVY_SHAPE, np.float32)}
        text = "Request handling exceeded timeout"
        self.assertRefused(TimeoutError, text, self.client.predict, inputs, server.HEAVY, timeout=0.05)
        np.testing.assert_array_equal(self.client.predict({"b": TEN}, "dummy"), TEN + 1)


# covers: clients.ovmsclient-grpc
class Metadata(ClientTest, MetadataTests):
    pass


# covers: clients.ovmsclient-grpc
class Status(ClientTest, StatusTests):
    pass
