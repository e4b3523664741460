"""Prints what tritonclient and grpcio's packages for health checks and reflection have; see `published_messages.py`."""

from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2
from published_messages import print_published
from tritonclient.grpc import model_config_pb2, service_pb2

FILES = (service_pb2, model_config_pb2, health_pb2, reflection_pb2)


def methods_of(file):
    for service in file.DESCRIPTOR.services_by_name.values():
        for method in service.methods:
            yield f"/{service.full_name}/{method.name}"


if __name__ == "__main__":
    print_published(FILES, [path for file in FILES for path in methods_of(file)])
