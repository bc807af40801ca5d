"""Takes the schemas beside this file from the packages that carry them: see README.md.

python tests/contract/manifests/renew.py, in an environment with check-jsonschema and kubernetes-validate.
"""

import json
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

AQUI = Path(__file__).parent
VERSION = "1.34"
CLASES = {
    "io.k8s.api.apps.v1.Deployment",
    "io.k8s.api.batch.v1.CronJob",
    "io.k8s.api.batch.v1.Job",
    "io.k8s.api.core.v1.ConfigMap",
    "io.k8s.api.core.v1.Secret",
    "io.k8s.api.core.v1.Service",
    "io.k8s.api.networking.v1.NetworkPolicy",
    "io.k8s.api.policy.v1.PodDisruptionBudget",
}


def refs(nodo: Any) -> Iterator[str]:
    """The definitions that a schema names."""
    return iter(re.findall(r'"\$ref": "[^"]*/([\w.-]+)"', json.dumps(nodo)))


def sin_textos(nodo: Any) -> Any:
    """Without descriptions; references are to this file's own definitions."""
    if isinstance(nodo, list):
        return [sin_textos(miembro) for miembro in nodo]
    if not isinstance(nodo, dict):
        return nodo
    cortado = {k: sin_textos(v) for k, v in nodo.items() if not (k == "description" and isinstance(v, str))}
    if isinstance(cortado.get("$ref"), str):
        cortado["$ref"] = "#/$defs/" + cortado["$ref"].rsplit("/", 1)[-1]
    return cortado


def kubernetes() -> str:
    """One definition a line."""
    carpeta = files("kubernetes_validate") / "kubernetes-json-schema" / f"v{VERSION}.0-local-strict"
    todas = json.loads((carpeta / "_definitions.json").read_text("utf-8"))["$defs"]
    usadas, pendientes = dict[str, Any](), set(CLASES)
    while pendientes:
        nombre = pendientes.pop()
        usadas[nombre] = sin_textos(todas[nombre])
        pendientes |= set(refs(todas[nombre])) - usadas.keys()
    lineas = ",\n".join(f"{json.dumps(n)}: {json.dumps(d, sort_keys=True)}" for n, d in sorted(usadas.items()))
    return f'{{"$schema": "https://json-schema.org/draft/2020-12/schema", "$defs": {{\n{lineas}\n}}}}\n'


if __name__ == "__main__":
    (AQUI / f"kubernetes-{VERSION}.json").write_text(kubernetes(), "utf-8")
    compose = files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    (AQUI / "compose-spec.json").write_text(compose.read_text("utf-8"), "utf-8")
