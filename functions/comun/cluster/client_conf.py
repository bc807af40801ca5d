"""A client.conf, as pulsar-admin reads it: for the Python client and for the admin REST API."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlparse

import pulsar

_PLUGIN: Final = "org.apache.pulsar.client.impl.auth.Authentication"


def de_entorno() -> dict[str, str]:
    """The file that PULSAR_CLIENT_CONF names; nothing without it. Raises OSError, and ValueError if it is no text."""
    archivo = os.environ.get("PULSAR_CLIENT_CONF")
    return leer(Path(archivo).read_text("utf-8")) if archivo else {}


def leer(texto: str) -> dict[str, str]:
    """The settings of a client.conf that are not empty; as in Java, the last of each name counts."""
    lineas = (linea.strip() for linea in texto.splitlines())
    pares = (linea.partition("=") for linea in lineas if linea and not linea.startswith(("#", "!")))
    todas = {nombre.strip(): valor.strip() for nombre, _, valor in pares}
    return {nombre: valor for nombre, valor in todas.items() if valor}


def opciones(conf: Mapping[str, str]) -> dict[str, Any]:
    """What pulsar.Client takes for these settings; ValueError for what it has no counterpart for."""
    if conf.get("useKeyStoreTls", "false").lower() == "true":
        raise ValueError("useKeyStoreTls=true is for Java only: name PEM files (tlsTrustCertsFilePath, …)")
    dadas = {
        "tls_trust_certs_file_path": conf.get("tlsTrustCertsFilePath"),
        "tls_certificate_file_path": conf.get("tlsCertificateFilePath"),
        "tls_private_key_file_path": conf.get("tlsKeyFilePath"),
        "tls_allow_insecure_connection": conf.get("tlsAllowInsecureConnection", "false").lower() == "true",
        "tls_validate_hostname": conf.get("tlsEnableHostnameVerification", "false").lower() == "true",
        "authentication": autenticacion(conf.get("authPlugin", ""), conf.get("authParams", "")),
    }
    return {nombre: valor for nombre, valor in dadas.items() if valor is not None}


def autenticacion(plugin: str, parametros: str) -> pulsar.Authentication | None:
    """Tokens and client certificates, with their parameters as pulsar-admin takes them."""
    match plugin.removeprefix(_PLUGIN):
        case "" | "Disabled":
            return None
        case "Token":
            return pulsar.AuthenticationToken(token(parametros))
        case "Tls":
            return pulsar.AuthenticationTLS(*certificado(parametros))
    raise ValueError(f"authPlugin {plugin!r} is not supported: AuthenticationToken and AuthenticationTls are")


def certificado(parametros: str) -> tuple[str, str]:
    """The files of AuthenticationTls: certificate and key."""
    pares = _json(parametros) or dict(par.split(":", 1) for par in parametros.split(",") if ":" in par)
    if faltan := {"tlsCertFile", "tlsKeyFile"} - set(pares):
        raise ValueError(f"authParams of AuthenticationTls must say {', '.join(sorted(faltan))}")
    return pares["tlsCertFile"], pares["tlsKeyFile"]


def token(parametros: str) -> str | Callable[[], str]:
    """`token:…`, `file:///…` (read at each connection), {"token": …}, or the token itself."""
    if parametros.startswith("file:"):
        ruta = Path(unquote(urlparse(parametros).path))
        ruta.read_text("utf-8")  # a missing file is an error now, not inside the client's thread
        return lambda: ruta.read_text("utf-8").strip()
    dado = _json(parametros).get("token") or parametros.removeprefix("token:")
    if not dado:
        raise ValueError("authParams is empty: it must be token:…, or file:///… with the path of a file with the token")
    return dado


def _json(parametros: str) -> dict[str, str]:
    return {clave: str(valor) for clave, valor in json.loads(parametros).items()} if parametros[:1] == "{" else {}
