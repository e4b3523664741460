"""The ten pictures as the demo's own script sends them."""

import unittest

import grpc
import pictures
import serving_under_test as server
from demo_client import classify
from published_protos import prediction_service_pb2_grpc


class Pictures(unittest.TestCase):
    # covers: clients.script-predict, clients.demo-pipeline
    def test_the_demos_script_names_ten_of_ten(self):
        with grpc.insecure_channel(server.GRPC_ADDRESS) as channel:
            stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
            found = classify(
                stub, pictures.PIPELINE, pictures.PIPELINE_INPUT, pictures.PIPELINE_OUTPUT, pictures.pictures()
            )
        self.assertEqual(found, pictures.labels())
