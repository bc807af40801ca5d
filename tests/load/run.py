"""The benchmark, on a platform of its own: python -m tests.load.run --only atraso --orders 2000."""

import argparse
import json
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from tests.load import arranque, atraso, crecimiento, escala, huella, informe, maquina, pagina, por_http, techo
from tests.load.cifras import decir
from tests.load.partes import Banco, Tamanos
from tests.plataforma import RAIZ, Plataforma

PARTES: Final[dict[str, Callable[[Banco], dict[str, Any]]]] = {
    "huella": huella.medir,
    "http": por_http.medir,
    "sueltas": por_http.sueltas,
    "techo": techo.medir,
    "atraso": atraso.medir,
    "escala": escala.medir,
    "crecimiento": crecimiento.medir,
}
"""In this order: what is idle is measured before anything has worked, single orders on a platform that has been in use,
and growth begins by emptying the databases.
"""


def main() -> int:
    argumentos = _argumentos()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    datos: dict[str, Any] = {"maquina": maquina.datos(), "errores": {}}
    platform = Plataforma(Path(tempfile.mkdtemp(prefix="bench-")).resolve())
    try:
        banco = Banco(platform, _tamanos(argumentos), {"arranque": arranque.nueva(platform)})
        for nombre in argumentos.only:
            try:
                banco.partes[nombre] = PARTES[nombre](banco)
            except Exception as error:  # the other parts are worth something without it
                datos["errores"][nombre] = f"{type(error).__name__}: {error}"
                decir(f"{nombre} FAILED: {datos['errores'][nombre]}")
    finally:
        if argumentos.keep:
            print(f"left running: PLATFORM_DATA={platform.data}")
        else:
            platform.local("clean")
    _escribir(argumentos.report, datos | {"argumentos": sys.argv[1:], "partes": banco.partes})
    return 1 if datos["errores"] else 0


def _escribir(carpeta: Path, datos: dict[str, Any]) -> None:
    carpeta.mkdir(parents=True, exist_ok=True)
    (carpeta / "report.json").write_text(json.dumps(datos, indent=1, ensure_ascii=False) + "\n", "utf-8")
    (carpeta / "index.html").write_text(pagina.html(datos), "utf-8")
    print(f"\n{informe.texto(datos)}\n{carpeta}/report.json, {carpeta}/index.html")


def _tamanos(dichos: argparse.Namespace) -> Tamanos:
    dichas = (dichos.orders, dichos.seconds, dichos.clients, dichos.single, dichos.idle, dichos.checks)
    return Tamanos(*dichas, dichos.stored, dichos.parallelism)


def _argumentos() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.load.run", description=__doc__)
    elegidas = ",".join(PARTES)
    parser.add_argument("--only", type=_partes, default=list(PARTES), metavar="PART,…", help=f"of {elegidas}")
    parser.add_argument("--orders", type=int, default=20_000, help="in the backlog (default 20000)")
    parser.add_argument("--seconds", type=float, default=10, help="of each round over HTTP (default 10)")
    parser.add_argument("--clients", type=_enteros, default=(1, 8, 32, 128), metavar="N,…", help="default 1,8,32,128")
    parser.add_argument("--single", type=int, default=1000, help="single orders (default 1000)")
    parser.add_argument("--idle", type=float, default=20, help="seconds of idleness (default 20)")
    parser.add_argument(
        "--checks", action=argparse.BooleanOptionalAction, default=True, help="wait for the orders' checks, 2 min later"
    )
    parser.add_argument(
        "--stored",
        type=_enteros,
        default=(1000, 100_000, 1_000_000),
        metavar="N,…",
        help="orders that there are already, ascending (default 1000,100000,1000000)",
    )
    parser.add_argument("--parallelism", type=_enteros, default=(1, 2, 4), metavar="N,…", help="default 1,2,4")
    parser.add_argument("--report", type=Path, default=RAIZ / "build" / "bench", help="folder (default build/bench)")
    parser.add_argument("--keep", action="store_true", help="leave the platform running, to look at it")
    return parser.parse_args()


def _partes(texto: str) -> list[str]:
    if falsas := set(texto.split(",")) - PARTES.keys():
        raise argparse.ArgumentTypeError(f"{', '.join(sorted(falsas))}: the parts are {', '.join(PARTES)}")
    return [parte for parte in PARTES if parte in texto.split(",")]


def _enteros(texto: str) -> tuple[int, ...]:
    return tuple(int(palabra) for palabra in texto.split(","))


if __name__ == "__main__":
    sys.exit(main())
