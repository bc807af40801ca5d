"""The admin REST API of the cluster that a client.conf is for, over connections that stay open."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Self
from urllib.parse import urljoin, urlsplit

import urllib3

from functions.comun.cluster import client_conf

HILOS: Final = 8
"""Requests at a time, and connections that are kept to each broker."""
PLAZO: Final = 5.0
"""Of one answer, in s."""
SALTOS: Final = 5
"""A broker that doesn't have a topic names the one that does."""
PISTAS: Final = {401: "is authParams right?", 403: "the token's role may not look at it"}


class NoContesta(Exception):
    """What is asked for can't be read; the text says whom was asked, and why not. `estado`: of HTTP, or 0."""

    def __init__(self, texto: str, estado: int = 0) -> None:
        super().__init__(texto)
        self.estado = estado


class Api:
    """One admin URL. Threads may share it."""

    def __init__(self, url: str, conf: Mapping[str, str], plazo: float = PLAZO) -> None:
        """`conf`: a client.conf, as client_conf.py reads it. Raises ValueError and OSError for what can't be used."""
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            raise ValueError(f"{url!r} is no admin URL: it must be http://HOST:PORT or https://HOST:PORT")
        self.url = url.rstrip("/")
        self._token = _token(conf)
        plazos = urllib3.Timeout(connect=min(plazo, 3), read=plazo)
        self._conexiones = urllib3.PoolManager(maxsize=HILOS, block=True, timeout=plazos, retries=False, **_tls(conf))

    @classmethod
    def de_entorno(cls, url: str, plazo: float = PLAZO) -> Self:
        return cls(url, client_conf.de_entorno(), plazo)

    def leer(self, ruta: str) -> Any:
        """The decoded answer; None if what it asks for does not exist. Else raises NoContesta."""
        url, respuesta = self._buscar(ruta)
        dicho = _json(respuesta.data)
        if respuesta.status == 200 and dicho is not None:
            return dicho
        _exigir_404(url, respuesta, dicho)
        return None

    def intentar(self, ruta: str) -> Any:
        """As `leer`, but a text that says why if it can't be read: one thing that can't be hides no other."""
        try:
            return self.leer(ruta)
        except NoContesta as error:
            return str(error)

    def bajar(self, ruta: str) -> bytes | None:
        """The answer's bytes; else as `leer`."""
        url, respuesta = self._buscar(ruta)
        if respuesta.status == 200:
            return respuesta.data
        _exigir_404(url, respuesta, _json(respuesta.data))
        return None

    def _buscar(self, ruta: str) -> tuple[str, urllib3.BaseHTTPResponse]:
        """The answer, and who gave it."""
        url = self.url + ruta
        respuesta = self._pedir(url)
        for _ in range(SALTOS):
            if respuesta.status not in (301, 302, 307, 308):
                break
            url = _siguiente(url, respuesta.headers.get("Location", ""))
            respuesta = self._pedir(url)
        return url, respuesta

    def _pedir(self, url: str) -> urllib3.BaseHTTPResponse:
        try:
            cabeceras = {"Accept": "application/json"} | self._autorizacion()
            return self._conexiones.request("GET", url, headers=cabeceras, redirect=False)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            motivo = re.sub(r"^HTTPS?Connection\w*\(.*?\): ", "", str(error))
            raise NoContesta(f"{self.url} does not answer: {motivo}") from error

    def _autorizacion(self) -> dict[str, str]:
        if not self._token:
            return {}
        return {"Authorization": f"Bearer {self._token() if callable(self._token) else self._token}"}


def _exigir_404(url: str, respuesta: urllib3.BaseHTTPResponse, dicho: Any) -> None:
    """Raises NoContesta unless the answer says that there is no such thing."""
    motivo = dicho.get("reason") if isinstance(dicho, dict) else None
    if respuesta.status == 404 and motivo is not None:
        return
    pista = motivo or PISTAS.get(respuesta.status, "is it the admin API of Pulsar?")
    raise NoContesta(f"{url} answers HTTP {respuesta.status}: {pista}", respuesta.status)


def _siguiente(url: str, lugar: str) -> str:
    """Where a redirection leads; the token never leaves TLS because of one."""
    otra = urljoin(url, lugar)
    if urlsplit(otra).scheme not in ("https", urlsplit(url).scheme):
        raise NoContesta(f"{url} sends on to {otra}, which is not encrypted: the brokers' TLS addresses are not set up")
    return otra


def _json(cuerpo: bytes) -> Any:
    try:
        return json.loads(cuerpo)
    except ValueError:
        return None


def _token(conf: Mapping[str, str]) -> str | Callable[[], str] | None:
    if not conf.get("authPlugin", "").endswith("Token"):
        return None
    return client_conf.token(conf.get("authParams", ""))


def _tls(conf: Mapping[str, str]) -> dict[str, Any]:
    """As Java does, the server's certificate is verified, its name only if that is asked for."""
    dadas = client_conf.opciones(conf)
    certificado, clave = dadas.get("tls_certificate_file_path"), dadas.get("tls_private_key_file_path")
    if conf.get("authPlugin", "").endswith("Tls"):
        certificado, clave = client_conf.certificado(conf.get("authParams", ""))
    if dadas["tls_allow_insecure_connection"]:  # whoever configures it has been told
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    opciones = {
        "ca_certs": dadas.get("tls_trust_certs_file_path"),
        "cert_file": certificado,
        "key_file": clave,
        "cert_reqs": "CERT_NONE" if dadas["tls_allow_insecure_connection"] else "CERT_REQUIRED",
        "assert_hostname": None if dadas["tls_validate_hostname"] else False,
    }
    return {nombre: valor for nombre, valor in opciones.items() if valor is not None or nombre == "assert_hostname"}
