"""Downloads against a file server on this machine: resuming, checking, and the sentences where it cannot work."""
import hashlib
import tempfile
import unittest
from pathlib import Path

import support

from tools import download
from tools.download import RemoteFile
from tools.failure import Failure

CONTENT = bytes(range(256)) * 2000


class DownloadTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="downloads ")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name) / "new"
        self.said: list = []

    def remote(self, url: str, content: bytes = CONTENT) -> RemoteFile:
        return RemoteFile(url, "net.pb", len(content), "sha384", hashlib.sha384(content).hexdigest())

    def fetch(self, remote: RemoteFile) -> Path:
        return download.fetch(remote, self.folder, self.said.append, pause_seconds=0.01)

    def test_downloads_and_keeps(self) -> None:
        with support.serving(support.FileServer({"/net.pb": CONTENT})) as server:
            for _ in range(2):
                self.assertEqual(self.fetch(self.remote(server.url("/net.pb"))).read_bytes(), CONTENT)
            self.assertEqual(server.requests, [("/net.pb", None)])
        self.assertEqual([path.name for path in self.folder.iterdir()], ["net.pb"])

    def test_goes_on_after_a_cut_connection(self) -> None:
        with support.serving(support.FileServer({"/net.pb": CONTENT}, cut_after=70000)) as server:
            self.assertEqual(self.fetch(self.remote(server.url("/net.pb"))).read_bytes(), CONTENT)
            self.assertEqual(server.requests, [("/net.pb", None), ("/net.pb", "bytes=70000-")])

    def test_goes_on_after_an_interrupted_run(self) -> None:
        self.folder.mkdir()
        (self.folder / "net.pb.part").write_bytes(CONTENT[:1000])
        with support.serving(support.FileServer({"/net.pb": CONTENT})) as server:
            self.assertEqual(self.fetch(self.remote(server.url("/net.pb"))).read_bytes(), CONTENT)
            self.assertEqual(server.requests, [("/net.pb", "bytes=1000-")])

    def test_starts_again_where_the_server_does_not_resume(self) -> None:
        self.folder.mkdir()
        (self.folder / "net.pb.part").write_bytes(b"x" * 1000)
        with support.serving(support.FileServer({"/net.pb": CONTENT}, resumes=False)) as server:
            self.assertEqual(self.fetch(self.remote(server.url("/net.pb"))).read_bytes(), CONTENT)

    def test_a_complete_part_needs_no_connection(self) -> None:
        self.folder.mkdir()
        (self.folder / "net.pb.part").write_bytes(CONTENT)
        self.assertEqual(self.fetch(self.remote("http://127.0.0.1:9/net.pb")).read_bytes(), CONTENT)

    def test_a_wrong_hash_is_told_and_the_file_removed(self) -> None:
        wrong = b"?" * len(CONTENT)
        with support.serving(support.FileServer({"/net.pb": wrong})) as server:
            with self.assertRaisesRegex(Failure, "with sha384 [0-9a-f]{96} was expected, but it has .* serves another file"):
                self.fetch(self.remote(server.url("/net.pb")))
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_a_longer_file_is_told(self) -> None:
        with support.serving(support.FileServer({"/net.pb": CONTENT + b"more"})) as server:
            with self.assertRaisesRegex(Failure, f"{len(CONTENT)} bytes of net.pb were expected, but it has {len(CONTENT) + 4}"):
                self.fetch(self.remote(server.url("/net.pb")))

    def test_a_shorter_file_is_told_with_what_to_do(self) -> None:
        with support.serving(support.FileServer({"/net.pb": CONTENT[:-1]})) as server:
            with self.assertRaisesRegex(Failure, r"the connection ended|416|bytes are kept"):
                self.fetch(self.remote(server.url("/net.pb")))

    def test_no_route_says_what_to_do(self) -> None:
        server = support.FileServer({})
        server.server_close()  # a port that nobody listens on
        with self.assertRaises(Failure) as caught:
            self.fetch(self.remote(server.url("/net.pb")))
        sentence = str(caught.exception)
        for part in ("Connection refused", f"put the file by hand at {self.folder / 'net.pb'}", "default set", "make models"):
            self.assertIn(part, sentence)
        self.assertEqual(len(self.said), download.ATTEMPTS - 1)

    def test_a_servers_no_is_not_asked_again(self) -> None:
        with support.serving(support.FileServer({})) as server:
            with self.assertRaisesRegex(Failure, "Not Found"):
                self.fetch(self.remote(server.url("/net.pb")))
            self.assertEqual(len(server.requests), 1)

    def test_a_file_put_by_hand_is_checked(self) -> None:
        self.folder.mkdir()
        (self.folder / "net.pb").write_bytes(CONTENT)
        self.assertEqual(self.fetch(self.remote("http://127.0.0.1:9/net.pb")), self.folder / "net.pb")
        (self.folder / "net.pb").write_bytes(CONTENT[:5])
        with self.assertRaisesRegex(Failure, "but it has 5: remove .*net.pb and run the command again"):
            self.fetch(self.remote("http://127.0.0.1:9/net.pb"))


if __name__ == "__main__":
    unittest.main()
