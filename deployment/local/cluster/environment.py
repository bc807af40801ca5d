"""The environment that the services of a cluster, its functions and people get."""

from __future__ import annotations

from deployment.databases.names import DATABASES
from deployment.local import credentials
from deployment.local.cluster import certificates, configuration, nodes
from deployment.local.cluster.settings import Settings


def addresses(settings: Settings) -> dict[str, str]:
    """Where everything listens, and the tools. No secrets."""
    return configuration.pulsar_urls(settings) | {
        "PULSAR_ADMIN": str(settings.data / "bin" / "pulsar-admin"),
        "PULSAR_SHELL": str(settings.data / "bin" / "pulsar-shell"),
        "FUNCTIONS_LOGS": str(settings.data / "logs" / "functions"),
        "DB_HOSTNAME": ",".join(map(settings.address, nodes.of_kind("postgres"))),
        "DB_PORT": str(nodes.PORTS["postgres"][0]),
        "DB_SSLMODE": "verify-full",
        "DB_SSLROOTCERT": str(certificates.authority(settings.data)),
        "BFF_REPLICAS": str(len(nodes.of_kind("bff"))),
    }


def for_functions(settings: Settings) -> dict[str, str]:
    """The worker's: the database roles that functions work with, nobody else's."""
    known = credentials.passwords(settings.data)
    return addresses(settings) | {credentials.variable(role): known[role] for role in DATABASES}


def for_bff(settings: Settings, name: str) -> dict[str, str]:
    """Without the admin API: the panel's figures need more rights than the role `bff` has."""
    known = credentials.passwords(settings.data)
    return {name: value for name, value in addresses(settings).items() if name != "PULSAR_ADMIN_URL"} | {
        "PULSAR_CLIENT_CONF": str(configuration.client_conf(settings.data, "bff")),
        "DB_USERNAME": "bff",
        "DB_PASSWORD": known["bff"],
        "BFF_HOST": settings.address(name),
        "BFF_PORT": str(nodes.PORTS["bff"][0]),
        "BFF_JWT_SECRET": known["jwt"],
        "BFF_TLS_CERTIFICATE": str(certificates.certificate(settings.data, name)),
        "BFF_TLS_KEY": str(certificates.key(settings.data, name)),
    }


def for_people(settings: Settings, role: str) -> dict[str, str]:
    """What `env` and `run` give: everything, with the token of a role, and the database administrator's password."""
    known = credentials.passwords(settings.data)
    return for_functions(settings) | {
        "PULSAR_CLIENT_CONF": str(configuration.client_conf(settings.data, role)),
        credentials.variable("bff"): known["bff"],
        "DB_ADMIN_USERNAME": "postgres",
        "DB_ADMIN_PASSWORD": known["postgres"],
        "BFF_JWT_SECRET": known["jwt"],
        "BFF_URL": f"https://{settings.address('bff-1')}:{nodes.PORTS['bff'][0]}",
        "BFF_AUTHORITY": str(certificates.authority(settings.data)),
    }
