"""The configuration files of a cluster, and the environment of its services and of people."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from deployment.local import render, services
from deployment.local.cluster import certificates, nodes, tokens
from deployment.local.cluster.settings import Settings
from deployment.local.errors import PlatformError
from deployment.local.settings import REPOSITORY

DEFAULT_ROLE: Final = "deployer"
"""Whose token people's commands have, unless they name another role."""
_TEMPLATES: Final = {
    "zookeeper": "zookeeper.cfg",
    "bookie": "bookie.conf",
    "broker": "broker.conf",
    "functions-worker": "functions_worker.yml",
}


def folder(data: Path, name: str) -> Path:
    """Where a node's configuration is; its name is the template's."""
    return data / "conf" / name


def file(data: Path, name: str) -> Path:
    """A node's configuration."""
    return folder(data, name) / _TEMPLATES[nodes.kind(name)]


def client_conf(data: Path, role: str) -> Path:
    """How a role reaches the brokers and the functions workers. PlatformError if there is no such role."""
    if role not in tokens.roles():
        raise PlatformError(f"there is no role {role!r}; there are {', '.join(tokens.roles())}")
    return data / "conf" / "clients" / f"{role}.conf"


def write_all(settings: Settings) -> None:
    """Renders everything; safe to repeat."""
    data = settings.data
    (data / "conf" / "clients").mkdir(parents=True, exist_ok=True)
    common = _common(settings)
    for name in nodes.HOSTS:
        if nodes.kind(name) in _TEMPLATES:
            folder(data, name).mkdir(exist_ok=True)
            file(data, name).write_text(render.fill(f"cluster/{file(data, name).name}", common | _own(settings, name)))
    for role in tokens.roles():
        client_conf(data, role).write_text(render.fill("cluster/client.conf", common | {"role": role}))
    render.write_common(data, pulsar_urls(settings), str(client_conf(data, DEFAULT_ROLE)))


def _common(settings: Settings) -> dict[str, str]:
    data = settings.data
    return {
        "data": str(data),
        "repository": render.in_quotes(REPOSITORY),
        "metadata": metadata(settings),
        "authority": str(certificates.authority(data)),
        "public_key": str(tokens.public_key(data)),
        "tokens": str(tokens.folder(data)),
        "superusers": ",".join(tokens.SUPERUSERS),
        "service_url": service_url(settings),
        "admin_url": "https://" + ",".join(_addresses(settings, "broker", 1)),
        "interface": "eth0" if settings.isolated else "lo",
    }


def _own(settings: Settings, name: str) -> dict[str, str]:
    port, *others = nodes.PORTS[nodes.kind(name)]
    return {
        "name": name,
        "address": settings.address(name),
        "port": str(port),
        "https_port": str(others[0]) if others else "",
        "certificate": str(certificates.certificate(settings.data, name)),
        "key": str(certificates.key(settings.data, name)),
        "both": str(certificates.both(settings.data, name)),
    }


def metadata(settings: Settings) -> str:
    """Where brokers, bookies and workers keep what they share."""
    return f"zk:{settings.address('zookeeper')}:{nodes.PORTS['zookeeper'][0]}"


def zookeeper_client(settings: Settings, name: str) -> list[str]:
    """The Java options by which a node reaches ZooKeeper, with its certificate."""
    options = {
        "zookeeper.client.secure": "true",
        "zookeeper.clientCnxnSocket": "org.apache.zookeeper.ClientCnxnSocketNetty",
        "zookeeper.ssl.keyStore.type": "PEM",
        "zookeeper.ssl.keyStore.location": str(certificates.both(settings.data, name)),
        "zookeeper.ssl.trustStore.type": "PEM",
        "zookeeper.ssl.trustStore.location": str(certificates.authority(settings.data)),
        "zookeeper.ssl.hostnameVerification": "false",
    }
    return [f"-D{option}={value}" for option, value in options.items()]


def pulsar_urls(settings: Settings) -> dict[str, str]:
    """Where brokers and functions workers are, as the scripts' environment has it."""
    return {
        "PULSAR_SERVICE_URL": service_url(settings),
        "PULSAR_ADMIN_URL": admin_url(settings),
        "PULSAR_FUNCTIONS_URL": functions_url(settings),
    }


def service_url(settings: Settings) -> str:
    """All brokers: a client goes on to the next one when one is away."""
    return "pulsar+ssl://" + ",".join(_addresses(settings, "broker", 0))


def admin_url(settings: Settings) -> str:
    """The first broker that runs: the admin API of one is that of all."""
    return "https://" + _first(settings, "broker", 1)


def functions_url(settings: Settings) -> str:
    """The first functions worker that runs."""
    return "https://" + _first(settings, "functions-worker", 0)


def _first(settings: Settings, kind: str, port: int) -> str:
    running = [name for name in nodes.of_kind(kind) if services.pid(settings.data, name)]
    return _address(settings, (running or nodes.of_kind(kind))[0], port)


def _addresses(settings: Settings, kind: str, port: int) -> list[str]:
    return [_address(settings, name, port) for name in nodes.of_kind(kind)]


def _address(settings: Settings, name: str, port: int) -> str:
    return f"{settings.address(name)}:{nodes.PORTS[nodes.kind(name)][port]}"
