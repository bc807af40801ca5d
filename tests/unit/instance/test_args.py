"""The command line that the functions worker gives to the Python instance."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.instance.modules import INSTANCE, module

instance_args = module("instance_args")
DETAILS = {"tenant": "t", "namespace": "ns", "name": "f", "className": "f.F", "autoAck": True}
USUAL = {
    "py": "/download/t/ns/f/0/f.py",
    "logging_directory": "/logs/functions",
    "logging_file": "f",
    "logging_config_file": str(INSTANCE / "functions-logging" / "logging_config.ini"),
    "instance_id": "0",
    "function_id": "an-id",
    "function_version": "a-version",
    "function_details": "'" + json.dumps(DETAILS) + "'",
    "pulsar_serviceurl": "pulsar://127.0.0.1:6650",
    "max_buffered_tuples": "1024",
    "port": "32001",
    "metrics_port": "32002",
    "expected_healthcheck_interval": "30",
    "cluster_name": "standalone",
}


def line(**changes: str | None) -> list[str]:
    """The usual command line; None leaves an argument out."""
    arguments = {name: value for name, value in (USUAL | changes).items() if value is not None}
    return [part for name, value in arguments.items() for part in (f"--{name}", value)]


def quoted(**fields: Any) -> str:
    return "'" + json.dumps(DETAILS | fields) + "'"


def test_reads_what_the_worker_gives() -> None:
    args = instance_args.parse(line(secrets_provider="secretsprovider.ClearTextSecretsProvider"))
    assert (args.port, args.metrics_port, args.expected_healthcheck_interval) == (32001, 32002, 30)
    assert (args.details.tenant, args.details.className, args.instance_id) == ("t", "f.F", "0")
    assert args.secrets_provider == "secretsprovider.ClearTextSecretsProvider"
    assert args.client_auth_plugin is None


@pytest.mark.parametrize("flag", ["tls_allow_insecure", "tls_allow_insecure_connection"])
def test_the_workers_and_upstreams_name_of_the_tls_flag_mean_the_same(flag: str) -> None:
    assert instance_args.enabled(instance_args.parse(line(**{flag: "true"})).tls_allow_insecure)
    assert not instance_args.enabled(instance_args.parse(line(**{flag: "false"})).tls_allow_insecure)


def test_a_file_fills_in_what_the_command_line_leaves_out(tmp_path: Path) -> None:
    file = tmp_path / "instance.ini"
    file.write_text("[DEFAULT]\nport = 1\nmetrics_port = 2\nuse_tls = true\nfunction_id = 100%\n")
    args = instance_args.parse(line(config_file=str(file), port=None, function_id=None))
    assert (args.port, args.metrics_port, args.use_tls, args.function_id) == (1, 32002, "true", "100%")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"port": None, "cluster_name": None}, "['port', 'cluster_name']"),
        ({"port": "many"}, "--port many"),
        ({"logging_config_file": "/nowhere.ini"}, "/nowhere.ini: no such file"),
        ({"config_file": "/nowhere.ini"}, "/nowhere.ini: no such file"),
        ({"function_details": "'{}}'"}, "not a FunctionDetails"),
        ({"function_details": quoted(processingGuarantees="EFFECTIVELY_ONCE")}, "EFFECTIVELY_ONCE"),
        ({"function_details": quoted(source={"inputSpecs": {"in": {"cryptoSpec": {}}}})}, "cryptoSpec"),
        ({"function_details": quoted(sink={"producerSpec": {"cryptoSpec": {}}})}, "cryptoSpec"),
        ({"state_storage_serviceurl": "bk://127.0.0.1:4181"}, "no state"),
    ],
)
def test_refuses_what_it_cannot_do_and_says_why(changes: dict[str, str | None], why: str) -> None:
    with pytest.raises(SystemExit) as refused:
        instance_args.parse(line(**changes))
    assert why in str(refused.value)
