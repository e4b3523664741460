#!/bin/sh
# grpcio 1.76.0: a client does not get the status of a call whose error message is longer than its limit for headers, but another one.
#
# Expected: the call ends with INVALID_ARGUMENT and at worst a message that is cut: the message is for people, the code for programs.
# Seen:     with 20,000 letters the client reports RESOURCE_EXHAUSTED and "received metadata size exceeds hard limit", which says nothing of
#           what was wrong, and which many programs try again. The default limits are 8 KiB (from where it may happen) and 16 KiB (always).
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/python"
"$folder/python/bin/pip" install --quiet --disable-pip-version-check grpcio==1.76.0
"$folder/python/bin/python" - <<'PROGRAM'
from concurrent.futures import ThreadPoolExecutor

import grpc


class Refuses(grpc.GenericRpcHandler):
    """Refuses every call, with a message as long as the method's name says."""

    def service(self, details):
        letters = int(details.method.rpartition("/")[2])
        return grpc.unary_unary_rpc_method_handler(
            lambda request, context: context.abort(grpc.StatusCode.INVALID_ARGUMENT, "x" * letters)
        )


def refusal(channel, letters):
    try:
        channel.unary_unary(f"/test/{letters}")(b"")
    except grpc.RpcError as error:
        return error.code().name, len(error.details()), error.details()[:60]
    return None


server = grpc.server(ThreadPoolExecutor(1), handlers=[Refuses()])
port = server.add_insecure_port("127.0.0.1:0")
server.start()
with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
    short, long = refusal(channel, 1000), refusal(channel, 20000)
server.stop(None).wait()
print("grpcio", grpc.__version__)
print("1,000 letters: ", short)
print("20,000 letters:", long)
if short[:2] != ("INVALID_ARGUMENT", 1000):
    raise SystemExit("Changed: a short message does not arrive.")
if long[0] != "RESOURCE_EXHAUSTED":
    raise SystemExit("Changed: the status of the server arrives.")
PROGRAM
