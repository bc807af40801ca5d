"""What the BFF's tests share."""

import pytest

from tests.support.fakes import FakePublisher


@pytest.fixture
def publisher() -> FakePublisher:
    """Where the application under test publishes."""
    return FakePublisher()
