"""The profile `single`: one process of each kind, without TLS and authentication, on the loopback interface."""

from __future__ import annotations

from collections.abc import Mapping

from deployment.local import credentials, render, services, settings
from deployment.local.errors import PlatformError
from deployment.local.profile import Profile
from deployment.local.services import Service
from deployment.local.settings import Settings


class Single(Profile[Settings]):
    """A platform of this profile."""

    @property
    def names(self) -> tuple[str, ...]:
        return services.NAMES

    def service(self, name: str) -> Service:
        return services.make(name, self.settings)

    def listeners(self, name: str) -> list[tuple[str, int, str]]:
        ports = self.settings.ports()
        return [("127.0.0.1", ports[name], f"set {name} to a free one") for name in services.PORTS[name]]

    def instances(self, name: str) -> list[int]:
        return services.instances(self.data / name) if name == "functions-worker" else []

    def changed(self, environ: Mapping[str, str]) -> list[str]:
        return settings.changed(environ, self.data)

    def prepare(self) -> None:
        credentials.generate(self.data)
        render.write_all(self.settings)

    def environment(self, role: str | None) -> dict[str, str]:
        if role is not None:
            raise PlatformError(f"--as {role}: this platform has no authentication, so nobody has a role")
        return credentials.for_people(self.settings)
