"""Compose: logs that end, the nightly prune, images that stay what they are."""

import re
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.support.manifests import COMPOSE, DOCKERFILE, IMAGE_PREFIX, KUBERNETES

SERVICES: Final[dict[str, dict[str, Any]]] = COMPOSE["services"]
DIGEST: Final = r"@sha256:[0-9a-f]{64}"


@pytest.mark.parametrize("name", SERVICES)
def test_the_logs_of_every_service_are_rotated(name: str) -> None:
    logging = SERVICES[name]["logging"]
    assert logging["driver"] == "json-file"
    assert re.fullmatch(r"\d+m", logging["options"]["max-size"])
    assert int(logging["options"]["max-file"]) > 1


@pytest.mark.parametrize(
    "now", ["2026-11-30 03:16:59", "2026-11-30 03:17:00", "2026-11-30 03:17:01", "2026-12-31 23:59"]
)
def test_compose_prunes_at_the_minute_at_which_kubernetes_does_and_again_if_that_failed(
    now: str, tmp_path: Path
) -> None:
    schedule = yaml.safe_load((KUBERNETES / "prune.yaml").read_text("utf-8"))["spec"]["schedule"]
    minute, hour, *rest = schedule.split()
    assert rest == ["*", "*", "*"]
    log = tmp_path / "log"
    programs = {
        "date": f'exec /bin/date --utc --date "{now}" +%s',
        "sleep": f'echo sleep "$1" >> {log}; [ "$(wc -l < {log})" -lt 4 ]',  # ends the endless loop
        "python3": f'echo "$@" >> {log}; [ "$(wc -l < {log})" -gt 2 ]',  # fails once
    }
    for name, body in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    shell, option, script = SERVICES["prune"]["command"]
    command = [shell, option, script.replace("$$", "$")]
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    subprocess.run(command, env=env, timeout=60, check=False)
    waited, *pruned = log.read_text().splitlines()
    assert pruned[:3] == ["-m deployment.databases.prune", "sleep 600", "-m deployment.databases.prune"]
    date = ["date", "--utc", "--date", now, "+%s"]
    seconds = int(subprocess.run(date, capture_output=True, text=True, check=True).stdout) + int(waited.split()[1])
    assert seconds % 86400 == (int(hour) * 60 + int(minute)) * 60
    assert 0 < int(waited.split()[1]) <= 86400


def test_images_of_others_are_named_by_digest_where_it_is_known_and_have_a_place_for_it_elsewhere() -> None:
    others = {name: s["image"] for name, s in SERVICES.items() if not s["image"].startswith(IMAGE_PREFIX)}
    assert others.keys() == {"postgres"}
    assert re.fullmatch(rf"postgres:\d+{DIGEST}", others["postgres"])
    arguments = dict(re.findall(r"^ARG (\w+)=(.*)$", DOCKERFILE, re.MULTILINE))
    bases = re.findall(r"^FROM \$\{(\w+_BASE)\} AS", DOCKERFILE, re.MULTILINE)
    assert len(bases) == 2
    for base in bases:
        (argument,) = re.findall(r"^\S+:\S+\$\{(\w+_DIGEST)\}$", arguments[base])
        assert re.fullmatch(rf"({DIGEST})?", arguments[argument])
    assert arguments["PYTHON_DIGEST"]


def test_compose_gives_the_builder_the_digest_that_the_dockerfile_does_not_know() -> None:
    for service in SERVICES.values():
        if "build" in service:
            assert service["build"]["args"] == {"PULSAR_DIGEST": "${PULSAR_DIGEST:-}"}
