"""What every way to run a platform has: one process of each kind (`single`), or a cluster. All commands use this."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from deployment.local.services import Service


class Remembered(Protocol):
    """Settings of a platform, which its data folder keeps."""

    @property
    def data(self) -> Path:
        """The data folder."""

    def remember(self, services: Collection[str], /) -> None:
        """Marks the data folder as a platform's, which has these services."""


S = TypeVar("S", bound=Remembered, covariant=True)


@dataclass(frozen=True)
class Profile(ABC, Generic[S]):
    """A platform in its data folder, which remembers what it was started with."""

    settings: S

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.settings.data

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """Its services, in the order in which they are started."""

    @abstractmethod
    def service(self, name: str) -> Service:
        """How one of them is started."""

    @abstractmethod
    def listeners(self, name: str) -> Collection[tuple[str, int, str]]:
        """Where it listens: address, port, and how to make it listen elsewhere."""

    @abstractmethod
    def instances(self, name: str) -> list[int]:
        """The function instances that a service started, and that end with it."""

    @abstractmethod
    def prepare(self) -> None:
        """Makes passwords, configuration and whatever else its services share; safe to repeat."""

    @abstractmethod
    def environment(self, role: str | None) -> dict[str, str]:
        """What people and their commands need, in that role where the platform knows roles."""

    def changed(self, environ: Mapping[str, str]) -> list[str]:
        """Settings of the environment that differ from the remembered ones, as "NAME=new (was old)"."""
        return []

    def namespace(self, name: str) -> str | None:
        """The network namespace in which a service lives; None if that is the commands' own."""
        return None

    def connect(self) -> None:  # a loopback interface needs nothing
        """Makes the network that its services need, outside of the data folder; safe to repeat."""

    def dismantle(self) -> None:
        """Removes what `connect` made; no service runs any more."""

    def leaving(self, name: str) -> None:
        """What has to be done before a service is stopped."""
