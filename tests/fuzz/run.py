"""Fuzzes a BFF, its own or the one at --url: python -m tests.fuzz.run --casos 10000 --cuerpos 100000."""

import argparse
import random
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.fuzz import envio, esquema
from tests.plataforma import RAIZ, Plataforma

CARPETA: Final = RAIZ / "build" / "fuzz"


def main() -> int:
    dicho = _argumentos()
    print(f"seed {dicho.semilla}", flush=True)
    with _bff(dicho.url) as url:
        print(f"schemathesis, {dicho.casos} cases against {url} …", flush=True)
        casos = esquema.correr(url, dicho.casos, dicho.semilla, CARPETA)
        print(f"{dicho.cuerpos} raw bodies …", flush=True)
        cuerpos = envio.correr(url, dicho.cuerpos, dicho.semilla, CARPETA)
    print(informe(casos, cuerpos))
    return 1 if casos.hallazgos or cuerpos.hallazgos else 0


def informe(casos: esquema.Informe, cuerpos: envio.Resultado) -> str:
    """A table, and every finding."""
    filas = [(f"cases: {fase}", cuantos) for fase, cuantos in casos.casos.items()]
    filas += [("cases: all", casos.casos.total())]
    filas += [(f"check: {nombre}", cuantas) for nombre, cuantas in sorted(casos.comprobaciones.items())]
    filas += [("bodies", cuerpos.memoria[-1][0])]
    filas += [(f"answers: {estado}", cuantas) for estado, cuantas in sorted(cuerpos.estados.items())]
    filas += [(f"KiB after {hechos} bodies", sum(m.values()) // 1024) for hechos, m in cuerpos.memoria]
    hallazgos = casos.hallazgos + cuerpos.hallazgos
    return "\n".join(
        [*(f"{que:<40}{cuanto:>10}" for que, cuanto in (*filas, ("findings", len(hallazgos)))), *hallazgos]
    )


@contextmanager
def _bff(url: str | None) -> Iterator[str]:
    """One on a platform of its own, unless there is one."""
    if url:
        yield url
        return
    platform = Plataforma(Path(tempfile.mkdtemp(prefix="fuzz-")))
    try:
        print("starting a platform …", platform.local("up"), platform.desplegar(), sep="\n", flush=True)
        yield platform.bff_url
    finally:
        platform.local("clean")


def _argumentos() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.fuzz.run", description=__doc__)
    parser.add_argument("--url", help="of a BFF on this machine (default: starts a platform)")
    parser.add_argument("--casos", type=int, default=10_000, help="of schemathesis (default 10000)")
    parser.add_argument("--cuerpos", type=int, default=100_000, help="raw HTTP requests (default 100000)")
    parser.add_argument("--semilla", type=int, default=random.randrange(10**6), help="default: a random one")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
