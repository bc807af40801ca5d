"""`make new`: which topics can be laid out, and that files are written all or not at all."""

from importlib import import_module
from pathlib import Path

import pytest
from tools.errors import ToolError
from tools.new.contexts import CONTEXTS
from tools.new.edits import with_decision, with_payload
from tools.new.model import PAYLOADS, parse, require_free
from tools.new.workspace import write

from tests.support.platform import ROOT


def test_all_names_follow_from_the_topic() -> None:
    command = parse("ordenes/comando-archivar-orden")
    assert (command.topic, command.decision) == ("ordenes/comando-archivar-orden", "archivar_orden")
    assert (command.function_class, command.payload_class) == ("ArchivarOrden", "ComandoArchivarOrden")
    require_free(command, ROOT)


@pytest.mark.parametrize(
    ("topic", "reason"),
    [
        ("comando-archivar-orden", "there is no context 'comando-archivar-orden'"),
        ("pagos/comando-cobrar", "there is no context 'pagos' that decides about anything; there are ordenes, "),
        ("saga/comando-x", "there is no context 'saga'"),
        ("ordenes/", "'ordenes/' is no command topic"),
        ("ordenes/evento-orden-cancelada", "is no command topic: small ASCII letters and hyphens are wanted"),
        ("ordenes/comando-Cancelar", "is no command topic"),
        ("ordenes/comando-archivar_orden", "is no command topic"),
        ("ordenes/comando--orden", "is no command topic"),
        ("ordenes/comando-añadir", "is no command topic"),
        ("ordenes/../comando-x", "is no command topic"),
        ("ordenes/comando-x\n", "is no command topic"),
        ("ordenes/comando-import", "import is a word of Python's"),
        ("ordenes/comando-orden-dlq", "ends as other names do that are not commands': -dlq, -canary"),
        ("ordenes/comando-" + "x" * 43, "has 51 characters, at most 50 are allowed"),
    ],
)
def test_a_name_that_no_command_can_have_is_refused(topic: str, reason: str) -> None:
    with pytest.raises(ToolError, match=reason):
        parse(topic)


@pytest.mark.parametrize(
    ("topic", "reason"),
    [
        ("ordenes/comando-crear-orden", r"exists: schemas/ordenes/comando-crear-orden\.avsc"),
        ("productos/comando-crear-orden", r"deployment/functions/crear-orden\.yaml is in the way"),
        ("ordenes/comando-tables", r"functions/ordenes/tables\.py is in the way"),
        ("ordenes/comando-crear", r"decisions\.py has something else that is called crear$"),
        ("productos/comando-replace", r"decisions\.py has something else that is called replace$"),
    ],
)
def test_what_is_in_the_way_is_named(topic: str, reason: str) -> None:
    with pytest.raises(ToolError, match=reason):
        require_free(parse(topic), ROOT)


def test_a_schema_that_was_released_once_and_removed_is_in_the_way(tmp_path: Path) -> None:
    for path in (PAYLOADS, Path("functions/ordenes/decisions.py")):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text("", "utf-8")
    command = parse("ordenes/comando-x")
    require_free(command, tmp_path)
    (tmp_path / "schemas/releases/ordenes/comando-x").mkdir(parents=True)
    with pytest.raises(ToolError, match=r"schemas/releases/ordenes/comando-x is in the way"):
        require_free(command, tmp_path)


@pytest.mark.parametrize("name", CONTEXTS)
def test_a_contexts_aggregate_is_that_of_its_code(name: str) -> None:
    context = CONTEXTS[name]
    tables, decisions = (import_module(f"functions.{name}.{module}") for module in ("tables", "decisions"))
    store = eval(context.store, vars(tables) | {"now": lambda _: None, "tx": None})
    assert store.key == context.key
    assert isinstance(getattr(decisions, context.aggregate.capitalize()), type)


@pytest.mark.parametrize("name", CONTEXTS)
def test_modules_with_a_new_part_keep_all_that_they_had(name: str) -> None:
    command = parse(f"{name}/comando-x")
    for path, change in ((PAYLOADS, with_payload), (command.decisions, with_decision)):
        before = (ROOT / path).read_text("utf-8").splitlines()
        after = iter(change(command, "\n".join(before) + "\n").splitlines())
        assert all(line in after for line in before)
        compile("\n".join(before), str(path), "exec")


def test_files_are_written_all_or_none(tmp_path: Path) -> None:
    (tmp_path / "changed").write_bytes(b"before")
    (tmp_path / "folder").mkdir()
    with pytest.raises(ToolError, match=r"nothing was changed: .*folder"):
        write(tmp_path, {Path("changed"): b"after", Path("a/new"): b"x", Path("folder"): b"can't be a file"})
    assert (tmp_path / "changed").read_bytes() == b"before"
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["changed"]
    write(tmp_path, {Path("changed"): b"after", Path("a/new"): b"x"})
    assert ((tmp_path / "changed").read_bytes(), (tmp_path / "a/new").read_bytes()) == (b"after", b"x")
