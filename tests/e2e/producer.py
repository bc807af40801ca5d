"""Publishes orders from standard input until it ends, with whatever schemas the sources on PYTHONPATH have.

Arguments: service URL, product, the version that the schema must have. Prints each order's id once the broker has it.
"""

import sys
from datetime import UTC, datetime

import pulsar

from functions.messages.codec import codec
from functions.messages.ids import Id, new
from functions.messages.outgoing import to_outgoing
from functions.messages.payloads import ComandoCrearOrden
from functions.pulsar_io.publisher import Publisher


def main() -> None:
    url, id_producto, version = sys.argv[1:]
    assert codec(ComandoCrearOrden.topic).definition["version"] == version
    client = pulsar.Client(url, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
    publisher = Publisher(client)
    for _ in sys.stdin:  # one order for each line
        timestamp = datetime.now(UTC)
        orden = ComandoCrearOrden(new(), Id(id_producto), f"v{version}", timestamp, 1, "Calle 45", new())
        publisher.publish([to_outgoing(new(), 0, "pruebas", orden)])
        print(orden.id_orden, flush=True)
    client.close()


if __name__ == "__main__":
    main()
