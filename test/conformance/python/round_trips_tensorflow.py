"""Random tensors through TensorFlow Serving: messages as TensorFlow makes and reads them, and JSON as Python does."""

import json
import unittest
import urllib.request

import grpc
import numpy as np
import published_protos as protos
import serving_under_test as server
from published_protos import predict_pb2
from random_tensors import finite_tensors, random_tensors, same_bits
from serving_under_test import NUMPY_OF_PRECISION
from tensor_protos import content_proto, make_ndarray, typed_proto


class Grpc(unittest.TestCase):
    def setUp(self):
        self.channel = grpc.insecure_channel(server.GRPC_ADDRESS)
        self.addCleanup(self.channel.close)
        self.predictions = protos.prediction_service_pb2_grpc.PredictionServiceStub(self.channel)

    def predict(self, model, message):
        request = predict_pb2.PredictRequest()
        request.model_spec.name = model
        request.inputs["in"].CopyFrom(message)
        return make_ndarray(self.predictions.Predict(request, 60).outputs["out"])

    # covers: clients.round-trips
    def test_tensor_content(self):
        for precision in NUMPY_OF_PRECISION:
            with self.subTest(precision):
                model = server.passthrough(precision)
                for sent in random_tensors(precision):
                    same_bits(self, self.predict(model, content_proto(sent)), sent)

    # covers: clients.round-trips
    def test_typed_fields(self):
        for precision in NUMPY_OF_PRECISION:
            with self.subTest(precision):
                model = server.passthrough(precision)
                for sent in random_tensors(precision):
                    answer = self.predict(model, typed_proto(sent))
                    if precision == "FP32":
                        # Python's floats may quiet a NaN on their way.
                        np.testing.assert_array_equal(answer, sent)
                    else:
                        same_bits(self, answer, sent)


class Rest(unittest.TestCase):
    # covers: clients.round-trips
    def test_columns(self):
        for precision in NUMPY_OF_PRECISION:
            with self.subTest(precision):
                model = server.passthrough(precision)
                for sent in finite_tensors(precision):
                    # Lists tell no shape beyond an empty dimension, and the empty tensor has no JSON of rank 2.
                    if sent.size == 0:
                        continue
                    body = json.dumps({"inputs": {"in": sent.tolist()}}).encode()
                    url = f"http://{server.REST_ADDRESS}/v1/models/{model}:predict"
                    with urllib.request.urlopen(urllib.request.Request(url, body), timeout=60) as response:
                        outputs = json.load(response)["outputs"]
                    same_bits(self, np.array(outputs).astype(sent.dtype), sent)
