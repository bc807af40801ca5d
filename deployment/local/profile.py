"""The ways to run a platform: one process of each kind, or a cluster. All commands are the same for both."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Protocol

from deployment.local.cluster.platform import Cluster
from deployment.local.errors import PlatformError
from deployment.local.services import Service
from deployment.local.settings import PROFILES, data_folder, remembered
from deployment.local.single import Single


class Profile(Protocol):
    """A platform in its data folder, which remembers what it was started with."""

    @property
    def data(self) -> Path: ...
    @property
    def names(self) -> tuple[str, ...]:
        """Its services, in the order in which they are started."""

    def service(self, name: str) -> Service:
        """How one of them is started."""

    def namespace(self, name: str) -> str | None:
        """The network namespace in which it lives; None if that is the commands' own."""

    def listeners(self, name: str) -> Collection[tuple[str, int, str]]:
        """Where it listens: address, port, and how to make it listen elsewhere."""

    def instances(self, name: str) -> list[int]:
        """The function instances that a service started, and that end with it."""

    def changed(self, environ: Mapping[str, str]) -> list[str]:
        """Settings of the environment that differ from the remembered ones, as "NAME=new (was old)"."""

    def remember(self, names: Collection[str]) -> None:
        """Marks the data folder as this platform's, which has these services."""

    def connect(self) -> None:
        """Makes the network that its services need, outside of the data folder; safe to repeat."""

    def prepare(self) -> None:
        """Makes passwords, configuration and whatever else its services share; safe to repeat."""

    def leaving(self, name: str) -> None:
        """What has to be done before a service is stopped."""

    def dismantle(self) -> None:
        """Removes what `connect` made; no service runs any more."""

    def environment(self, role: str | None) -> dict[str, str]:
        """What people and their commands need, in that role where the platform knows roles."""


def from_env(environ: Mapping[str, str]) -> Profile:
    """The platform that the environment names. Raises PlatformError for settings that can't be used."""
    data = data_folder(environ)
    named = environ.get("PLATFORM_PROFILE")
    if named not in (None, "", *PROFILES):
        raise PlatformError(f"PLATFORM_PROFILE is {named!r}: it must be one of {', '.join(PROFILES)}")
    known = remembered(data).get("profile", "single" if remembered(data) else named or "single")
    if named and named != known:
        raise PlatformError(f"{data} is a platform of the profile {known}: unset PLATFORM_PROFILE={named}")
    return Cluster.from_env(environ) if known == "cluster" else Single.from_env(environ)
