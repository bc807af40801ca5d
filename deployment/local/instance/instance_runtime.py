"""All parts of an instance, put together, started and stopped."""

import json
import logging
import os
from argparse import Namespace
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pulsar

import instance_consumers
import instance_control
import instance_metrics
from instance_args import enabled, unquoted
from instance_context import Context
from instance_identity import InstanceConfig
from instance_output import Output
from instance_package import load
from instance_stats import Stats
from instance_worker import Worker
from log import LogTopicHandler

LOG = logging.getLogger()


class Runtime:
    """Consumes from the end of `start` to `stop`; `on_death` hears of what ended the processing thread."""

    def __init__(self, args: Namespace, on_death: Callable[[BaseException], None]) -> None:
        details = args.details
        self._args = args
        self._config = config = InstanceConfig(
            args.instance_id,
            args.function_id,
            args.function_version,
            details,
            args.max_buffered_tuples,
            args.cluster_name,
            args.py,
        )
        self.stats = Stats()
        self.control = instance_control.InstanceControl(self.stats, args.instance_id)
        # First of all: a worker whose call was refused waits longer and longer before it connects again.
        self._server = instance_control.serve(args.port, self.control)
        # Before anything is connected: code that can't be imported must not take messages.
        function = load(config.folder, details.className)
        self._client = connect(args)
        self._context = Context(config, self._client, secrets_provider(args), self.stats)
        self._output = Output(self._client, config)
        process = prepare(function, self._context, self.stats)
        logs: Callable[[], AbstractContextManager[None]] = nullcontext
        if details.logTopic:
            logs = LogTopicHandler(details.logTopic, self._client).instead_of_file
        self._worker = Worker(process, self._context, self._output, self.stats, logs, on_death)

    def start(self) -> None:
        inputs = instance_consumers.subscribe(self._client, self._config)
        self._context.consumers |= {source.topic: source.consumer for source in inputs}
        self._worker.start(inputs)
        collector = instance_metrics.StatsCollector(self.stats, self._config.metric_labels)
        instance_metrics.serve(self._args.metrics_port, collector)
        self.control.running = True

    def stop(self) -> None:
        """Finish what is in hand and store its output; the broker gets everything else back."""
        self._worker.stop()
        self._output.flush()
        self._context.publisher.flush()
        self._client.close()
        self._server.stop(None)


def connect(args: Namespace) -> Any:
    authentication = None
    if args.client_auth_plugin and args.client_auth_params:
        authentication = pulsar.Authentication(args.client_auth_plugin, args.client_auth_params)
    return pulsar.Client(
        args.pulsar_serviceurl,
        authentication=authentication,
        use_tls=enabled(args.use_tls),
        tls_trust_certs_file_path=args.tls_trust_cert_path or None,
        tls_allow_insecure_connection=enabled(args.tls_allow_insecure),
        tls_validate_hostname=enabled(args.hostname_verification_enabled),
        logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Warn),
    )


def secrets_provider(args: Namespace) -> Any:
    here = os.path.dirname(os.path.abspath(__file__))
    provider = load(here, args.secrets_provider or "secretsprovider.ClearTextSecretsProvider")()
    config = args.secrets_provider_config
    provider.init(json.loads(unquoted(config)) if config else None)
    return provider


def prepare(function: Any, context: Context, stats: Stats) -> Callable[[Any], Any]:
    """How to call what the class name led to: an object of the class, or the thing itself (a module)."""
    try:
        instance = function()
    except Exception as error:
        if isinstance(function, type):
            LOG.exception("Could not construct %s: every message will fail", function.__qualname__)
            stats.system_exception(error)
        return lambda value: function.process(value)
    return lambda value: instance.process(value, context)
