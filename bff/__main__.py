"""`python -m bff`: see ajustes.py."""

import argparse
import logging
import socket
import sys
from functools import partial

from bff import ajustes, servidor
from bff.ajustes import Ajustes


def main() -> None:
    ayuda = argparse.RawDescriptionHelpFormatter
    argparse.ArgumentParser("python -m bff", description=ajustes.__doc__, formatter_class=ayuda).parse_args()
    dichos = Ajustes.del_entorno()
    logging.basicConfig(stream=sys.stdout, format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)
    enchufe = servidor.escuchar(dichos.host, dichos.port)
    if not servidor.es_local(enchufe):
        print(f"warning: {dichos.host} is no loopback address: anyone who reaches it can use the API", file=sys.stderr)
    salida = servidor.supervisar(dichos.trabajadores, partial(trabajar, dichos, enchufe), lambda pid: None)
    if not salida:
        logging.info("stopped")
    sys.exit(salida)


def trabajar(dichos: Ajustes, enchufe: socket.socket, vida: int) -> None:
    """A worker's life. All of it is made after the fork, which the Pulsar client's threads would not survive."""
    from bff.app import crear_app
    from bff.broker import Broker, conectar, desconectar
    from bff.lecturas import Lecturas

    try:
        cliente = conectar(dichos.pulsar)
    except ValueError as error:
        sys.exit(f"error: PULSAR_SERVICE_URL is {dichos.pulsar!r}: {error}")
    bases = {"saga": dichos.saga, "ordenes": dichos.ordenes, "productos": dichos.productos}
    app = crear_app(
        Broker(cliente),
        Lecturas(**bases, hilos=dichos.hilos),
        max_cantidad=dichos.max_cantidad,
        max_esperas=dichos.hilos // 2,
    )
    logging.info("listening on http://%s:%d, broker %s", dichos.host, dichos.port, dichos.pulsar)
    servidor.servir(app, enchufe, dichos.hilos, vida)
    desconectar(cliente)


if __name__ == "__main__":
    main()
