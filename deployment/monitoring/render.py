"""A copy of the configuration for one platform: its own targets, everything else as it is."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from deployment.local.settings import Settings

SOURCES = Path(__file__).parent


def write_all(settings: Settings, target: Path) -> None:
    """Renders everything into the folder; safe to repeat."""
    (target / "targets").mkdir(parents=True, exist_ok=True)
    shutil.copy(SOURCES / "prometheus.yml", target)
    shutil.copytree(SOURCES / "rules", target / "rules", dirs_exist_ok=True)
    ports = {
        "broker": settings.pulsar_http_port,
        "functions": settings.functions_port,
        "bff": settings.bff_port,
    }
    for job in ("broker", "functions", "bff", "node"):
        groups = [{"targets": [f"127.0.0.1:{ports[job]}"]}] if job in ports else []
        (target / "targets" / f"{job}.yml").write_text(json.dumps(groups) + "\n")


def command(programs: Path, target: Path, port: int) -> list[str]:
    """Runs Prometheus with what `write_all` wrote."""
    pages = programs / "web"  # Debian's build has them outside
    return [
        str(programs / "prometheus"),
        f"--config.file={target / 'prometheus.yml'}",
        f"--storage.tsdb.path={target / 'data'}",
        "--storage.tsdb.retention.time=7d",
        f"--web.listen-address=127.0.0.1:{port}",
        *([f"--web.local-assets={pages}"] if pages.exists() else []),
    ]
