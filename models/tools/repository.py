"""The model repository on disk: its folders, its configuration, and a stamp that tells when nothing is to be done.

Everything is made in a staging folder inside the repository and moved to its place when all of it is there: a run that
fails or is interrupted leaves the old networks. The stamp is removed before the first move and written after the last.
"""
from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional


# The demo's pipeline: two classifiers side by side on one picture, and the class of the summed probabilities.
PIPELINES: List[Dict[str, Any]] = [
    {
        "name": "image_classification_pipeline",
        "inputs": ["image"],
        "nodes": [
            {
                "name": "googlenet_node",
                "model_name": "googlenet",
                "type": "DL model",
                "inputs": [{"input": {"node_name": "request", "data_item": "image"}}],
                "outputs": [{"data_item": "InceptionV2/Predictions/Softmax", "alias": "probability"}],
            },
            {
                "name": "resnet_node",
                "model_name": "resnet",
                "type": "DL model",
                "inputs": [{"map/TensorArrayStack/TensorArrayGatherV3": {"node_name": "request", "data_item": "image"}}],
                "outputs": [{"data_item": "softmax_tensor", "alias": "probability"}],
            },
            {
                "name": "argmax_node",
                "model_name": "argmax",
                "type": "DL model",
                "inputs": [{"input1": {"node_name": "googlenet_node", "data_item": "probability"}},
                           {"input2": {"node_name": "resnet_node", "data_item": "probability"}}],
                "outputs": [{"data_item": "argmax/Squeeze", "alias": "most_probable_label"}],
            },
        ],
        "outputs": [{"label": {"node_name": "argmax_node", "data_item": "most_probable_label"}}],
    },
]
# Model name of the pipeline -> (input, output) as the pipeline calls them.
TENSORS = {"googlenet": ("input", "InceptionV2/Predictions/Softmax"),
           "resnet": ("map/TensorArrayStack/TensorArrayGatherV3", "softmax_tensor")}


def config(folders: Mapping[str, str]) -> Dict[str, Any]:
    """The server's configuration; `folders` gives the folder of each model name, relative to the configuration file."""
    return {
        "model_config_list": [{"config": {"name": name, "base_path": folder}} for name, folder in folders.items()],
        "pipeline_config_list": PIPELINES,
    }


def name_mapping(model: str, input_name: str, output_name: str) -> Dict[str, Dict[str, str]]:
    """mapping_config.json of a network whose tensors have other names than the pipeline uses."""
    demo_input, demo_output = TENSORS[model]
    return {"inputs": {input_name: demo_input}, "outputs": {output_name: demo_output}}


class Repository:
    """The folder with the models. `begin`, fill the staging folder, `commit` or `discard`; before that nothing changes.

    Sets of one `kind` replace each other; those of another kind stand beside them and are left alone."""

    def __init__(self, folder: Path, kind: str = "") -> None:
        suffix = f"-{kind}" if kind else ""
        self.folder = folder
        self._stamp_name = f".prepared{suffix}.json"
        self._staging = folder / f".staging{suffix}"

    def is_current(self, inputs: Mapping[str, str]) -> bool:
        """Whether the stamp has these inputs and every file it lists is there with its size."""
        stamp = self._stamp()
        if stamp is None or stamp["inputs"] != inputs:
            return False
        return all((self.folder / name).is_file() and (self.folder / name).stat().st_size == size
                   for name, size in stamp["files"].items())

    def begin(self) -> Path:
        """An empty staging folder, in which to make the entries of the repository."""
        self.discard()  # a run that was killed left it
        self._staging.mkdir(parents=True)
        return self._staging

    def commit(self, inputs: Mapping[str, str]) -> None:
        """Moves the staged entries to their places and removes those of the run before that there are none of now."""
        stamp = {"inputs": dict(inputs), "files": _sizes(self._staging)}
        former = {Path(name).parts[0] for name in (self._stamp() or {"files": {}})["files"]}
        entries = {path.name for path in self._staging.iterdir()}
        (self.folder / self._stamp_name).unlink(missing_ok=True)
        for entry in former | entries:
            _remove(self.folder / entry)
            if entry in entries:
                (self._staging / entry).rename(self.folder / entry)
        write_json(self._staging / self._stamp_name, stamp)
        (self._staging / self._stamp_name).rename(self.folder / self._stamp_name)
        self._staging.rmdir()

    def discard(self) -> None:
        """Drops what is staged, if anything."""
        shutil.rmtree(self._staging, ignore_errors=True)

    def _stamp(self) -> Optional[Dict[str, Any]]:
        """None where there is none. It is moved to its place whole, so a damaged one is no state to go on from."""
        try:
            return json.loads((self.folder / self._stamp_name).read_text(encoding="utf-8"))
        except (FileNotFoundError, json.JSONDecodeError):
            return None


def write_json(path: Path, content: Any) -> None:
    """Indented as the demo's files."""
    path.write_text(json.dumps(content, indent=4) + "\n", encoding="utf-8")


def _sizes(folder: Path) -> Dict[str, int]:
    return {file.relative_to(folder).as_posix(): file.stat().st_size for file in sorted(folder.rglob("*")) if file.is_file()}


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
