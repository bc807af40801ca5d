"""A client.conf, as pulsar-admin reads it, for the Python client and for the admin REST API."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlparse

import pulsar

_PLUGIN: Final = "org.apache.pulsar.client.impl.auth.Authentication"


def from_env() -> dict[str, str]:
    """The settings of the file that PULSAR_CLIENT_CONF names, none if it is not set. Raises OSError if the file can't
    be read, ValueError if it is not text.
    """
    file = os.environ.get("PULSAR_CLIENT_CONF")
    return parse(Path(file).read_text("utf-8")) if file else {}


def parse(text: str) -> dict[str, str]:
    """The non-empty settings in the text of a client.conf. As in Java, the last one of each name counts."""
    lines = (line.strip() for line in text.splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith(("#", "!")))
    settings = {name.strip(): value.strip() for name, _, value in pairs}
    return {name: value for name, value in settings.items() if value}


def options(conf: Mapping[str, str]) -> dict[str, Any]:
    """The arguments of pulsar.Client for these settings. Raises ValueError for settings that it has no
    counterpart of.
    """
    if conf.get("useKeyStoreTls", "false").lower() == "true":
        raise ValueError("useKeyStoreTls=true is for Java only: name PEM files (tlsTrustCertsFilePath, …)")
    given = {
        "tls_trust_certs_file_path": conf.get("tlsTrustCertsFilePath"),
        "tls_certificate_file_path": conf.get("tlsCertificateFilePath"),
        "tls_private_key_file_path": conf.get("tlsKeyFilePath"),
        "tls_allow_insecure_connection": conf.get("tlsAllowInsecureConnection", "false").lower() == "true",
        "tls_validate_hostname": conf.get("tlsEnableHostnameVerification", "false").lower() == "true",
        "authentication": authentication(conf.get("authPlugin", ""), conf.get("authParams", "")),
    }
    return {name: value for name, value in given.items() if value is not None}


def authentication(plugin: str, parameters: str) -> pulsar.Authentication | None:
    """The authentication of pulsar.Client for authPlugin and authParams: tokens and client certificates. Raises
    ValueError for other plugins, and for parameters that are incomplete.
    """
    match plugin.removeprefix(_PLUGIN):
        case "" | "Disabled":
            return None
        case "Token":
            return pulsar.AuthenticationToken(token(parameters))
        case "Tls":
            return pulsar.AuthenticationTLS(*certificate(parameters))
    raise ValueError(f"authPlugin {plugin!r} is not supported: AuthenticationToken and AuthenticationTls are")


def certificate(parameters: str) -> tuple[str, str]:
    """The paths of certificate and key in the authParams of AuthenticationTls. Raises ValueError if one is missing."""
    pairs = _json(parameters) or dict(pair.split(":", 1) for pair in parameters.split(",") if ":" in pair)
    if missing := {"tlsCertFile", "tlsKeyFile"} - set(pairs):
        raise ValueError(f"authParams of AuthenticationTls must say {', '.join(sorted(missing))}")
    return pairs["tlsCertFile"], pairs["tlsKeyFile"]


def token(parameters: str) -> str | Callable[[], str]:
    """The token in the authParams `token:…`, `{"token": …}` or the token itself; for `file:///…` a function that reads
    the file, for each connection anew. Raises ValueError if it is empty, OSError if the file can't be read.
    """
    if parameters.startswith("file:"):
        path = Path(unquote(urlparse(parameters).path))
        path.read_text("utf-8")  # a missing file is an error now, not inside the client's thread
        return lambda: path.read_text("utf-8").strip()
    given = _json(parameters).get("token") or parameters.removeprefix("token:")
    if not given:
        raise ValueError("authParams is empty: it must be token:…, or file:///… with the path of a file with the token")
    return given


def _json(parameters: str) -> dict[str, str]:
    return {key: str(value) for key, value in json.loads(parameters).items()} if parameters[:1] == "{" else {}
