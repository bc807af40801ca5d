"""The messages and the gRPC service that the functions worker speaks, from the folder `generated`."""

import sys
from pathlib import Path

GENERATED = Path(__file__).resolve().parent / "generated"
sys.path.insert(1, str(GENERATED))

try:
    import Function_pb2
    import InstanceCommunication_pb2
    import InstanceCommunication_pb2_grpc
except ModuleNotFoundError as error:
    if error.name not in ("Function_pb2", "InstanceCommunication_pb2", "InstanceCommunication_pb2_grpc"):
        raise
    sys.exit(f"{error.name} is missing in {GENERATED}: the generated stubs were not built, run `make setup`")

__all__ = ["Function_pb2", "InstanceCommunication_pb2", "InstanceCommunication_pb2_grpc"]
