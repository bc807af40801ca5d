"""A plan says what a deployment would do, and does nothing."""

from pathlib import Path

import pytest

from tests.copia import Copia
from tests.e2e.dlq_helpers import correr_guion
from tests.plataforma import RAIZ, Plataforma

pytestmark = pytest.mark.e2e


def planear(platform: Plataforma, raiz: Path = RAIZ) -> tuple[int, list[str], str]:
    """Exit code, the lines after the first, which says what is compared, and stderr."""
    codigo, salida, errores = correr_guion(platform, "deploy.py", "--plan", raiz=raiz)
    return codigo, salida.splitlines()[1:], errores


def test_nothing_to_do_is_said_so(platform: Plataforma) -> None:
    assert planear(platform) == (0, ["plan: no changes of functions"], "")
    codigo, salida, _ = correr_guion(platform, "provision.py", "--plan")
    assert (codigo, salida.splitlines()[-1]) == (0, "plan: no changes of the cluster")


def test_a_change_is_of_its_function_and_names_the_fields_and_nothing_is_done(
    platform: Plataforma, tmp_path: Path
) -> None:
    copia = Copia(tmp_path)
    config = copia.raiz / "deployment/functions/crear-orden.yaml"
    copia.cambiar(config, lambda texto: texto.replace("parallelism: 1", "parallelism: 2"))
    copia.cambiar(copia.raiz / "functions/ordenes/revertir_orden_creada.py", lambda texto: texto + "\n# otra\n")
    for _ in range(2):
        codigo, lineas, errores = planear(platform, copia.raiz)
        assert (codigo, errores) == (0, "")
        assert lineas == [
            "  crear-orden: update (parallelism)",
            "  revertir-orden-creada: update (package)",
            "plan: 2 changes of functions",
        ]


@pytest.mark.parametrize(
    ("era", "sera", "dicho"),
    [
        ("subName: crear-orden", "subName: otra", "crear-orden: subName is 'crear-orden', wanted 'otra'"),
        ("parallelism: 1", "paralelism: 1", "crear-orden: paralelism: Pulsar knows no such field, and would ignore it"),
    ],
)
@pytest.mark.parametrize("argumentos", [("--plan",), ()])
def test_what_pulsar_would_refuse_or_ignore_is_refused_before_anything_is_touched(
    platform: Plataforma, tmp_path: Path, era: str, sera: str, dicho: str, argumentos: tuple[str, ...]
) -> None:
    copia = Copia(tmp_path)
    copia.cambiar(copia.raiz / "deployment/functions/crear-orden.yaml", lambda texto: texto.replace(era, sera))
    codigo, _, errores = correr_guion(platform, "deploy.py", *argumentos, raiz=copia.raiz)
    assert codigo == 1
    assert dicho in errores
    assert planear(platform) == (0, ["plan: no changes of functions"], "")
