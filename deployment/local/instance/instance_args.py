"""Command line, configuration file and FunctionDetails → one checked namespace."""

import argparse
import configparser
import sys
from pathlib import Path
from typing import Any, NoReturn

from google.protobuf import json_format

from instance_stubs import Function_pb2

REQUIRED = (
    "function_details", "py", "instance_id", "function_id", "function_version", "pulsar_serviceurl", "port",
    "metrics_port", "max_buffered_tuples", "logging_directory", "logging_file", "logging_config_file",
    "expected_healthcheck_interval", "cluster_name",
)  # fmt: skip
OPTIONAL = (
    "client_auth_plugin", "client_auth_params", "use_tls", "hostname_verification_enabled",
    "tls_trust_cert_path", "logging_level", "secrets_provider", "secrets_provider_config",
    "install_usercode_dependencies", "dependency_repository", "extra_dependency_repository",
    "state_storage_serviceurl",
)  # fmt: skip
NUMBERS = ("port", "metrics_port", "max_buffered_tuples", "expected_healthcheck_interval")


def parse(argv: list[str]) -> argparse.Namespace:
    """Everything the instance needs to know; ends the program with a message when something is wrong."""
    parser = argparse.ArgumentParser(description="Runs one instance of a Python function for Pulsar")
    for name in (*REQUIRED, *OPTIONAL):
        parser.add_argument(f"--{name}")
    # The worker says --tls_allow_insecure, upstream's own program --tls_allow_insecure_connection.
    parser.add_argument("--tls_allow_insecure", "--tls_allow_insecure_connection", dest="tls_allow_insecure")
    parser.add_argument("--config_file", default="")
    args = parser.parse_args(argv)
    _fill_from_file(args)
    _check(args)
    args.details = _details(args.function_details)
    return args


def unquoted(text: str) -> str:
    """The worker wraps JSON in literal single quotes, meant for a shell that is not there."""
    return text.removeprefix("'").removesuffix("'")


def enabled(value: str | None) -> bool:
    """Java's Boolean.toString is "true" or "false"; anything else counts as off."""
    return value == "true"


def _fill_from_file(args: argparse.Namespace) -> None:
    """What the command line leaves out comes from section DEFAULT of --config_file."""
    if not args.config_file:
        return
    config = configparser.ConfigParser(interpolation=None)
    if not config.read(args.config_file):
        _refuse(f"--config_file {args.config_file}: no such file")
    for name, value in vars(args).items():
        if not value and name != "config_file":
            setattr(args, name, config.defaults().get(name, value))


def _check(args: argparse.Namespace) -> None:
    missing = [name for name in REQUIRED if getattr(args, name) is None]
    if missing:
        _refuse(f"The following arguments are required: {missing}")
    for name in NUMBERS:
        value = getattr(args, name)
        if not value.lstrip("-").isdecimal():
            _refuse(f"--{name} {value}: must be a whole number")
        setattr(args, name, int(value))
    if not Path(args.logging_config_file).is_file():
        _refuse(f"--logging_config_file {args.logging_config_file}: no such file (is PULSAR_HOME set?)")
    if args.state_storage_serviceurl:
        _refuse(
            "--state_storage_serviceurl is set, but this instance has no state: remove it from the worker"
        )


def _details(text: str) -> Any:
    details = Function_pb2.FunctionDetails()
    try:
        json_format.Parse(unquoted(text), details)
    except json_format.ParseError as error:
        _refuse(f"--function_details {text}: not a FunctionDetails in JSON: {error}")
    if details.processingGuarantees == Function_pb2.EFFECTIVELY_ONCE:
        _refuse("EFFECTIVELY_ONCE is not supported for Python functions: use ATLEAST_ONCE or MANUAL")
    inputs = [spec for spec in details.source.inputSpecs.values() if spec.HasField("cryptoSpec")]
    if inputs or details.sink.producerSpec.HasField("cryptoSpec"):
        _refuse("cryptoSpec is set, but this instance does not encrypt or decrypt messages: remove it")
    return details


def _refuse(why: str) -> NoReturn:
    sys.exit(f"python_instance_main.py: {why}")
