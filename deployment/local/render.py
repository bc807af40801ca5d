"""The files of a data folder that follow from the settings: configuration and the two command line tools."""

from __future__ import annotations

import json
import shlex
import shutil
import socket
from collections.abc import Mapping
from pathlib import Path
from string import Template

from deployment.local import credentials, java
from deployment.local.settings import REPOSITORY, Settings

TEMPLATES = Path(__file__).with_name("templates")
LOGGING = Path(__file__).with_name("instance") / "functions-logging"
TOOLS = {
    # a default only: -c on the command line still wins, as it does with the distribution's pulsar-shell
    "pulsar-admin": "org.apache.pulsar.admin.cli.PulsarAdminTool <(config)",
    "pulsar-shell": "-Dpulsar.shell.config.default=<(config) org.apache.pulsar.shell.PulsarShell",
}


def write_all(settings: Settings) -> None:
    """Renders everything; safe to repeat."""
    conf = settings.data / "conf"
    conf.mkdir(parents=True, exist_ok=True)
    values = settings_values(settings)
    for name in ("standalone.conf", "functions_worker.yml"):
        (conf / name).write_text(fill(name, values))
    write_common(settings.data, credentials.addresses(settings), "/dev/null")


def write_common(data: Path, addresses: Mapping[str, str], client_conf: str) -> None:
    """What a platform of each profile has: how its Java programs log and resolve names, how functions log, pulsar-admin
    and pulsar-shell for these addresses, with what else `client_conf` says.
    """
    conf, folder = data / "conf", data / "bin"
    for name in ("log4j2.xml", "log4j2-tools.xml"):
        (conf / name).write_text(fill(name, {}))
    (conf / "hosts").write_text(f"127.0.0.1 localhost {socket.gethostname()}\n")
    shutil.copytree(LOGGING, conf / LOGGING.name, dirs_exist_ok=True)
    values = {name.lower(): address for name, address in addresses.items()}
    folder.mkdir(exist_ok=True)
    for name, main in TOOLS.items():
        more = {"name": name, "main": main, "java": shlex.join(java.tool(conf))}
        more |= {"data_quoted": shlex.quote(str(data)), "client_conf": shlex.quote(client_conf)}
        (folder / name).write_text(fill("tool.sh", values | more))
        (folder / name).chmod(0o755)


def settings_values(settings: Settings) -> dict[str, str]:
    ports = {name.lower(): str(port) for name, port in settings.ports().items()}
    paths = {"data_in_quotes": in_quotes(settings.data), "repository_in_quotes": in_quotes(REPOSITORY)}
    return ports | paths


def in_quotes(path: Path) -> str:
    """The path as YAML has it between double quotes."""
    return json.dumps(str(path), ensure_ascii=False)[1:-1]


def fill(template: str, values: dict[str, str]) -> str:
    return Template((TEMPLATES / template).read_text()).substitute(values)
