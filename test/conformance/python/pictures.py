"""The ten pictures, their labels, and what each network says of them; the servables are those of `test/helpers/demo.ts`."""

from collections import namedtuple
from pathlib import Path

import numpy as np
import serving_under_test as server

PIPELINE, PIPELINE_INPUT, PIPELINE_OUTPUT = "image_classification_pipeline", "image", "label"

Network = namedtuple("Network", "model input output folder")
NETWORKS = (
    Network("googlenet", "input", "MobilenetV2/Predictions/Softmax", "mobilenet-v2-tf1"),
    Network("resnet", "input", "Identity", "mobilenet-v2-tf2"),
)
# The networks have a class for "background" before the labels.
BACKGROUND_CLASSES = 1


def pictures():
    """One batch of one after the other: FP32 [1,224,224,3], 0 to 255."""
    frames = np.load(_data("imgs.npy"))
    frames = (frames - frames.min()) / (frames.max() - frames.min()) * 255
    return [frame[None] for frame in np.ascontiguousarray(frames.transpose(0, 2, 3, 1))]


def labels():
    return np.load(_data("lbs.npy")).tolist()


def label_of(probabilities):
    return int(np.argmax(probabilities)) - BACKGROUND_CLASSES


def expected_probabilities(network):
    return np.load(_data("models", f"{network.folder}.expected.npy"))


def _data(*names):
    return Path(server.PICTURES, *names)
