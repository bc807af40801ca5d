"""The benchmark, on a platform of its own: python -m tests.load.run --only atraso --orders 2000."""

from functions.program.run import run

if __name__ == "__main__":
    run("tests.load.run")  # loads it under its own name, and never returns

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from tests.load import (
    backlog,
    ceiling,
    footprint,
    front_door,
    growth,
    life,
    machine,
    over_http,
    page,
    peers,
    report,
    scale,
    startup,
    trace,
)
from tests.load.bench import Bench, Sizes
from tests.load.figures import log
from tests.support.platform import ROOT, Platform

PARTS: Final[dict[str, Callable[[Bench], dict[str, Any]]]] = {
    "huella": footprint.measure,
    "http": over_http.measure,
    "sueltas": over_http.single_orders,
    "puerta": front_door.measure,
    "traza": trace.measure,
    "peers": peers.measure,
    "techo": ceiling.measure,
    "atraso": backlog.measure,
    "vida": life.measure,
    "escala": scale.measure,
    "crecimiento": growth.measure,
}
"""In this order: what is idle is measured before anything has worked, single orders on a platform that has been in use,
and growth begins by emptying the databases.
"""


def main() -> int:
    arguments = _parse_args()
    data: dict[str, Any] = {"maquina": machine.data(), "errores": {}}
    platform = Platform(Path(tempfile.mkdtemp(prefix="bench-")).resolve())
    try:
        bench = Bench(platform, _sizes(arguments), {"arranque": startup.fresh_start(platform)})
        for name in arguments.only:
            try:
                bench.parts[name] = PARTS[name](bench)
            except Exception as error:  # the other parts are worth something without it
                data["errores"][name] = f"{type(error).__name__}: {error}"
                log(f"{name} FAILED: {data['errores'][name]}")
    finally:
        if arguments.keep:
            print(f"left running: PLATFORM_DATA={platform.data}")
        else:
            platform.local("clean")
    _write(arguments.report, data | {"argumentos": sys.argv[1:], "partes": bench.parts})
    return 1 if data["errores"] else 0


def _write(folder: Path, data: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", "utf-8")
    (folder / "index.html").write_text(page.html(data), "utf-8")
    print(f"\n{report.text(data)}\n{folder}/report.json, {folder}/index.html")


def _sizes(args: argparse.Namespace) -> Sizes:
    sizes = (args.orders, args.seconds, args.clients, args.single, args.idle, args.checks)
    return Sizes(*sizes, args.stored, args.parallelism, args.lives, args.peers)


def _parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.load.run", description=__doc__)
    chosen = ",".join(PARTS)
    parser.add_argument("--only", type=_parts, default=list(PARTS), metavar="PART,…", help=f"of {chosen}")
    parser.add_argument("--orders", type=int, default=20_000, help="in the backlog (default 20000)")
    parser.add_argument("--lives", type=int, default=5000, help="orders that are delivered (default 5000)")
    parser.add_argument("--seconds", type=float, default=10, help="of each round over HTTP (default 10)")
    parser.add_argument("--clients", type=_integers, default=(1, 8, 32, 128), metavar="N,…", help="default 1,8,32,128")
    parser.add_argument("--single", type=int, default=1000, help="single orders (default 1000)")
    parser.add_argument("--idle", type=float, default=20, help="seconds of idleness (default 20)")
    parser.add_argument(
        "--checks", action=argparse.BooleanOptionalAction, default=True, help="wait for the orders' checks, 2 min later"
    )
    parser.add_argument(
        "--stored",
        type=_integers,
        default=(1000, 100_000, 1_000_000),
        metavar="N,…",
        help="orders that there are already, ascending (default 1000,100000,1000000)",
    )
    parser.add_argument("--parallelism", type=_integers, default=(1, 2, 4), metavar="N,…", help="default 1,2,4")
    parser.add_argument(
        "--peers", type=_folder, metavar="DIR", help="a peer's programs, with a run.sh: see tests/load/peers.py"
    )
    parser.add_argument("--report", type=Path, default=ROOT / "build" / "bench", help="folder (default build/bench)")
    parser.add_argument("--keep", action="store_true", help="leave the platform running, to look at it")
    return parser.parse_args()


def _parts(text: str) -> list[str]:
    if unknown := set(text.split(",")) - PARTS.keys():
        raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: the parts are {', '.join(PARTS)}")
    return [part for part in PARTS if part in text.split(",")]


def _folder(text: str) -> Path:
    folder = Path(text).resolve()
    if not (folder / "run.sh").is_file():
        raise argparse.ArgumentTypeError(f"{folder} has no run.sh")
    return folder


def _integers(text: str) -> tuple[int, ...]:
    return tuple(int(word) for word in text.split(","))
