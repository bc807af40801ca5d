"""Who this instance is."""

import os
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class InstanceConfig:
    """`function_details` is the protobuf message FunctionDetails, `cluster_name` a label of the metrics."""

    instance_id: str
    function_id: str
    function_version: str
    function_details: Any
    max_buffered_tuples: int
    cluster_name: str
    user_code: str

    @property
    def folder(self) -> str:
        """Where the package lies: the root for imports of the function's own classes."""
        return os.path.dirname(self.user_code)

    @property
    def full_name(self) -> str:
        details = self.function_details
        return f"{details.tenant}/{details.namespace}/{details.name}"

    @property
    def client_properties(self) -> dict[str, str]:
        """Properties of this instance's consumers and producers, seen in topic stats."""
        return {"application": "pulsar-function", "id": self.full_name, "instance_id": self.instance_id}

    @property
    def metric_labels(self) -> tuple[str, ...]:
        """Values of tenant, namespace, name, instance_id, cluster, fqfn."""
        details = self.function_details
        namespace = f"{details.tenant}/{details.namespace}"
        return (details.tenant, namespace, details.name, self.instance_id, self.cluster_name, self.full_name)
