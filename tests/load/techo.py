"""The ceiling: what the machine allows for the backlog's work without the functions' own code.

The broker's share of it and the databases' share, one after the other, each with all cores to itself.
"""

from typing import Any

from tests.load import broker, techo_bases, techo_broker
from tests.load.cifras import decir
from tests.load.partes import Banco


def medir(banco: Banco) -> dict[str, Any]:
    platform, cuantas = banco.platform, banco.tamanos.ordenes
    broker.aquietar(platform)
    decir(f"the messages of {cuantas} orders, by bare clients …")
    del_broker = techo_broker.correr(platform, cuantas)
    decir(f"{cuantas / del_broker:.0f} orders/s; their statements, by bare clients …")
    de_las_bases = techo_bases.correr(platform, cuantas)
    decir(f"{cuantas / de_las_bases:.0f} orders/s")
    return {
        "ordenes": cuantas,
        "broker_s": del_broker,
        "bases_s": de_las_bases,
        "broker_ordenes_s": cuantas / del_broker,
        "bases_ordenes_s": cuantas / de_las_bases,
        "sagas_s": cuantas / (del_broker + de_las_bases),
    }
