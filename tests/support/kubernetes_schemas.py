"""Whether a server of Kubernetes takes an object, and Compose a file: by their schemas, which are strict."""

import json
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from tests.support.platform import ROOT

SCHEMAS: Final = ROOT / "tests" / "contract" / "manifests"
KUBERNETES_SCHEMA: Final[dict[str, Any]] = json.loads((SCHEMAS / "kubernetes-1.34.json").read_text("utf-8"))


def failures(document: Any, schema: Any, part: str = "") -> list[str]:
    """What a JSON schema, or the part of it at a JSON pointer, finds wrong."""
    registry: Registry[Any] = Registry().with_resource("esquema", Resource.from_contents(schema))
    root = {"$schema": schema["$schema"], "$ref": f"esquema#{part}"}
    validator = Draft202012Validator(root, registry=registry)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]


def kubernetes_failures(manifest: dict[str, Any]) -> list[str]:
    """What is wrong with an object. Raises ValueError for a kind, or a version of it, that the schema does not have."""
    group, _, version = manifest["apiVersion"].rpartition("/")
    wanted = {"group": group, "kind": manifest["kind"], "version": version}
    definitions = KUBERNETES_SCHEMA["$defs"].items()
    (name,) = [n for n, d in definitions if wanted in d.get("x-kubernetes-group-version-kind", ())]
    return failures(manifest, KUBERNETES_SCHEMA, f"/$defs/{name}")


def write_schemas(folder: Path) -> None:
    """The same schemas as kubeconform wants them: a file for each kind."""
    for name, definition in KUBERNETES_SCHEMA["$defs"].items():
        for kind in definition.get("x-kubernetes-group-version-kind", ()):
            group = kind["group"].partition(".")[0]
            file = "-".join(filter(None, (kind["kind"].lower(), group, kind["version"])))
            schema = {"$schema": KUBERNETES_SCHEMA["$schema"], "$ref": f"#/$defs/{name}"}
            (folder / f"{file}.json").write_text(json.dumps(schema | {"$defs": KUBERNETES_SCHEMA["$defs"]}), "utf-8")
