"""A new command, laid out by `make new`, on a platform of its own: deployed beside the others, it answers."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.e2e.dlq_helpers import run_script
from tests.e2e.test_saga import crear_producto, final, registrar_conductores, request_orden
from tests.support.clone import EVERYTHING, Clone
from tests.support.platform import Platform, deployed, wait_for

pytestmark = pytest.mark.e2e

TOPIC = "ordenes/comando-archivar-orden"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Everything, with these sources deployed: what a new function joins."""
    with deployed(Platform(tmp_path_factory.mktemp("new"))) as platform:
        yield platform


def test_a_new_command_is_deployed_and_answers_what_exists_and_what_does_not(shop: Platform, tmp_path: Path) -> None:
    clone = Clone(tmp_path, EVERYTHING)
    assert "functions/ordenes/archivar_orden.py" in clone.add_command(TOPIC)

    def run(script: str, *arguments: str) -> str:
        code, output, errors = run_script(shop, script, *arguments, root=clone.root)
        assert code == 0, output + errors
        return output

    run("provision.py")
    assert "archivar-orden: created" in run("deploy.py", "archivar-orden")
    registrar_conductores(shop, 1)
    id_orden = request_orden(shop, crear_producto(shop, 1))
    final(shop, id_orden)
    run("publish.py", TOPIC, "--sample", "--set", f"id_orden={id_orden}")
    receipts = "select count(*) from recibos where funcion = 'archivar-orden'"
    wait_for("the receipt of a known order", lambda: shop.sql("ordenes", receipts) == [(1,)])
    run("publish.py", TOPIC, "--sample", "--set", f"id_orden={uuid4()}")
    wait_for("the dead letter of an unknown one", lambda: "there is no such order" in run("dlq.py", "list", "--json"))
    assert final(shop, id_orden)[0]["estado"] == "iniciada"
