"""Chaos on a platform of its own, for as long as you like: python -m tests.chaos.run --minutes 10."""

import argparse
import random
import sys
import tempfile
from pathlib import Path

from tests.chaos import informe
from tests.chaos.caos import Ajustes, correr
from tests.plataforma import Plataforma


def main() -> int:
    argumentos = _argumentos()
    ajustes = Ajustes(
        60 * argumentos.minutes, argumentos.faults_every, argumentos.rate, argumentos.seed, argumentos.drain
    )
    print(f"seed {ajustes.semilla}; starting a platform …", flush=True)
    platform = Plataforma(Path(tempfile.mkdtemp(prefix="chaos-")))
    try:
        print(platform.local("up"), platform.desplegar(), sep="", flush=True)
        resultado = correr(platform, ajustes)
        texto = informe.texto(resultado)
        print(texto)
        if argumentos.report:
            argumentos.report.write_text(texto, "utf-8")
        return 1 if resultado.violaciones else 0
    finally:
        if argumentos.keep:
            print(f"left running: PLATFORM_DATA={platform.data}")
        else:
            platform.local("clean")


def _argumentos() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.chaos.run", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="of faults (default 10)")
    parser.add_argument("--faults-every", type=float, default=5, metavar="S", help="on average, in s (default 5)")
    parser.add_argument("--rate", type=float, default=20, help="orders a second (default 20)")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="default: a random one")
    parser.add_argument("--drain", type=float, default=300, metavar="S", help="time to drain, in s (default 300)")
    parser.add_argument("--report", type=Path, help="a file for the report")
    parser.add_argument("--keep", action="store_true", help="leave the platform running, to look at it")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
