"""`ovmsclient` over HTTP, as its users call it. It sends the column format."""

import unittest

import numpy as np
import serving_under_test as server
from ovmsclient import InvalidInputError, ModelNotFoundError, make_http_client
from ovmsclient_tests import ERROR, TEN, MetadataTests, PredictTests, StatusTests
from serving_under_test import NUMPY_OF_PRECISION


class ClientTest(unittest.TestCase):
    unavailable = ModelNotFoundError

    def setUp(self):
        self.client = make_http_client(server.REST_ADDRESS)
        self.addCleanup(self.client.session.close)


# covers: clients.ovmsclient-http
class Predict(ClientTest, PredictTests):
    def test_returns_every_element_type(self):
        for precision, dtype in NUMPY_OF_PRECISION.items():
            with self.subTest(precision):
                sent = np.array([[0, 1, 100], [2, 3, 127]]).astype(dtype)
                answer = self.client.predict({"in": sent}, server.passthrough(precision))
                np.testing.assert_array_equal(answer, sent)
                self.assertEqual(answer.dtype.kind, sent.dtype.kind.replace("u", "i"))

    def test_returns_the_limits_of_integers(self):
        for precision in server.INTEGERS:
            with self.subTest(precision):
                limits = np.iinfo(server.computed_type(precision))
                sent = np.array([[limits.min, limits.max]], np.int64)
                answer = self.client.predict({"in": sent}, server.passthrough(precision))
                np.testing.assert_array_equal(answer, sent)

    def test_returns_floats_to_the_last_bit(self):
        for precision in ("FP64", "FP32", "FP16"):
            with self.subTest(precision):
                limits = np.finfo(server.computed_type(precision))
                sent = np.array([[0.1, 1 / 3, limits.max, limits.tiny, -0.0]], limits.dtype)
                answer = self.client.predict({"in": sent}, server.passthrough(precision)).astype(limits.dtype)
                self.assertEqual(answer.tobytes(), sent.tobytes())

    def test_refuses_no_inputs(self):
        with self.assertRaisesRegex(InvalidInputError, f"^{ERROR}Invalid JSON structure, missing inputs"):
            self.client.predict({}, "dummy")

    def test_refuses_text_for_numbers(self):
        text = "Could not parse input content. Not valid ndarray detected"
        self.assertRefused(InvalidInputError, text, self.client.predict, {"b": [["x"] * 10]}, "dummy")

    def test_timeout(self):
        inputs = {server.HEAVY_INPUT: np.zeros(server.HEAVY_SHAPE, np.float32)}
        # Which of the two depends on whether the request was sent whole in that time.
        with self.assertRaises((TimeoutError, ConnectionError)):
            self.client.predict(inputs, server.HEAVY, timeout=0.05)
        np.testing.assert_array_equal(self.client.predict({"b": TEN}, "dummy"), TEN + 1)


# covers: clients.ovmsclient-http
class Metadata(ClientTest, MetadataTests):
    pass


# covers: clients.ovmsclient-http
class Status(ClientTest, StatusTests):
    pass
