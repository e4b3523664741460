"""What the demo's `grpc_predict_resnet.py` does on the wire: a batch a call, ten seconds for each, results by `make_ndarray`."""

import numpy as np
from published_protos import predict_pb2
from tensor_protos import make_ndarray, make_tensor_proto

TIMEOUT = 10.0


def classify(stub, pipeline, input_name, output_name, batches):
    """The label of each batch, as pipeline mode of the script decodes it."""
    found = []
    for batch in batches:
        request = predict_pb2.PredictRequest()
        request.model_spec.name = pipeline
        request.inputs[input_name].CopyFrom(make_tensor_proto(batch, shape=batch.shape))
        result = stub.Predict(request, TIMEOUT)
        if output_name not in result.outputs:
            raise KeyError(f"Invalid output name {output_name}; available outputs: {list(result.outputs)}")
        labels = make_ndarray(result.outputs[output_name])
        if labels.dtype != np.int64 or labels.shape != (1,):
            raise TypeError(f"response {labels.dtype} {labels.shape}")
        found.append(int(labels[0]) - 1)
    return found
