"""Settings of one platform: the environment first, then what its data folder remembers, then the defaults."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from deployment.local.errors import PlatformError

REPOSITORY = Path(__file__).resolve().parents[2]
MARKER = "poc-monoliticas"
PROFILES = ("single", "cluster")
PORTS = {
    "pulsar_port": 6650,
    "pulsar_http_port": 8080,
    "functions_port": 6750,
    "postgres_port": 15432,
    "bff_port": 3000,
}
# Beside letters and digits. BookKeeper makes a URI of the path, Prometheus takes it for a pattern.
ALLOWED = "/._+@~=-"
# Bytes; PostgreSQL's paths end at 1023.
MAX_LENGTH = 600
MEMORY = {
    "pulsar_memory": "-Xms256m -Xmx1g -XX:MaxDirectMemorySize=1g",
    "functions_memory": "-Xms64m -Xmx256m -XX:MaxDirectMemorySize=256m",
}


@dataclass(frozen=True, slots=True)
class Settings:
    """Each field is the environment variable of its name in capitals; `data` is PLATFORM_DATA."""

    data: Path
    pulsar_port: int
    pulsar_http_port: int
    bookie_port: int
    functions_port: int
    postgres_port: int
    bff_port: int
    pulsar_memory: str
    functions_memory: str

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        data = data_folder(environ)
        before, named = remembered(data).get("settings", {}), explicit(environ)
        known: dict[str, Any] = PORTS | MEMORY | before | named
        known.setdefault("bookie_port", known["pulsar_port"] + 1)
        if known["bookie_port"] != before.get("bookie_port", known["bookie_port"]):
            # The bookie's data is signed with it.
            raise PlatformError(f"BOOKIE_PORT stays {before['bookie_port']} for the life of {data}; unset it")
        settings = cls(data=data, **known)
        settings._refuse_shared_ports()
        return settings

    def ports(self) -> dict[str, int]:
        return {k.upper(): v for k, v in asdict(self).items() if k.endswith("_port")}

    def remember(self, services: Collection[str]) -> None:
        """Marks the data folder as a platform's and keeps what later commands need to know."""
        remember(self.data, "single", services, {k: v for k, v in asdict(self).items() if k != "data"})

    def _refuse_shared_ports(self) -> None:
        ports = self.ports()
        for port, uses in Counter(ports.values()).items():
            if uses > 1:
                names = " and ".join(name for name, value in ports.items() if value == port)
                raise PlatformError(f"{names} are both {port}; give each a port of its own")


def data_folder(environ: Mapping[str, str]) -> Path:
    """The platform's data folder, PLATFORM_DATA, by default one in the checkout for each profile."""
    default = ".data-cluster" if environ.get("PLATFORM_PROFILE") == "cluster" else ".data"
    data = Path(environ.get("PLATFORM_DATA") or REPOSITORY / default).expanduser().resolve()
    if refused := {character for character in str(data) if not (character.isalnum() or character in ALLOWED)}:
        raise PlatformError(f"{str(data)!r} can't have {sorted(refused)} in it; choose another PLATFORM_DATA")
    if (length := len(str(data).encode())) > MAX_LENGTH:
        raise PlatformError(
            f"{data} has {length} bytes, at most {MAX_LENGTH} are possible; choose another PLATFORM_DATA"
        )
    return data


def explicit(environ: Mapping[str, str]) -> dict[str, Any]:
    """The settings that the environment names, converted."""
    found: dict[str, Any] = {k: environ[k.upper()] for k in MEMORY if environ.get(k.upper())}
    for field in (*PORTS, "bookie_port"):
        if text := environ.get(field.upper()):
            if not text.isdecimal() or not 0 < int(text) < 65536:
                raise PlatformError(f"{field.upper()}={text!r} is not a port; use a number from 1 to 65535")
            found[field] = int(text)
    return found


def remember(data: Path, profile: str, services: Collection[str], values: Mapping[str, Any]) -> None:
    """Writes what `remembered` reads: the services that the platform ever had, and its settings."""
    names = sorted({*services, *remembered(data).get("services", ())})
    text = json.dumps({"platform": MARKER, "profile": profile, "services": names, "settings": values}, indent=2)
    new = data / "platform.json.new"
    new.write_text(text + "\n")
    new.replace(data / "platform.json")


def remembered(data: Path) -> dict[str, Any]:
    """What `remember` wrote; empty for a folder that is no platform's."""
    try:
        found = json.loads((data / "platform.json").read_text())
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except json.JSONDecodeError as problem:
        raise PlatformError(f"{data}/platform.json is damaged ({problem}); remove the folder") from problem
    return found if isinstance(found, dict) and found.get("platform") == MARKER else {}


def changed(environ: Mapping[str, str], data: Path) -> list[str]:
    """Variables whose explicit value differs from the remembered one, as "NAME=new (was old)"."""
    before = remembered(data).get("settings", {})
    return [
        f"{field.upper()}={value} (was {before[field]})"
        for field, value in explicit(environ).items()
        if field in before and before[field] != value
    ]
