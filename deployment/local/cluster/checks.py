"""Whether the nodes of a cluster are ready, and what must be there before the first one of them is."""

from __future__ import annotations

import socket
import ssl
import subprocess
from typing import Final

from deployment.local import credentials, java
from deployment.local.cluster import certificates, configuration, nodes, tokens
from deployment.local.cluster.settings import Settings
from deployment.local.errors import PlatformError
from deployment.local.requests import http

METADATA_DRIVERS: Final = [
    "-Dbookkeeper.metadata.bookie.drivers=org.apache.pulsar.metadata.bookkeeper.PulsarMetadataBookieDriver",
    "-Dbookkeeper.metadata.client.drivers=org.apache.pulsar.metadata.bookkeeper.PulsarMetadataClientDriver",
]
"""Without these options BookKeeper does not know Pulsar's way of keeping its metadata."""


def initialize(settings: Settings, name: str) -> None:
    """Writes what ZooKeeper must have before the first bookie and broker, once, with the certificate of a node."""
    done = settings.data / "zookeeper" / "initialized"
    if done.exists():
        return
    binary, https = (f"{settings.address('broker-1')}:{port}" for port in nodes.PORTS["broker"])
    main = ["org.apache.pulsar.PulsarClusterMetadataSetup", "--cluster", "cluster"]
    main += ["--metadata-store", configuration.metadata(settings)]
    main += ["--configuration-metadata-store", configuration.metadata(settings)]
    main += ["--web-service-url", f"https://{https}", "--web-service-url-tls", f"https://{https}"]
    main += ["--broker-service-url", f"pulsar+ssl://{binary}", "--broker-service-url-tls", f"pulsar+ssl://{binary}"]
    options = [*METADATA_DRIVERS, *configuration.zookeeper_client(settings, name)]
    command = [*java.tool(settings.data / "conf", options), *main]
    result = subprocess.run(command, env=credentials.inherited(), capture_output=True, text=True)
    if result.returncode:
        raise PlatformError(f"writing the cluster's first metadata failed:\n{result.stdout}{result.stderr}")
    done.touch()


def listens(settings: Settings, name: str) -> bool:
    """Whether a node takes connections."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((settings.address(name), nodes.PORTS[nodes.kind(name)][0])) == 0


def shakes_hands(settings: Settings, name: str) -> bool:
    """Whether a node that wants a certificate of its clients answers TLS."""
    context = ssl.create_default_context(cafile=str(certificates.authority(settings.data)))
    context.load_cert_chain(certificates.both(settings.data, name))
    address = settings.address(name)
    try:
        with socket.create_connection((address, nodes.PORTS[nodes.kind(name)][0]), 1) as plain:
            context.wrap_socket(plain, server_hostname=address).close()
    except OSError:
        return False
    return True


def ask(settings: Settings, name: str, port: int, path: str) -> bytes | None:
    """What a node answers the administrator, on one of its ports; None unless it is a success."""
    token = tokens.file(settings.data, "administrator").read_text()
    context = ssl.create_default_context(cafile=str(certificates.authority(settings.data)))
    url = f"https://{settings.address(name)}:{nodes.PORTS[nodes.kind(name)][port]}{path}"
    return http(url, timeout=10, token=token, context=context)
