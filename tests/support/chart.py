"""What the official Pulsar chart makes of our values: recorded, so that tests need neither Helm nor the chart.

python -m tests.support.chart FOLDER records it anew; FOLDER is `charts/pulsar` of the chart's repository at the tag of
the version that deployment/README.md names. Needs `helm` on the PATH.
"""

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from tests.support.kubernetes_schemas import SCHEMAS
from tests.support.manifests import KUBERNETES, KUSTOMIZATION, VALUES

RECORD: Final = SCHEMAS / "pulsar-chart.json"
VALUES_FILE: Final = KUBERNETES / "pulsar.values.yaml"

Manifests = list[dict[str, Any]]


def values_hash() -> str:
    """What tells our values from others, whatever their comments."""
    return hashlib.sha256(json.dumps(VALUES, sort_keys=True).encode()).hexdigest()


@cache
def recorded() -> Manifests:
    """The objects of the record, which nobody changes."""
    objects: Manifests = json.loads(RECORD.read_text("utf-8"))["objects"]
    return objects


def render(chart: Path) -> Manifests:
    """The objects that `helm install` would make. Raises CalledProcessError, with what Helm said on standard error."""
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copytree(chart, Path(folder, "pulsar"))
        described = yaml.safe_load((copy / "Chart.yaml").read_text("utf-8"))
        described.pop("dependencies")  # its Prometheus: it is off, and not in the repository
        (copy / "Chart.yaml").write_text(yaml.safe_dump(described), "utf-8")
        command = ["helm", "template", "pulsar", str(copy), "--namespace", str(KUSTOMIZATION["namespace"])]
        options = ["--kube-version", "1.34.0", "--values", str(VALUES_FILE)]
        text = subprocess.run([*command, *options], check=True, stdout=subprocess.PIPE, text=True).stdout
    return [manifest for manifest in yaml.safe_load_all(text) if manifest]


def named(kind: str, name: str) -> dict[str, Any]:
    """One object of the record. Raises ValueError if there is none."""
    (manifest,) = [m for m in recorded() if (m["kind"], m["metadata"]["name"]) == (kind, name)]
    return manifest


def config(component: str) -> dict[str, str]:
    """The configuration of a component, such as `broker`: what its environment overrides included."""
    data: dict[str, str] = named("ConfigMap", f"pulsar-{component}")["data"]
    container = named("StatefulSet", f"pulsar-{component}")["spec"]["template"]["spec"]["containers"][0]
    return data | {variable["name"]: variable["value"] for variable in container.get("env") or ()}


if __name__ == "__main__":
    lines = ",\n".join(json.dumps(manifest, sort_keys=True) for manifest in render(Path(sys.argv[1])))
    RECORD.write_text(f'{{"values": "{values_hash()}", "objects": [\n{lines}\n]}}\n', "utf-8")
