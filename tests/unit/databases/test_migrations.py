"""Migrations are found wherever the checkout lies."""

import shutil
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from deployment.databases import __main__ as databases
from deployment.databases.names import DATABASES

NAMES = ["a shop", "shop_feature%2Fcarts", "100%", "shop:main", "a;b,c", "año#1?&'\"$x", "%(here)s"]


@pytest.mark.parametrize("name", NAMES)
def test_migrations_are_found_whatever_the_path(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / name / "databases"
    shutil.copytree(databases.FOLDER, folder)
    monkeypatch.setattr(databases, "FOLDER", folder)
    for database in DATABASES:
        newest = max((folder / "versions" / database).glob("*.py")).name[:4]
        script = ScriptDirectory.from_config(databases.alembic_config(database))
        assert script.get_heads() == [newest]
        assert script.dir == str(folder)
