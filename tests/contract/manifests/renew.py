"""Takes the schemas beside this file from the packages that carry them: see README.md.

python tests/contract/manifests/renew.py, in an environment with check-jsonschema and kubernetes-validate.
"""

import json
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
VERSION = "1.34"
KINDS = {
    "io.k8s.api.apps.v1.Deployment",
    "io.k8s.api.apps.v1.StatefulSet",
    "io.k8s.api.batch.v1.CronJob",
    "io.k8s.api.batch.v1.Job",
    "io.k8s.api.core.v1.ConfigMap",
    "io.k8s.api.core.v1.Namespace",
    "io.k8s.api.core.v1.Secret",
    "io.k8s.api.core.v1.Service",
    "io.k8s.api.core.v1.ServiceAccount",
    "io.k8s.api.networking.v1.Ingress",
    "io.k8s.api.networking.v1.NetworkPolicy",
    "io.k8s.api.policy.v1.PodDisruptionBudget",
    "io.k8s.api.rbac.v1.Role",
    "io.k8s.api.rbac.v1.RoleBinding",
}


def refs(node: Any) -> Iterator[str]:
    """The definitions that a schema names."""
    return iter(re.findall(r'"\$ref": "[^"]*/([\w.-]+)"', json.dumps(node)))


def without_descriptions(node: Any) -> Any:
    """Without descriptions; references are to this file's own definitions."""
    if isinstance(node, list):
        return [without_descriptions(member) for member in node]
    if not isinstance(node, dict):
        return node
    stripped = {k: without_descriptions(v) for k, v in node.items() if not (k == "description" and isinstance(v, str))}
    if isinstance(stripped.get("$ref"), str):
        stripped["$ref"] = "#/$defs/" + stripped["$ref"].rsplit("/", 1)[-1]
    return stripped


def kubernetes() -> str:
    """One definition a line."""
    folder = files("kubernetes_validate") / "kubernetes-json-schema" / f"v{VERSION}.0-local-strict"
    all_items = json.loads((folder / "_definitions.json").read_text("utf-8"))["$defs"]
    used, pending = dict[str, Any](), set(KINDS)
    while pending:
        name = pending.pop()
        used[name] = without_descriptions(all_items[name])
        pending |= set(refs(all_items[name])) - used.keys()
    lines = ",\n".join(f"{json.dumps(n)}: {json.dumps(d, sort_keys=True)}" for n, d in sorted(used.items()))
    return f'{{"$schema": "https://json-schema.org/draft/2020-12/schema", "$defs": {{\n{lines}\n}}}}\n'


if __name__ == "__main__":
    (HERE / f"kubernetes-{VERSION}.json").write_text(kubernetes(), "utf-8")
    compose = files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    (HERE / "compose-spec.json").write_text(compose.read_text("utf-8"), "utf-8")
