#!/usr/bin/env python3
"""Model repositories for `serve.ts`, each with the demo's pipeline over other networks, and what they are asked.

    prepare.py OUT [--seed MODELS]

- OUT/tiny: two products of [1,10] by [10,1001]; nothing but serving costs time.
- OUT/light: two networks of a few million multiplications on the demo's 602 KB picture.
- OUT/seed/inputs.f32: the pictures of the prepared repository MODELS, whose networks are the seed topologies.

`inputs.f32` in each folder holds raw f32, one input after the other. All numbers are seeded: every run makes the same files.
"""
import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
MODELS = ROOT / "models"
PYTHON = ROOT / ".cache" / "python"
sys.path.insert(0, str(MODELS))

from tools import packages  # noqa: E402

packages.ensure_libraries(MODELS / "requirements.txt", PYTHON, lambda line: print(f"benchmark models: {line}"))
sys.path.insert(0, str(PYTHON))

import numpy as np  # noqa: E402
from tools import argmax, ir_writer, repository, synthetic  # noqa: E402
from tools.ir import Graph  # noqa: E402

SEED = 20261126
INPUTS = 12
# Of each convolution: channels, size, stride.
LIGHT = {"googlenet": ((24, 8, 8), (48, 3, 2)), "resnet": ((16, 8, 8), (64, 3, 2), (96, 3, 2))}


def tiny(model: str, seed: int) -> Graph:
    graph = Graph(model)
    name, output = repository.TENSORS[model]
    weights = np.random.default_rng(seed).standard_normal((10, argmax.CLASSES), np.float32)
    graph.result(graph.matmul(graph.parameter(name, (1, 10)), graph.constant(weights)), output)
    return graph


def light(model: str, seed: int) -> Graph:
    """The classifier is fitted as those of the seed topologies are: otherwise every picture would fall into one class."""
    name, output = repository.TENSORS[model]
    convolutions = LIGHT[model]

    def build(dense: np.ndarray, bias: np.ndarray) -> Graph:
        random = np.random.default_rng(seed)
        graph = Graph(model)
        picture = graph.transpose(graph.parameter(name, (1, 224, 224, 3), "NHWC"), (0, 3, 1, 2))
        value = graph.multiply(picture, graph.constant(np.full((1, 1, 1, 1), 1 / 127.5, np.float32)))
        for channels, size, stride in convolutions:
            kernel = synthetic.he_normal(random, (size, size, value.shape[1], channels)).transpose(3, 2, 0, 1)
            value = graph.relu(graph.convolution(value, graph.constant(kernel), stride, None))
        value = graph.matmul(graph.reduce_mean(value, (2, 3), False), graph.constant(dense))
        value = graph.add(value, graph.constant(bias.reshape(1, -1)))
        graph.result(graph.softmax(value, 1), output)
        return graph

    return synthetic.fitted(build, convolutions[-1][0], name)


def write(folder: Path, networks: dict, inputs: np.ndarray) -> None:
    for model, graph in {**networks, "argmax": argmax.build()}.items():
        version = folder / model / "1"
        version.mkdir(parents=True, exist_ok=True)
        ir_writer.write(graph, version, model)
    repository.write_json(folder / "config.json", repository.config({name: name for name in (*networks, "argmax")}))
    inputs.astype(np.float32).tofile(folder / "inputs.f32")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=Path, help="a repository prepared with --set synthetic")
    options = parser.parse_args()
    write(options.out / "tiny", {model: tiny(model, SEED + at) for at, model in enumerate(LIGHT)},
          np.random.default_rng(SEED).standard_normal((INPUTS, 10)))
    write(options.out / "light", {model: light(model, SEED + at) for at, model in enumerate(LIGHT)},
          np.concatenate(synthetic.pictures()))
    if options.seed:
        (options.out / "seed").mkdir(exist_ok=True)
        pictures = np.load(options.seed / "pictures" / "imgs.npy").transpose(0, 2, 3, 1)
        pictures.astype(np.float32).tofile(options.out / "seed" / "inputs.f32")


main()
