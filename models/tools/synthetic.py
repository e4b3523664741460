"""The demo's two networks with seeded weights: true topologies and names, for measuring speed without the zoo.

Kernels are drawn He-normal, so that activations keep their size from layer to layer. The classifiers are fitted to
seeded pictures (each feature standardised over them): without that every picture would fall into one class, and a
measurement could not tell a mixed-up answer from a right one. Apart from that the classes mean nothing.
"""
from __future__ import annotations

from typing import Callable, Dict, List, Tuple

import numpy as np

from . import frozen_graph, inception_v2, reference, resnet50
from .ir import Graph, Value

SEED = 20220228
PICTURES = 12
CLASSES = 1001
LOGIT_SPREAD = 2.0  # standard deviation of the logits over the pictures


def inception() -> Graph:
    """googlenet-v2-tf. The stem is a plain 7x7 convolution, which the network's published cost (4.058 GFLOPs) fits."""
    random = np.random.default_rng(SEED)
    variables: Dict[str, np.ndarray] = {}
    for name, shape in inception_v2.variable_shapes(separable_stem=False).items():
        if name.endswith("/weights"):
            variables[name] = he_normal(random, shape)
        elif name.endswith("/moving_variance"):
            variables[name] = np.full(shape, 1.0 - inception_v2.EPSILON, np.float32)
        else:
            variables[name] = 0.05 * random.standard_normal(shape, np.float32)
    weights, biases = (f"{inception_v2.SCOPE}/{inception_v2.LOGITS}/{part}" for part in ("weights", "biases"))

    def build(dense: np.ndarray, bias: np.ndarray) -> Graph:
        return inception_v2.build({**variables, weights: dense.reshape(1, 1, *dense.shape), biases: bias})

    return fitted(build, variables[weights].shape[2], inception_v2.INPUT)


def resnet() -> Graph:
    """resnet-50-tf, built as a frozen graph and converted like the published one."""
    # The stem takes pictures from -128 to 151; the branches of a block are drawn smaller, since they are added up.
    gains = {"stem": 1 / 64, "shortcut": 0.7, "inner": 1.0, "last": 0.4}

    def build(dense: np.ndarray, bias: np.ndarray) -> Graph:
        random = np.random.default_rng(SEED + 1)

        def weights(shape: Tuple[int, int, int, int], part: str) -> Tuple[np.ndarray, np.ndarray]:
            return gains[part] * he_normal(random, shape), 0.05 * random.standard_normal(shape[3], np.float32)

        graph_nodes = resnet50.nodes(weights, dense, bias)
        return frozen_graph.convert(graph_nodes, "resnet-50-tf", resnet50.INPUT, resnet50.OUTPUT, resnet50.MEAN_RGB)

    return fitted(build, 4 * resnet50.STAGES[-1][0], resnet50.INPUT)


def he_normal(random: np.random.Generator, shape: Tuple[int, ...]) -> np.ndarray:
    """HWIO kernel."""
    height, width, inputs, _ = shape
    return random.standard_normal(shape, np.float32) * np.float32(np.sqrt(2.0 / (height * width * inputs)))


def fitted(build: Callable[[np.ndarray, np.ndarray], Graph], channels: int, input_name: str) -> Graph:
    """The network whose classifier ([channels,classes] and bias) is fitted to seeded pictures."""
    draft = build(np.zeros((channels, CLASSES), np.float32), np.zeros(CLASSES, np.float32))
    pooled = _features(draft)
    features = np.concatenate([reference.evaluate([pooled], {input_name: batch})[0] for batch in pictures()])
    if not np.isfinite(features).all():
        raise ValueError(f"{draft.name}: finite features were expected from the seeded weights, but some are not")
    deviation = features.std(0)
    deviation += 0.05 * deviation.mean() + 1e-6
    random = np.random.default_rng(SEED + 2)
    spread = np.float32(LOGIT_SPREAD / np.sqrt(channels))
    dense = random.standard_normal((channels, CLASSES), np.float32) * spread / deviation[:, None]
    return build(dense, -(features.mean(0) @ dense))


def _features(graph: Graph) -> Value:
    """What the one dense layer reads."""
    dense, = (layer for layer in graph.layers if layer.kind == "MatMul")
    return dense.inputs[0]


def pictures() -> List[np.ndarray]:
    """Seeded smooth colour pictures, f32 [4,224,224,3] with 0..255 a batch."""
    random = np.random.default_rng(SEED + 3)
    pictures = np.zeros((PICTURES, 224, 224, 3), np.float32)
    for cells in (4, 14, 56):
        block = np.ones((1, 224 // cells, 224 // cells, 1), np.float32)
        pictures += np.kron(random.standard_normal((PICTURES, cells, cells, 3), np.float32), block)
    contrast = random.uniform(20, 60, (PICTURES, 1, 1, 1))
    pictures = np.clip(127.5 + pictures * contrast, 0, 255).astype(np.float32)
    return [pictures[i:i + 4] for i in range(0, PICTURES, 4)]
