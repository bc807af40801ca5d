"""What looks at functions say of a deployment, and which version a rollback goes to."""

from datetime import UTC, datetime
from typing import Any

import pytest
from deploy_history import GUARDADAS, Version, guardadas
from deploy_logs import Registros
from deploy_look import Vista
from deploy_rollback import destinos, elegidas, exigir_que_corra
from deploy_watch import Vigilada

AHORA = datetime(2026, 11, 25, tzinfo=UTC)
CONFIG: dict[str, Any] = {"name": "crear-orden", "namespace": "ordenes", "userConfig": {}}


def bien(consumidor: str, **cifras: Any) -> Vista:
    return Vista("", {consumidor: AHORA}, **cifras)


def vigilada(nueva: bool, antes: Vista, *vistas: Vista) -> Vigilada:
    """After one look each second."""
    una = Vigilada(nueva, antes)
    for hora, vista in enumerate(vistas):
        una.mirada(vista, hora)
    return una


def test_a_new_version_runs_when_two_looks_see_the_same_new_consumer() -> None:
    viejo, nuevo, parado = bien("viejo"), bien("nuevo"), Vista("an instance is starting", {})
    assert vigilada(True, viejo, viejo, viejo).firme < 0
    assert vigilada(True, viejo, parado, nuevo).firme == 0
    assert vigilada(True, viejo, viejo, parado, nuevo, nuevo, nuevo).firme == 2
    assert vigilada(True, viejo, nuevo, bien("otro")).firme == 0
    assert vigilada(True, viejo, nuevo, parado).firme < 0


def test_an_unchanged_function_runs_at_the_first_look_however_often_it_died_before() -> None:
    una = vigilada(False, Vista(), bien("viejo", reinicios=9))
    assert una.firme == 0
    assert una.rota("") == ""


@pytest.mark.parametrize(
    ("antes", "looks", "muertes"),
    [
        (0, [0, 1], 1),
        (5, [5, 5, 0, 1], 1),  # the version before's count, then the new one's
        (5, [5, 2], 2),
        (7, [9, 0, 1], 1),  # the version before died twice more until it was replaced
        (1, [1, 2, 3], 2),
    ],
)
def test_deaths_are_counted_since_the_deployment(antes: int, looks: list[int], muertes: int) -> None:
    una = vigilada(True, bien("viejo", reinicios=antes), *(Vista("starting", {}, reinicios) for reinicios in looks))
    assert una.reinicios == muertes
    assert bool(una.rota("Traceback")) == (muertes >= 2)


@pytest.mark.parametrize(("muertes", "traza", "rota"), [(2, "", False), (4, "", False), (5, "", True), (2, "x", True)])
def test_a_death_without_a_traceback_may_be_a_busy_machine_s(muertes: int, traza: str, rota: bool) -> None:
    una = vigilada(True, bien("viejo"), Vista("starting", {}, 0), Vista("starting", {}, muertes))
    assert bool(una.rota(traza)) == rota


def test_a_worker_that_does_not_answer_is_no_death() -> None:
    una = vigilada(True, bien("viejo", reinicios=5), Vista("503"), Vista("starting", {}, 5), Vista("503"))
    assert una.reinicios == 0


def test_an_exception_counts_only_when_it_must_be_the_new_versions() -> None:
    nueva = bien("nuevo", excepciones=("Traceback: ZeroDivisionError",))
    assert vigilada(True, bien("viejo"), bien("viejo", excepciones=("Traceback",))).rota("") == ""
    assert vigilada(True, bien("viejo"), nueva).rota("") == ""
    assert "ZeroDivisionError" in vigilada(True, bien("viejo"), nueva, nueva).rota("")
    assert vigilada(False, Vista(), nueva, nueva).rota("") == ""


def version(numero: int, funcion: str, paquete: str, fallo: str = "") -> Version:
    config = {"name": funcion, "userConfig": {"PACKAGE": paquete}}
    return Version(numero, funcion, "deploy", "2026-11-25T00:00:00+00:00", "ana@pc", "abc", config, fallo, b"")


VERSIONES = [
    version(1, "a", "1"),
    version(1, "b", "1"),
    version(2, "a", "2"),
    version(3, "b", "2", "it died"),
    version(4, "a", "3"),
    version(4, "c", "1"),
]


def van_a(hay: dict[str, str], hasta: int | None = None, nombradas: bool = True) -> dict[str, int]:
    corren = {nombre: {"userConfig": {"PACKAGE": paquete}, "name": nombre} for nombre, paquete in hay.items()}
    return {n: v.numero for n, v in destinos(VERSIONES, corren, hasta, nombradas).items()}


def test_a_rollback_goes_to_the_last_version_that_is_not_what_runs() -> None:
    assert van_a({"a": "3"}) == {"a": 2}
    assert van_a({"a": "2"}) == {"a": 4}
    assert van_a({"a": "by hand", "b": "by hand"}) == {"a": 4, "b": 1}


def test_a_rollback_to_a_version_takes_what_ran_then_and_nothing_that_failed() -> None:
    assert van_a({"a": "3", "b": "1"}, 3) == {"a": 2, "b": 1}
    assert van_a({"a": "3", "b": "1", "c": "1"}, 2, nombradas=False) == {"a": 2, "b": 1}


@pytest.mark.parametrize(("hay", "hasta"), [({"b": "1"}, None), ({"c": "1"}, 3)])
def test_a_rollback_to_what_is_not_on_record_is_refused(hay: dict[str, str], hasta: int | None) -> None:
    with pytest.raises(SystemExit, match="nothing was changed"):
        van_a(hay, hasta)


def test_without_names_the_last_deployment_is_undone_and_to_a_version_all_functions_go_back() -> None:
    assert elegidas(VERSIONES, [], None) == ["a", "c"]
    assert elegidas(VERSIONES, [], 1) == ["a", "b", "c"]
    assert elegidas(VERSIONES, ["b"], None) == ["b"]


def test_a_deployment_that_was_put_back_at_once_is_not_undone_once_more() -> None:
    fallida = [*VERSIONES, version(5, "a", "4", "it died")]
    assert elegidas(fallida, [], None) == ["a"]
    with pytest.raises(SystemExit, match="it is undone already"):
        exigir_que_corra(fallida, {"a": {"name": "a", "userConfig": {"PACKAGE": "3"}}})
    exigir_que_corra(fallida, {"a": {"name": "a", "userConfig": {"PACKAGE": "4"}}})


def test_the_last_versions_of_each_function_are_kept() -> None:
    todas = [version(1, "b", "1"), *(version(numero, "a", str(numero)) for numero in range(1, 15))]
    quedan = guardadas(todas)
    assert [v.numero for v in quedan if v.funcion == "a"] == list(range(15 - GUARDADAS, 15))
    assert [v.numero for v in quedan if v.funcion == "b"] == [1]


def test_the_last_traceback_since_the_deployment_is_found_in_the_logs(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "monoliticas/ordenes/crear-orden/crear-orden-0.log"
    log.parent.mkdir(parents=True)
    traza = "[2026-11-25 00:00:00 +0000] [CRITICAL] main.py: could not start\nTraceback (most recent call last):\n"
    log.write_text(f"{traza}OldError: x\n")
    monkeypatch.setenv("FUNCTIONS_LOGS", str(tmp_path))
    registros = Registros([CONFIG])
    assert registros.traza("crear-orden") == ""
    with log.open("a") as abierto:
        abierto.write(f"{traza}  File x\nNewError: y\n[2026-11-25 00:00:01 +0000] [INFO] main.py: Starting\n")
    assert registros.traza("crear-orden") == f"{traza}  File x\nNewError: y"
    assert registros.traza("otra") == ""
