"""The Pulsar client of the scripts, for whatever cluster pulsar-admin is set up for: the same client.conf."""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlparse

import pulsar

from functions.comun.publicador import NoPublicado

PLAZO: Final = 10
"""Longest wait for the broker's answer, in s."""
ENTORNO: Final = "  PULSAR_LOG                  /dev/null               a file for the Pulsar client's own log\n"
_PLUGIN: Final = "org.apache.pulsar.client.impl.auth.Authentication"


def conectar() -> pulsar.Client:
    """A client, which connects when first used; ends the program if the settings can't be used."""
    url, archivo = _url(), os.environ.get("PULSAR_CLIENT_CONF")
    registro = pulsar.FileLogger(pulsar.LoggerLevel.Warn, os.environ.get("PULSAR_LOG", os.devnull))
    try:
        conf = leer(Path(archivo).read_text("utf-8")) if archivo else {}
        return pulsar.Client(url, logger=registro, operation_timeout_seconds=PLAZO, **opciones(conf))
    except (OSError, ValueError) as error:
        sys.exit(f"error: can't use PULSAR_SERVICE_URL={url}, PULSAR_CLIENT_CONF={archivo}: {error}")


def con_cliente(trabajo: Callable[[pulsar.Client], int], interrumpido: str) -> int:
    """`programa`, with a client that is closed at its end."""

    def todo() -> int:
        cliente = conectar()
        try:
            return trabajo(cliente)
        finally:
            with suppress(pulsar.PulsarException):
                cliente.close()

    return programa(todo, interrumpido)


def programa(trabajo: Callable[[], int], interrumpido: str) -> int:
    """A program's exit code: what `trabajo` returns, or 1, 130 or 141 after what ended it was said."""
    for salida in (sys.stdout, sys.stderr):
        salida.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # what the terminal can't show
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        codigo = trabajo()
        sys.stdout.flush()
        return codigo
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what Python still flushes at its end
        return 141
    except KeyboardInterrupt:
        print(interrumpido, file=sys.stderr)
        return 130
    except (pulsar.PulsarException, NoPublicado) as error:
        print(f"error: {_que(error)}; PULSAR_LOG=FILE makes the client say more", file=sys.stderr)
        return 1


@contextmanager
def avisando() -> Iterator[None]:
    """Says what is waited for, if it takes longer than 2 s."""
    aviso = threading.Timer(2, lambda: print(f"waiting for the broker at {_url()} …", file=sys.stderr, flush=True))
    aviso.daemon = True
    aviso.start()
    try:
        yield
    finally:
        aviso.cancel()


def _url() -> str:
    return os.environ.get("PULSAR_SERVICE_URL", "pulsar://127.0.0.1:6650")


def _que(error: Exception) -> str:
    """What went wrong, and what to do."""
    que = f"{type(error).__name__}: {error}"
    if isinstance(error, pulsar.TopicNotFound):
        return f"{que}: the topic does not exist: run provision.py, which makes it"
    if isinstance(error, (pulsar.Timeout, pulsar.ConnectError)):
        return f"{que}: the broker at {_url()} does not answer: is it up, and is PULSAR_SERVICE_URL right?"
    return que


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
