"""What can be done with dead letters: send their messages again, or discard them."""

import time
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Final, Protocol

import pulsar

from functions.messages.payloads import PAYLOADS
from functions.messages.topics import short_name
from functions.pulsar_io.errors import NotPublished
from functions.pulsar_io.schema import AvroSchema, RegisteredSchema
from tools.cluster.client import TIMEOUT
from tools.dead_letters.model import DeadLetter
from tools.messages.writer_schemas import SchemaRegistry

CONFIRMATION_TIMEOUT: Final = TIMEOUT + 5
"""Longest wait for confirmations, in s: the client itself gives up before that."""


class Action(Protocol):
    """One action with its names: `verb` and `past_tense` for people, `action` for the audit."""

    verb: str
    past_tense: str
    action: str

    def obstacle(self, dead_letter: DeadLetter) -> str:
        """Why it can't be done with this dead letter; empty if it can."""

    def target(self, dead_letter: DeadLetter) -> str:
        """Where the message goes, for people; empty if nowhere."""

    def perform(self, dead_letters: Sequence[DeadLetter]) -> Mapping[str, str]:
        """Does it, and returns when it is certain: why it failed, by the ids of the dead letters that it failed for."""


class Redrive:
    """Sends messages again to the topics they came from, byte for byte, in the schema version they were written in.

    A message that several functions quarantined is sent once for all of them, for all of them read it again. The same
    object does not send a message again that it has sent with success. Functions know a message by its id: those that
    have processed it before change nothing.
    """

    verb = "redrive"
    past_tense = "redrove"
    action = "reenviado"

    def __init__(self, client: pulsar.Client, schemas: SchemaRegistry, inputs: Mapping[str, Collection[str]]) -> None:
        """`inputs`: the full names of the topics that each function, <namespace>/<name>, reads."""
        self._client, self._schemas, self._inputs = client, schemas, inputs
        self._producers: dict[tuple[str, int], pulsar.Producer | pulsar.PulsarException] = {}
        self._confirmed: set[tuple[str, str]] = set()

    def obstacle(self, dead_letter: DeadLetter) -> str:
        if dead_letter.topic is None or dead_letter.version is None:
            return "it does not say where it came from (dlq-topic, dlq-schema-version): published by hand? discard it"
        if dead_letter.topic not in self._inputs[dead_letter.function]:
            return f"it came from {dead_letter.topic}, which {dead_letter.function} does not read"
        if dead_letter.version >= 0 and self._schemas.schema_info(dead_letter.topic, dead_letter.version) is None:
            version = f"schema version {dead_letter.version} of {dead_letter.topic}"
            return f"{version}, which it was written in, is not registered"
        return ""

    def target(self, dead_letter: DeadLetter) -> str:
        schema = f"schema version {dead_letter.version}" if (dead_letter.version or 0) >= 0 else "today's schema"
        return f" to {short_name(dead_letter.topic or '')}, {schema}"

    def perform(self, dead_letters: Sequence[DeadLetter]) -> dict[str, str]:
        sources = {_source(dead_letter): dead_letter for dead_letter in dead_letters}
        sends = {
            source: self._send(dead_letter) for source, dead_letter in sources.items() if source not in self._confirmed
        }
        failures = self._wait_for(sends)
        return {
            dead_letter.id: failures[_source(dead_letter)]
            for dead_letter in dead_letters
            if _source(dead_letter) in failures
        }

    def _wait_for(self, sends: "Mapping[tuple[str, str], Future[None]]") -> dict[tuple[str, str], str]:
        """Why messages were not sent, by their sources; notes which were."""
        deadline = time.monotonic() + CONFIRMATION_TIMEOUT
        failures = {}
        for source, future in sends.items():
            try:
                future.result(max(0, deadline - time.monotonic()))
                self._confirmed.add(source)
            except (TimeoutError, pulsar.PulsarException, NotPublished) as error:
                failures[source] = str(error) or "the broker does not answer"
        return failures

    def _send(self, dead_letter: DeadLetter) -> "Future[None]":
        """Sends the message; the future is done when the broker has confirmed it, or failed with the error."""
        future: Future[None] = Future()

        def confirm(result: Any, _id: Any) -> None:
            if result == pulsar.Result.Ok:
                future.set_result(None)
            else:
                future.set_exception(NotPublished(f"the broker did not confirm: {result}"))

        properties = dead_letter.original_properties | {"dlq-redriven": str(dead_letter.redrive_count + 1)}
        try:
            producer = self._producer(dead_letter.topic or "", dead_letter.version or 0)
            producer.send_async(dead_letter.body, confirm, properties=properties, partition_key=dead_letter.key or None)
        except pulsar.PulsarException as error:
            future.set_exception(error)
        return future

    def _producer(self, topic: str, version: int) -> pulsar.Producer:
        """The producer for a topic's schema version. If it can't be made, each call raises the same client's error:
        the broker is asked only once.
        """
        key = (topic, version)
        if key not in self._producers:
            try:
                self._producers[key] = self._client.create_producer(
                    topic,
                    schema=self._schema(topic, version),
                    send_timeout_millis=1000 * TIMEOUT,
                    block_if_queue_full=True,
                    chunking_enabled=True,
                )
            except pulsar.PulsarException as error:
                self._producers[key] = error
        producer = self._producers[key]
        if isinstance(producer, pulsar.PulsarException):
            raise producer
        return producer

    def _schema(self, topic: str, version: int) -> pulsar.schema.Schema:
        if version >= 0:
            return RegisteredSchema(self._schemas.schema_info(topic, version))
        # without a version functions read it as what they know, which is today's schema
        if short_name(topic) in PAYLOADS:
            return AvroSchema(None, {"topic": short_name(topic)})
        return pulsar.schema.BytesSchema()


class Discard:
    """Does nothing with the messages: the dead letters are only acknowledged, by whoever performs the action."""

    verb = "discard"
    past_tense = "discarded"
    action = "descartado"

    def obstacle(self, _dead_letter: DeadLetter) -> str:
        return ""

    def target(self, _dead_letter: DeadLetter) -> str:
        return ""

    def perform(self, _dead_letters: Sequence[DeadLetter]) -> dict[str, str]:
        return {}


def _source(dead_letter: DeadLetter) -> tuple[str, str]:
    """The message that a dead letter is about: its topic and its id there."""
    return dead_letter.properties.get("dlq-topic", ""), dead_letter.properties.get("dlq-message-id", dead_letter.id)
