"""A cluster in memory, and its record of deployments."""

from collections.abc import Iterator

import pytest

from tests.support.fake_functions import FakeFunctions, fake_functions
from tests.support.fake_record import FakeRecord


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeFunctions]:
    with fake_functions(monkeypatch) as cluster:
        yield cluster


@pytest.fixture
def record() -> FakeRecord:
    return FakeRecord()
