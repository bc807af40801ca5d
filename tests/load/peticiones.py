"""HTTP/1.1 with as little work as can be: bytes made beforehand, and no more read of an answer than is needed."""

import json
import socket
from typing import Final

JSON: Final = "application/json"
XML: Final = "application/xml"


def peticion(metodo: str, ruta: str, cuerpo: bytes = b"", tipo: str = JSON, **cabeceras: str) -> bytes:
    """The whole request; the answer is asked for in the same format."""
    lineas = [f"{metodo} {ruta} HTTP/1.1", "Host: 127.0.0.1", f"Accept: {tipo}"]
    if cuerpo:
        lineas += [f"Content-Type: {tipo}", f"Content-Length: {len(cuerpo)}"]
    lineas += [f"{nombre.replace('_', '-')}: {valor}" for nombre, valor in cabeceras.items()]
    return "\r\n".join([*lineas, "", ""]).encode() + cuerpo


def orden(id_producto: str, numero: int, tipo: str = JSON, **cabeceras: str) -> bytes:
    """POST /orders, as one of a thousand customers."""
    campos: dict[str, str | int] = {"id_producto": id_producto, "user_id": f"cliente-{numero % 1000}", "cantidad": 1}
    campos["direccion_entrega"] = f"Calle {numero % 100} # 13-40"
    xml = "".join(f"<{nombre}>{valor}</{nombre}>" for nombre, valor in campos.items())
    cuerpo = json.dumps(campos) if tipo == JSON else f"<root>{xml}</root>"
    return peticion("POST", "/orders", cuerpo.encode(), tipo, **cabeceras)


def completa(bufer: bytes | bytearray) -> tuple[int, int, int] | None:
    """Of the answer at the beginning of `bufer`, once it is whole: status, where its body begins and ends."""
    fin = bufer.find(b"\r\n\r\n")
    if fin < 0:
        return None
    _, dicho, resto = bytes(bufer[:fin]).lower().partition(b"\r\ncontent-length:")
    if not dicho:
        raise ValueError(f"an answer without Content-Length: {bytes(bufer[:fin])!r}")
    largo, cuerpo = int(resto.partition(b"\r\n")[0]), fin + 4
    return (int(bufer[9:12]), cuerpo, cuerpo + largo) if len(bufer) >= cuerpo + largo else None


class Conexion:
    """A client that waits for each answer."""

    def __init__(self, direccion: tuple[str, int]) -> None:
        self._enchufe = socket.create_connection(direccion, timeout=30)
        self._enchufe.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def pedir(self, cruda: bytes) -> tuple[int, bytes]:
        """Status and body."""
        self._enchufe.sendall(cruda)
        bufer = b""
        while not (leida := completa(bufer)):
            if not (trozo := self._enchufe.recv(65536)):
                raise ConnectionError(f"closed after {bufer!r}")
            bufer += trozo
        estado, desde, hasta = leida
        return estado, bufer[desde:hasta]

    def cerrar(self) -> None:
        self._enchufe.close()
