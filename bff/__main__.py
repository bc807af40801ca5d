"""`python -m bff`: see ajustes.py."""

import argparse
import logging
import os
import sys
from tempfile import TemporaryDirectory

from bff import ajustes, registro, servidor
from bff.ajustes import Ajustes
from functions.comun.cluster import client_conf


def main() -> None:
    ayuda = argparse.RawDescriptionHelpFormatter
    argparse.ArgumentParser("python -m bff", description=ajustes.__doc__, formatter_class=ayuda).parse_args()
    dichos = Ajustes.del_entorno()
    try:
        client_conf.opciones(client_conf.de_entorno())
    except (ValueError, OSError) as error:
        sys.exit(f"error: PULSAR_CLIENT_CONF is {os.environ['PULSAR_CLIENT_CONF']!r}: {error}")
    direccion = servidor.direccion(dichos.host, dichos.port)
    if dichos.autenticacion is None and not servidor.es_local(direccion):
        sys.exit(
            f"error: {dichos.host} is no loopback address, and anyone who reaches it could use the API: "
            "set BFF_JWT_SECRET or BFF_JWKS_URL, so that tokens are asked for"
        )
    registro.configurar()
    with TemporaryDirectory(prefix="bff-metrics-") as carpeta:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = carpeta  # of each worker's figures
        servidor.servir(direccion, dichos.port, dichos.trabajadores, dichos.hilos)
    logging.info("stopped")


if __name__ == "__main__":
    main()
