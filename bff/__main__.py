"""`python -m bff`: see ajustes.py."""

import argparse
import logging
import os
import socket
import sys
from functools import partial
from tempfile import TemporaryDirectory

from werkzeug.middleware.proxy_fix import ProxyFix

from bff import ajustes, registro, servidor
from bff.ajustes import Ajustes


def main() -> None:
    ayuda = argparse.RawDescriptionHelpFormatter
    argparse.ArgumentParser("python -m bff", description=ajustes.__doc__, formatter_class=ayuda).parse_args()
    dichos = Ajustes.del_entorno()
    registro.configurar()
    enchufe = servidor.escuchar(dichos.host, dichos.port)
    if dichos.autenticacion is None and not servidor.es_local(enchufe):
        sys.exit(
            f"error: {dichos.host} is no loopback address, and anyone who reaches it could use the API: "
            "set BFF_JWT_SECRET or BFF_JWKS_URL, so that tokens are asked for"
        )
    with TemporaryDirectory(prefix="bff-metrics-") as carpeta:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = carpeta
        salida = servidor.supervisar(dichos.trabajadores, partial(trabajar, dichos, enchufe), _olvidar)
    if not salida:
        logging.info("stopped")
    sys.exit(salida)


def trabajar(dichos: Ajustes, enchufe: socket.socket, vida: int) -> None:
    """A worker's life. All of it is made after the fork, which the Pulsar client's threads would not survive."""
    from bff import cifras
    from bff.app import crear_app
    from bff.broker import Broker, conectar, desconectar
    from bff.lecturas import Lecturas
    from functions.comun import rastreo
    from functions.comun.cluster import client_conf
    from functions.comun.cluster.admin_rest import Api

    try:
        conf = client_conf.de_entorno()
        cliente = conectar(dichos.pulsar, conf)
        admin = Api(dichos.admin, conf, cifras.PLAZO) if dichos.admin else None
    except (ValueError, OSError) as error:
        archivo = os.environ.get("PULSAR_CLIENT_CONF")
        sys.exit(f"error: PULSAR_SERVICE_URL is {dichos.pulsar!r}, PULSAR_CLIENT_CONF is {archivo!r}: {error}")
    rastros = rastreo.conectar("bff")
    bases = {"saga": dichos.saga, "ordenes": dichos.ordenes, "productos": dichos.productos}
    app = crear_app(
        Broker(cliente),
        Lecturas(**bases, hilos=dichos.hilos),
        max_cantidad=dichos.max_cantidad,
        max_esperas=dichos.hilos // 2,
        autenticacion=dichos.autenticacion,
        ritmo=dichos.ritmo,
        origenes=dichos.origenes,
        rastros=rastros,
        con_panel=dichos.panel,
        admin=admin,
    )
    if dichos.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=dichos.proxies)  # type: ignore[method-assign]
    logging.info("listening on http://%s:%d, broker %s", dichos.host, dichos.port, dichos.pulsar)
    servidor.servir(app, enchufe, dichos.hilos, vida)
    desconectar(cliente)
    if rastros is not None:
        rastros.cerrar()


def _olvidar(pid: int) -> None:
    """What a worker that is no more has in hand."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(pid)  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()
