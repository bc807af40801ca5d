"""A plan says what a deployment would do, and does nothing."""

from pathlib import Path

import pytest

from tests.e2e.dlq_helpers import run_script
from tests.support.clone import Clone
from tests.support.platform import ROOT, Platform

pytestmark = pytest.mark.e2e


def run_plan(platform: Platform, root: Path = ROOT) -> tuple[int, list[str], str]:
    """Exit code, the lines between what is compared and the connections to PostgreSQL, and stderr."""
    code, output, errors = run_script(platform, "deploy.py", "--plan", root=root)
    _, *lines, connections = output.splitlines()
    assert "for administration; max_connections of PostgreSQL at 127.0.0.1:" in connections
    return code, lines, errors


def test_nothing_to_do_is_said_so(platform: Platform) -> None:
    assert run_plan(platform) == (0, ["plan: no changes of functions"], "")
    code, output, _ = run_script(platform, "provision.py", "--plan")
    assert (code, output.splitlines()[-1]) == (0, "plan: no changes of the cluster")


def test_a_change_is_of_its_function_and_names_the_fields_and_nothing_is_done(
    platform: Platform, tmp_path: Path
) -> None:
    clone = Clone(tmp_path)
    config = clone.root / "deployment/functions/crear-orden.yaml"
    clone.edit(config, lambda text: text.replace("parallelism: 1", "parallelism: 2"))
    clone.edit(clone.root / "functions/ordenes/revertir_orden_creada.py", lambda text: text + "\n# otra\n")
    for _ in range(2):
        code, lines, errors = run_plan(platform, clone.root)
        assert (code, errors) == (0, "")
        assert lines == [
            "  crear-orden: update (parallelism)",
            "  revertir-orden-creada: update (package)",
            "plan: 2 changes of functions",
        ]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("subName: crear-orden", "subName: otra", "crear-orden: subName is 'crear-orden', wanted 'otra'"),
        ("parallelism: 1", "paralelism: 1", "crear-orden: paralelism: Pulsar knows no such field, and would ignore it"),
    ],
)
@pytest.mark.parametrize("arguments", [("--plan",), ()])
def test_what_pulsar_would_refuse_or_ignore_is_refused_before_anything_is_touched(
    platform: Platform, tmp_path: Path, old: str, new: str, expected: str, arguments: tuple[str, ...]
) -> None:
    clone = Clone(tmp_path)
    clone.edit(clone.root / "deployment/functions/crear-orden.yaml", lambda text: text.replace(old, new))
    code, _, errors = run_script(platform, "deploy.py", *arguments, root=clone.root)
    assert code == 1
    assert expected in errors
    assert run_plan(platform) == (0, ["plan: no changes of functions"], "")
