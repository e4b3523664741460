"""Runs emulators of S3 and of Google Cloud Storage on free ports of 127.0.0.1 until its standard input ends.

Prints one line of JSON with their addresses.
"""

from __future__ import annotations

import json
import logging
import sys

from gcp_storage_emulator.server import create_server
from moto.server import ThreadedMotoServer

HOST = "127.0.0.1"


def main() -> None:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    s3 = ThreadedMotoServer(ip_address=HOST, port=0)
    s3.start()
    gcs = create_server(HOST, 0, in_memory=True)
    gcs.start()
    try:
        gcs_port = gcs._api._httpd.server_address[1]  # the emulator tells its port nowhere else
        print(json.dumps({"s3": s3.get_host_and_port()[1], "gcs": gcs_port}), flush=True)
        sys.stdin.read()
    finally:
        s3.stop()
        gcs.stop()


if __name__ == "__main__":
    main()
