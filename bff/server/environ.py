"""A request as WSGI wants it, out of what ASGI says of it: the inverse is what an ASGI server did with the bytes."""

import sys
from collections.abc import Mapping
from typing import Any, BinaryIO, Final
from urllib.parse import unquote_to_bytes

_UNPREFIXED: Final = ("CONTENT_TYPE", "CONTENT_LENGTH")


def environ(scope: Mapping[str, Any], body: BinaryIO, length: int | None) -> dict[str, Any]:
    """The WSGI environment (PEP 3333) of a request.

    Header values that came several times are joined by commas. Nothing is decoded: texts hold a byte in each character.

    Parameters:
      scope: ASGI's description of the request.
      body: its body.
      length: the body's length in bytes; None if there is none.
    """
    path, _, _ = scope["raw_path"].partition(b"?")
    client, server = scope.get("client") or ("", 0), scope.get("server") or ("", 0)
    variables: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "REMOTE_ADDR": client[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
    }
    for name, value in scope["headers"]:
        variable = name.decode("latin-1").upper().replace("-", "_")
        if variable not in _UNPREFIXED:
            variable = f"HTTP_{variable}"
        text = value.decode("latin-1")
        variables[variable] = f"{variables[variable]},{text}" if variable in variables else text
    variables.pop("HTTP_TRANSFER_ENCODING", None)  # the body is whole
    variables.pop("CONTENT_LENGTH", None)
    if length is not None:
        variables["CONTENT_LENGTH"] = str(length)
    return variables
