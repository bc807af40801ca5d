"""Packages of functions → importable code, and the schemas and SerDes that their classes make."""

import sys
import zipfile
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulsar
import pytest

from tests.unit.instance.modules import module

package = module("instance_package")
schemas = module("instance_schemas")
WHEEL = {
    "helper-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: helper\nVersion: 1.0\n",
    "helper-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "helper-1.0.dist-info/RECORD": "",
    "helper.py": "VALUE = 'from the wheel'\n",
}
SCHEMAS = """
class Taking:
    def __init__(self, *args): self.args = args
class Nothing(Taking):
    def __init__(self): self.args = ()
class RecordOnly(Taking):
    def __init__(self, record): self.args = (record,)
class PropertiesOnly(Taking):
    def __init__(self, properties):
        if isinstance(properties, type): raise TypeError
        self.args = (properties,)
class Both(Taking):
    def __init__(self, record, properties): self.args = (record, properties)
class Order: pass
"""


@pytest.fixture(autouse=True)
def _own_imports(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leaves neither paths nor modules behind."""
    before = set(sys.modules)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


def archive(file: Path, members: dict[str, str]) -> Path:
    with zipfile.ZipFile(file, "w") as target:
        for name, text in members.items():
            target.writestr(name, text)
    return file


def args(file: Path, **options: Any) -> Namespace:
    none = dict.fromkeys(("install_usercode_dependencies", "dependency_repository", "extra_dependency_repository"))
    return Namespace(**none | {"py": str(file)} | options)


def test_a_zip_has_its_code_in_src_and_its_wheels_in_deps(tmp_path: Path) -> None:
    wheel = archive(tmp_path / "helper-1.0-py3-none-any.whl", WHEEL)
    file = tmp_path / "tienda.zip"
    with zipfile.ZipFile(file, "w") as target:
        target.writestr("tienda/src/orders/__init__.py", "")
        target.writestr("tienda/src/orders/new.py", "import helper\nclass New: value = helper.VALUE\n")
        target.writestr("tienda/requirements.txt", "pytest\n")
        target.write(wheel, f"tienda/deps/{wheel.name}")
    package.unpack(args(file))
    assert package.load(str(tmp_path), "orders.new.New").value == "from the wheel"


def test_dependencies_that_cannot_be_installed_are_an_error(tmp_path: Path) -> None:
    file = archive(tmp_path / "bad.zip", {"bad/requirements.txt": "./no-such-folder\n"})
    with pytest.raises(RuntimeError, match="no-such-folder"):
        package.unpack(args(file))


@pytest.mark.parametrize("options", [{}, {"install_usercode_dependencies": "True"}])
def test_a_wheel_is_importable(tmp_path: Path, options: dict[str, str]) -> None:
    package.unpack(args(archive(tmp_path / "helper-1.0-py3-none-any.whl", WHEEL), **options))
    assert package.load(str(tmp_path), "helper").VALUE == "from the wheel"


def test_serdes_of_pulsar_need_no_package_name(tmp_path: Path) -> None:
    assert package.load(str(tmp_path), "serde.PickleSerDe") is pulsar.functions.serde.PickleSerDe


@pytest.mark.parametrize(("name", "error"), [("nothing.Here", ModuleNotFoundError), ("plain.Gone", AttributeError)])
def test_a_class_that_is_not_there_is_an_error(tmp_path: Path, name: str, error: type[Exception]) -> None:
    (tmp_path / "plain.py").write_text("")
    with pytest.raises(error):
        package.load(str(tmp_path), name)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("", pulsar.schema.BytesSchema), ("STRING", pulsar.schema.StringSchema), ("string", pulsar.schema.StringSchema)],
)
def test_schemas_that_need_no_class(tmp_path: Path, kind: str, expected: type) -> None:
    assert type(schemas.build(str(tmp_path), kind, "", {})) is expected


def test_a_schema_class_is_called_with_what_its_constructor_takes(tmp_path: Path) -> None:
    (tmp_path / "own_schemas.py").write_text(SCHEMAS)
    properties = {"a": "b"}
    record = package.load(str(tmp_path), "own_schemas.Order")
    expected = {
        "Nothing": (),
        "RecordOnly": (record,),
        "PropertiesOnly": (properties,),
        "Both": (record, properties),
    }
    for name, arguments in expected.items():
        built = schemas.build(str(tmp_path), f"own_schemas.{name}", "own_schemas.Order", properties)
        assert built.args == arguments, name


def test_a_record_class_that_is_not_there_counts_as_none(tmp_path: Path) -> None:
    (tmp_path / "own_schemas.py").write_text(SCHEMAS)
    assert schemas.build(str(tmp_path), "own_schemas.Both", "java.lang.String", {}).args == (None, {})
