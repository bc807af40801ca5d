"""Publishes orders from standard input until it ends, with whatever schemas the sources on PYTHONPATH have.

Arguments: service URL, product, the version that the schema must have. Prints each order's id once the broker has it.
"""

import sys
from datetime import UTC, datetime

import pulsar

from functions.comun.codec import codec, publicacion
from functions.comun.ids import Id, nuevo
from functions.comun.mensajes import CrearOrden
from functions.comun.publicador import Publicador


def main() -> None:
    url, id_producto, version = sys.argv[1:]
    assert codec(CrearOrden.topic).definicion["version"] == version
    cliente = pulsar.Client(url, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
    publicador = Publicador(cliente)
    for _ in sys.stdin:  # one order for each line
        hora = datetime.now(UTC)
        orden = CrearOrden(nuevo(), Id(id_producto), f"v{version}", hora, 1, "Calle 45", nuevo())
        publicador.publicar([publicacion(nuevo(), 0, "pruebas", orden)])
        print(orden.id_orden, flush=True)
    cliente.close()


if __name__ == "__main__":
    main()
