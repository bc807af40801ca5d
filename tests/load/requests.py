"""HTTP/1.1 with as little work as can be: bytes made beforehand, and no more read of an answer than is needed."""

import json
import socket
from typing import Final

JSON: Final = "application/json"
XML: Final = "application/xml"


def request(method: str, path: str, body: bytes = b"", media_type: str = JSON, **headers: str) -> bytes:
    """The whole request; the answer is asked for in the same format."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Accept: {media_type}"]
    if body:
        lines += [f"Content-Type: {media_type}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def orden(id_producto: str, number: int, media_type: str = JSON, **headers: str) -> bytes:
    """POST /orders, as one of a thousand customers."""
    fields: dict[str, str | int] = {"id_producto": id_producto, "user_id": f"cliente-{number % 1000}", "cantidad": 1}
    fields["direccion_entrega"] = f"Calle {number % 100} # 13-40"
    xml = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
    body = json.dumps(fields) if media_type == JSON else f"<root>{xml}</root>"
    return request("POST", "/orders", body.encode(), media_type, **headers)


def parse_response(buffer: bytes | bytearray) -> tuple[int, int, int] | None:
    """Of the answer at the beginning of `buffer`, once it is whole: status, where its body begins and ends."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    _, separator, rest = bytes(buffer[:end]).lower().partition(b"\r\ncontent-length:")
    if not separator:
        raise ValueError(f"an answer without Content-Length: {bytes(buffer[:end])!r}")
    length, body = int(rest.partition(b"\r\n")[0]), end + 4
    return (int(buffer[9:12]), body, body + length) if len(buffer) >= body + length else None


class Connection:
    """A client that waits for each answer."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._socket = socket.create_connection(address, timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def request(self, raw: bytes) -> tuple[int, bytes]:
        """Status and body."""
        self._socket.sendall(raw)
        buffer = b""
        while not (bounds := parse_response(buffer)):
            if not (chunk := self._socket.recv(65536)):
                raise ConnectionError(f"closed after {buffer!r}")
            buffer += chunk
        status, since, end = bounds
        return status, buffer[since:end]

    def close(self) -> None:
        self._socket.close()
