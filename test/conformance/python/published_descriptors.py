"""Prints what the published packages of TensorFlow Serving have; see `published_messages.py`."""

import published_protos as protos
from google.protobuf import descriptor_pool
from published_messages import print_published

FILES = (
    protos.classification_pb2,
    protos.get_model_metadata_pb2,
    protos.get_model_status_pb2,
    protos.inference_pb2,
    protos.meta_graph_pb2,
    protos.model_management_pb2,
    protos.model_pb2,
    protos.predict_pb2,
    protos.regression_pb2,
    protos.status_pb2,
    protos.tensor_pb2,
    protos.tensor_shape_pb2,
    protos.types_pb2,
)


class MethodRecorder:
    """Stands for a channel while a stub is made, and notes what the stub can call."""

    def __init__(self):
        self.paths = []

    def unary_unary(self, path, **_options):
        self.paths.append(path)


def main():
    recorder = MethodRecorder()
    protos.prediction_service_pb2_grpc.PredictionServiceStub(recorder)
    protos.model_service_pb2_grpc.ModelServiceStub(recorder)
    error_code = descriptor_pool.Default().FindEnumTypeByName("tensorflow.error.Code")
    print_published(FILES, recorder.paths, [error_code])


if __name__ == "__main__":
    main()
