"""Grafana's dashboards, from the same sources as the catalogue: deployment/monitoring/dashboards/*.json.

Import them, or let Grafana's provisioning read the folder. They ask for a Prometheus data source.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Final

from functions.program.run import uninterrupted
from tools.catalogue.flow import read
from tools.dashboards.content import dashboards

ROOT: Final = Path(__file__).parents[3]
FOLDER: Final = ROOT / "deployment" / "monitoring" / "dashboards"


def generated() -> dict[Path, str]:
    """The text that each file should have."""
    return {
        FOLDER / f"{dashboard['uid'].removeprefix('monoliticas-')}.json": _text(dashboard)
        for dashboard in dashboards(read())
    }


def _text(dashboard: dict[str, Any]) -> str:
    return json.dumps(dashboard, indent=1, ensure_ascii=False) + "\n"


def stale() -> list[Path]:
    """The files that are missing, not what the sources say, or of no dashboard."""
    expected = generated()
    paths = {*expected, *FOLDER.glob("*.json")}
    return sorted(path for path in paths if not path.exists() or expected.get(path) != path.read_text("utf-8"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="only say what is stale")
    if not parser.parse_args().check:
        for path, text in generated().items():
            with uninterrupted():
                path.write_text(text, "utf-8")
            print(path.relative_to(ROOT))
        return 0
    outdated = stale()
    for path in outdated:
        print(f"{path.relative_to(ROOT)} is stale: run make dashboards", file=sys.stderr)
    return int(bool(outdated))
