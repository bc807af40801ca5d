"""What an idle platform takes, and how long it takes to come back."""

import time
from dataclasses import asdict
from typing import Any

from tests.load import arranque, broker, procesos
from tests.load.cifras import decir
from tests.load.partes import Banco


def medir(banco: Banco) -> dict[str, Any]:
    platform, segundos = banco.platform, banco.tamanos.reposo
    broker.aquietar(platform)
    decir(f"idle for {segundos:g} s …")
    antes = procesos.cpu(platform.data)
    time.sleep(segundos)
    gastado = procesos.gastado(antes, procesos.cpu(platform.data))
    return {
        "cpu_por_s": {nombre: uso / segundos for nombre, uso in gastado.items()},
        "memoria": {nombre: asdict(usada) for nombre, usada in procesos.memoria(platform.data).items()},
        "otra_vez": arranque.otra_vez(platform),
    }
