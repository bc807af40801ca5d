"""A client of the HTTP API that needs the standard library only: clients may copy this file."""

import json
import re
import threading
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, fields
from datetime import datetime
from email.message import Message
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from math import inf
from random import uniform
from typing import Any, Final, TypeVar, get_args
from urllib.parse import urlencode, urlsplit
from uuid import UUID, uuid4

_LECTORES: Final[dict[Any, Any]] = {UUID: UUID, datetime: datetime.fromisoformat}
_SIGUIENTE: Final = re.compile(r'<[^>?]*\?([^>]*)>\s*;\s*rel="?next\b')


class SinRespuesta(Exception):
    """No answer: what the request did is unknown. To repeat it under the same key is safe."""


class Problema(Exception):
    """An error that was answered: `documento` as RFC 9457 has it, `detalle` its text for people."""

    def __init__(self, peticion: str, estado: int, documento: dict[str, Any]) -> None:
        super().__init__(peticion, estado, documento)
        self.estado, self.documento, self.detalle = estado, documento, str(documento.get("detail", ""))

    def __str__(self) -> str:
        return f"{self.args[0]}: {self.estado} {self.detalle}"


@dataclass(frozen=True, slots=True)
class Aceptada:
    id_orden: UUID
    transaction_id: UUID


@dataclass(frozen=True, slots=True)
class Orden(Aceptada):
    id_producto: UUID
    user_id: str
    time_stamp: datetime
    cantidad: int
    direccion_entrega: str
    estado: str
    id_driver: UUID | None = None
    motivo: str | None = None
    instrucciones_entrega: str | None = None


@dataclass(frozen=True, slots=True)
class Producto:
    id: UUID
    nombre: str
    stock: int
    fecha_creacion: datetime
    fecha_actualizacion: datetime


@dataclass(frozen=True, slots=True)
class Paso:
    transaction_id: UUID | None
    timestamp: datetime
    is_compensation: bool
    evento: str
    contenido: dict[str, Any]
    id_mensaje: UUID | None = None


T = TypeVar("T", Aceptada, Orden, Producto, Paso)


@dataclass(frozen=True, slots=True)
class Respuesta:
    """As it came. `lineas`: an event stream's, as they come, instead of `cuerpo`."""

    peticion: str
    estado: int
    cabeceras: Message
    cuerpo: bytes = b""
    lineas: Generator[bytes, None, None] | None = None

    def json(self) -> Any:
        try:
            return json.loads(self.cuerpo)
        except ValueError:
            raise self.problema() from None

    def problema(self) -> Problema:
        with suppress(ValueError):
            if isinstance(documento := json.loads(self.cuerpo), dict):
                return Problema(self.peticion, self.estado, documento)
        return Problema(self.peticion, self.estado, {"detail": f"this is not from the API: {self.cuerpo[:200]!r}"})


class Cliente:
    """For many threads, each of which keeps a connection of its own. Errors are Problema or SinRespuesta.

    A request is repeated while it is not answered, or 429 or 503; a POST under the same Idempotency-Key (`clave`, or a
    random one), so that it is done once.
    """

    def __init__(self, url: str = "http://127.0.0.1:3000", *, token: str | None = None, plazo: float = 15) -> None:
        """`plazo`: a request is repeated for so long, in s; the last time is given 12 s at least."""
        partes = urlsplit(url)
        if partes.scheme not in ("http", "https") or not partes.hostname:
            raise ValueError(f"url is {url!r}: it must be such as http://127.0.0.1:3000 or https://example.org")
        clase = HTTPSConnection if partes.scheme == "https" else HTTPConnection
        self._conectar = partial(clase, partes.hostname, partes.port, timeout=max(12, plazo))
        self._url, self._raiz, self._plazo = url.rstrip("/"), partes.path.rstrip("/"), plazo
        self._siempre = {"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        self._hilo = threading.local()

    def crear_orden(
        self,
        id_producto: UUID,
        user_id: str,
        cantidad: int,
        direccion_entrega: str,
        *,
        instrucciones_entrega: str | None = None,
        clave: str | None = None,
        segundos: int = 0,
    ) -> Aceptada:
        """An Orden if it has ended within so many `segundos` (10 at most)."""
        campos = {"id_producto": id_producto, "user_id": user_id, "cantidad": cantidad}
        campos |= {"direccion_entrega": direccion_entrega, "instrucciones_entrega": instrucciones_entrega}
        hecha = self._encargar("/orders", campos, clave, segundos)
        return _de(Orden, hecha.json()) if hecha.estado == 200 else _de(Aceptada, hecha.json())

    def orden(self, id_orden: UUID) -> Orden | None:
        return _de(Orden, vista) if (vista := self._buscar(f"/orders/{id_orden}")) else None

    def ordenes(self, **filtros: str | int | UUID | datetime) -> Iterator[Orden]:
        """Newest first, read as needed. Filters: estado, user_id, id_producto, desde, hasta; limit: rows of a page."""
        return (_de(Orden, fila) for pagina in self._paginas("/orders", filtros) for fila in pagina)

    def saga(self, id_orden: UUID) -> list[Paso]:
        """Empty while there is none."""
        return [_de(Paso, paso) for paso in self._buscar(f"/orders/{id_orden}/saga") or []]

    def eventos(self, id_orden: UUID, segundos: float = inf) -> Iterator[Paso | Orden]:
        """The saga's steps as they happen, then the order, if it ends within so many `segundos` (more or less:
        the server ends a stream after 10).
        """
        ruta, ultimo, limite = f"/orders/{id_orden}/events", "", time.monotonic() + segundos
        while time.monotonic() < limite:
            lineas = self.pedir("GET", ruta, Accept="text/event-stream", Last_Event_ID=ultimo).lineas
            if lineas is None:
                return
            with closing(lineas):
                for evento in _eventos(lineas):
                    ultimo, cual = evento.get("id", ultimo), evento.get("event")
                    if cual == "paso":
                        yield _de(Paso, json.loads(evento["data"]))
                    elif cual == "orden":
                        yield _de(Orden, json.loads(evento["data"]))
                        return
            time.sleep(0.1)

    def crear_producto(self, nombre: str, stock: int, *, clave: str | None = None) -> UUID:
        return UUID(self._encargar("/productos", {"nombre": nombre, "stock": stock}, clave).json()["id"])

    def productos(self, **filtros: int) -> Iterator[Producto]:
        """Oldest first, read as needed. limit: rows of a page."""
        return (_de(Producto, p) for pagina in self._paginas("/productos", filtros) for p in pagina["resultado"])

    def producto(self, id_producto: UUID) -> Producto | None:
        return _de(Producto, visto["resultado"]) if (visto := self._buscar(f"/productos/{id_producto}")) else None

    def eliminar_producto(self, id_producto: UUID) -> None:
        self.pedir("DELETE", f"/productos/{id_producto}")

    def registrar_conductor(self, nombre: str | None = None, *, clave: str | None = None) -> UUID:
        return UUID(self._encargar("/conductores", {"nombre": nombre}, clave).json()["id_conductor"])

    def pedir(
        self, metodo: str, ruta: str, cuerpo: bytes | None = None, tipo: str = "", **cabeceras: str | None
    ) -> Respuesta:
        """Any request, with the errors and the repetition of all. Last_Event_ID="7" is the header Last-Event-ID."""
        dichas = self._siempre | ({"Idempotency-Key": str(uuid4())} if metodo == "POST" else {})
        dichas |= {n.replace("_", "-"): v for n, v in ({"Content_Type": tipo} | cabeceras).items() if v}
        limite, pausa = time.monotonic() + self._plazo, 0.0
        while True:
            fallo: Exception
            try:
                respuesta = self._intentar(metodo, ruta, cuerpo, dichas)
                if respuesta.estado < 300:
                    return respuesta
                fallo = respuesta.problema()
                if respuesta.estado not in (429, 503):
                    raise fallo
                dicha = respuesta.cabeceras.get("Retry-After", "")
                pausa = max(pausa, int(dicha) if dicha.isdecimal() else 0)
            except (OSError, HTTPException) as error:
                fallo = SinRespuesta(f"{metodo} {self._url}{ruta}: no answer within {self._plazo:g} s: {error!r}")
            if time.monotonic() + pausa > limite:
                raise fallo
            time.sleep(pausa * uniform(1, 1.2))  # not all clients at once
            pausa = min(1.0, 2 * pausa + 0.05)

    def _intentar(self, metodo: str, ruta: str, cuerpo: bytes | None, cabeceras: dict[str, str]) -> Respuesta:
        """Once. Who reads an event stream may ask for other things meanwhile: it has its connection for itself."""
        conexion: HTTPConnection = self._hilo.__dict__.pop("conexion", None) or self._conectar()
        try:
            conexion.request(metodo, self._raiz + ruta, cuerpo, cabeceras)
            cruda = conexion.getresponse()
            es_flujo = cruda.headers.get_content_type() == "text/event-stream"
            lineas, leido = (_lineas(conexion, cruda), b"") if es_flujo else (None, cruda.read())
        except BaseException:
            conexion.close()
            raise
        if not es_flujo:
            self._hilo.conexion = conexion
        return Respuesta(f"{metodo} {self._url}{ruta}", cruda.status, cruda.headers, leido, lineas)

    def _encargar(self, ruta: str, campos: dict[str, Any], clave: str | None, segundos: int = 0) -> Respuesta:
        cuerpo, prefer = json.dumps(campos, default=str).encode(), f"wait={segundos}" if segundos else None
        return self.pedir("POST", ruta, cuerpo, "application/json", Idempotency_Key=clave, Prefer=prefer)

    def _buscar(self, ruta: str) -> Any:
        try:
            return self.pedir("GET", ruta).json()
        except Problema as problema:
            if problema.estado == 404:
                return None
            raise

    def _paginas(self, ruta: str, filtros: Mapping[str, Any]) -> Iterator[Any]:
        dichos = {nombre: v.isoformat() if isinstance(v, datetime) else v for nombre, v in filtros.items()}
        consulta: str | None = urlencode(dichos)
        while consulta is not None:
            respuesta = self.pedir("GET", f"{ruta}?{consulta}")
            yield respuesta.json()
            siguiente = _SIGUIENTE.search(respuesta.cabeceras.get("Link", ""))
            consulta = siguiente and siguiente[1]


def _de(tipo: type[T], miembros: Mapping[str, Any]) -> T:
    """Members that are not known here are left out."""
    leidos = {}
    for campo in fields(tipo):
        if campo.name in miembros:
            valor, lector = miembros[campo.name], _LECTORES.get((get_args(campo.type) or (campo.type,))[0])
            leidos[campo.name] = lector(valor) if lector and valor is not None else valor
    return tipo(**leidos)


def _lineas(conexion: HTTPConnection, cruda: HTTPResponse) -> Generator[bytes, None, None]:
    """A stream that breaks off is one that ends."""
    with closing(conexion), closing(cruda), suppress(OSError, HTTPException):
        yield from cruda


def _eventos(lineas: Iterable[bytes]) -> Iterator[dict[str, str]]:
    """Server-Sent Events: their fields, with the last id that one had. The API's `data` is one line each."""
    campos: dict[str, str] = {}
    for linea in lineas:
        nombre, _, valor = linea.decode(errors="replace").rstrip("\r\n").partition(":")
        if linea.strip():
            campos[nombre] = valor.removeprefix(" ")
        elif "data" in campos:
            yield campos
            campos = {"id": campos["id"]} if "id" in campos else {}
