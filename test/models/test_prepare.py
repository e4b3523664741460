"""The whole command: the default set with its accuracy, the zoo set from a file server with stand-ins."""
import hashlib
import io
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import unittest
from pathlib import Path
from typing import Dict

import support
import numpy as np
from test_networks import inception_variables, resnet_nodes

from tools import command, efficientnet_lite, frozen_graph, inception_v2, packages, pictures, reference, resnet50, sets
from tools.repository import Repository

PREPARE = support.ROOT / "models" / "prepare.py"


def run(*arguments: object) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, str(PREPARE), *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          universal_newlines=True)


def tree(folder: Path) -> set:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def tree_of(*networks: str, mapped: bool) -> set:
    files = {f"{name}/1/{name}.{kind}" for name in (*networks, "argmax") for kind in ("xml", "bin", "mapping")}
    files |= {f"{name}/1/mapping_config.json" for name in networks if mapped}
    return files | {f"pictures/{name}" for name in ("imgs.npy", "lbs.npy", "names.txt")} | {"config.json", ".prepared.json"}


class Workplace(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="with spaces ")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.out = self.folder / "models"


class DefaultSetTest(Workplace):
    @classmethod
    def setUpClass(cls) -> None:
        cls.archives: Dict[str, Path] = {}
        for requirements in command.ARCHIVES["default"]:
            cls.archives.update(packages.ensure_archives(requirements, command.CACHE / "downloads", command.say))

    def test_makes_the_demos_tree_and_then_has_nothing_to_do(self) -> None:
        first = run("--out", self.out)
        self.assertEqual(first.returncode, 0, first.stderr)
        self.assertEqual(tree(self.out), tree_of("efficientnet-lite0", "efficientnet-lite2", mapped=True))
        mapping = json.loads((self.out / "efficientnet-lite0/1/mapping_config.json").read_text())
        self.assertEqual(mapping, {"inputs": {"images": "input"}, "outputs": {"Softmax": "InceptionV2/Predictions/Softmax"}})
        self.assertTrue((self.out / "config.json").read_text().startswith('{\n    "model_config_list": [\n        {'))
        started = time.monotonic()
        second = run("--out", self.out)
        self.assertLess(time.monotonic() - started, 1.0)
        self.assertIn("nothing to do", second.stdout)
        (self.out / "argmax/1/argmax.bin").unlink()
        self.assertNotIn("nothing to do", run("--out", self.out).stdout)
        self.assertTrue((self.out / "argmax/1/argmax.bin").exists())

    def test_each_network_and_the_ensemble_know_18_of_20_pictures(self) -> None:
        found = pictures.read(self.archives["foolbox"])
        batch = np.stack([picture.pixels for picture in found]).transpose(0, 2, 3, 1)
        labels = np.array([picture.label for picture in found])
        networks = sets.networks("default", sets.Sources(self.archives, command.MODELS / "zoo.json", self.folder, command.say))
        probabilities = []
        for network in networks:
            result = network.build().layers[-1].inputs[0]
            answers = [reference.evaluate([result], {efficientnet_lite.INPUT: batch[i:i + 5]})[0] for i in range(0, 20, 5)]
            probabilities.append(np.concatenate(answers))
        for answer in (*probabilities, probabilities[0] + probabilities[1]):
            self.assertEqual(answer.shape, (20, 1001))
            self.assertEqual((answer[:, 0] == 0).sum(), 20)  # background never
            self.assertEqual((answer.argmax(1) - 1 == labels).sum(), 18)

    def test_pictures_are_as_the_demos_client_wants_them(self) -> None:
        found = pictures.read(self.archives["foolbox"])
        pictures.write(found, self.folder)
        images, labels = np.load(self.folder / "imgs.npy"), np.load(self.folder / "lbs.npy")
        self.assertEqual((images.dtype, images.shape, images.min(), images.max()), (np.float32, (20, 3, 224, 224), 0, 255))
        self.assertEqual((labels.dtype, labels.shape), (np.int64, (20,)))
        names = (self.folder / "names.txt").read_text().splitlines()
        self.assertEqual([int(name.split("_")[2].split(".")[0]) for name in names], labels.tolist())

    def test_a_package_with_another_hash_is_refused(self) -> None:
        wanted = self.folder / "requirements.txt"
        wanted.write_text("foolbox==3.3.4 --hash=sha256:" + "0" * 64 + "\n")
        call = ("import pathlib, sys; sys.path.insert(0, sys.argv[1]); from tools import packages; "
                "packages.ensure_archives(pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]), print)")
        done = subprocess.run([sys.executable, "-c", call, str(command.MODELS), str(wanted), str(self.folder / "archives")],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
        self.assertRegex(done.stderr, "Failure: pip was expected to download the packages of .*requirements.txt")


class ZooSetTest(Workplace):
    """Stand-ins of the published files: same formats, names and layers, few channels."""

    def setUp(self) -> None:
        super().setUp()
        self.downloads = self.folder / "downloads"
        self.downloads.mkdir()
        pinned, = command.ARCHIVES["zoo"]
        for wheel in packages.ensure_archives(pinned, command.CACHE / "downloads", command.say).values():
            shutil.copy(wheel, self.downloads)
        self.variables, self.nodes = inception_variables(), resnet_nodes()
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w:gz") as tar:
            content = support.checkpoint(self.variables, compression=1)
            member = tarfile.TarInfo("inception_v2.ckpt")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        self.files = {"/models/inception_v2.tar.gz": archive.getvalue(), "/resnet.pb": support.graph_def(self.nodes)}

    def table(self, server: support.FileServer, **changes: Dict) -> Path:
        """A table like zoo.json; `changes` by file name without its ending."""
        rows = {}
        for name, path, algorithm in (("googlenet-v2-tf", "/models/inception_v2.tar.gz", "sha384"),
                                      ("resnet-50-tf", "/resnet.pb", "sha256")):
            content = self.files[path]
            rows[name] = {"url": server.url(path), "size": len(content), algorithm: hashlib.new(algorithm, content).hexdigest()}
            rows[name].update(changes.get(name.split("-")[0], {}))
        table = self.folder / "zoo.json"
        table.write_text(json.dumps(rows))
        return table

    def prepare(self, table: Path) -> subprocess.CompletedProcess:
        return run("--set", "zoo", "--out", self.out, "--zoo_table", table, "--downloads", self.downloads)

    def test_fetches_resumes_converts_and_then_has_nothing_to_do(self) -> None:
        half = len(self.files["/models/inception_v2.tar.gz"]) // 2
        with support.serving(support.FileServer(self.files, cut_after=half)) as server:
            table = self.table(server)
            done = self.prepare(table)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(("/models/inception_v2.tar.gz", f"bytes={half}-"), server.requests)
        self.assertEqual(tree(self.out), tree_of("googlenet-v2-tf", "resnet-50-tf", mapped=False))
        config = json.loads((self.out / "config.json").read_text())
        self.assertEqual([entry["config"]["base_path"] for entry in config["model_config_list"]],
                         ["googlenet-v2-tf", "resnet-50-tf", "argmax"])
        self.assertIn("nothing to do", self.prepare(table).stdout)  # the server is gone
        if not support.NO_OPENVINO:
            self.check_with_openvino()

    def check_with_openvino(self) -> None:
        picture = np.random.default_rng(1).uniform(0, 255, (1, 224, 224, 3)).astype(np.float32)
        core = support.openvino.Core()
        graphs = {"googlenet-v2-tf": inception_v2.build(self.variables),
                  "resnet-50-tf": frozen_graph.convert(self.nodes, "net", resnet50.INPUT, resnet50.OUTPUT, resnet50.MEAN_RGB)}
        for (name, graph), (input_name, output_name) in zip(graphs.items(), (
                (inception_v2.INPUT, inception_v2.OUTPUT), (resnet50.INPUT, resnet50.OUTPUT))):
            model = core.compile_model(str(self.out / name / "1" / f"{name}.xml"), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
            expected, = reference.evaluate([graph.layers[-1].inputs[0]], {input_name: picture})
            np.testing.assert_allclose(model({input_name: picture})[output_name], expected, atol=1e-5)

    def test_a_failure_is_one_sentence_and_leaves_nothing_half_done(self) -> None:
        with support.serving(support.FileServer(self.files)) as server:
            done = self.prepare(self.table(server, resnet={"sha256": "0" * 64}))
        self.assertEqual(done.returncode, 1)
        self.assertEqual(len(done.stderr.splitlines()), 1)
        self.assertRegex(done.stderr, "models: .*resnet.pb with sha256 0{64} was expected, but it has")
        self.assertEqual(list(self.out.iterdir()), [])
        with support.serving(support.FileServer(self.files)) as server:
            self.assertEqual(self.prepare(self.table(server)).returncode, 0)
        self.assertEqual(tree(self.out), tree_of("googlenet-v2-tf", "resnet-50-tf", mapped=False))

    def test_no_route_is_a_sentence_with_what_to_do(self) -> None:
        with support.serving(support.FileServer({})) as server:
            done = self.prepare(self.table(server))
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"put the file by hand at {self.downloads / 'inception_v2.tar.gz'}", done.stderr)
        self.assertIn("default set", done.stderr)

    def test_foreign_content_is_told(self) -> None:
        self.files["/models/inception_v2.tar.gz"] = self.archive_of("readme.txt", b"no checkpoint")
        with support.serving(support.FileServer(self.files)) as server:
            self.assertIn("a checkpoint inception_v2.ckpt was expected", self.prepare(self.table(server)).stderr)
        (self.downloads / "inception_v2.tar.gz").unlink()
        self.files["/models/inception_v2.tar.gz"] = self.archive_of("inception_v2.ckpt", b"no table")
        with support.serving(support.FileServer(self.files)) as server:
            self.assertIn("a sorted string table was expected", self.prepare(self.table(server)).stderr)

    def archive_of(self, name: str, content: bytes) -> bytes:
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w:gz") as tar:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        return archive.getvalue()

    def test_a_table_without_its_rows_is_told(self) -> None:
        table = self.folder / "zoo.json"
        table.write_text("{}")
        self.assertRegex(self.prepare(table).stderr, "zoo.json: a row googlenet-v2-tf with url, size and one hash")
        self.assertRegex(self.prepare(self.folder / "absent.json").stderr, "absent.json was expected, but there is no such file")


class RepositoryTest(Workplace):
    def test_another_set_removes_what_it_does_not_have(self) -> None:
        repository = Repository(self.out)
        folder = repository.begin() / "a" / "1"
        folder.mkdir(parents=True)
        (folder / "file").write_text("1")
        repository.commit({"set": "second"})
        (self.out / "of the user").write_text("stays")
        (repository.begin() / "b").write_text("2")
        repository.commit({"set": "third"})
        self.assertEqual(tree(self.out), {"b", "of the user", ".prepared.json"})
        self.assertFalse((self.out / "a").exists())
        self.assertTrue(repository.is_current({"set": "third"}))
        self.assertFalse(repository.is_current({"set": "second"}))

    def test_an_interrupted_run_leaves_the_networks_as_they_were(self) -> None:
        repository = Repository(self.out)
        (repository.begin() / "a").write_text("old")
        repository.commit({"set": "first"})
        (repository.begin() / "a").write_text("new, but interrupted here")
        self.assertEqual((self.out / "a").read_text(), "old")
        self.assertTrue(repository.is_current({"set": "first"}))
        self.assertEqual(list(Repository(self.out).begin().iterdir()), [])


if __name__ == "__main__":
    unittest.main()
