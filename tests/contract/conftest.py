"""What the tests of the house's rules share."""

from pathlib import Path

import pytest

from tests.support.plant import Plant, planting


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    """Plants files into an empty repository."""
    return planting(tmp_path)
