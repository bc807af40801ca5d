"""`print` and the log topic of the Python instance."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pulsar
import pytest

from tests.unit.instance.modules import Client, module

log = module("log")


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    logger = logging.getLogger()
    handlers, level = logger.handlers, logger.level
    logger.handlers = []
    logger.setLevel(logging.INFO)
    yield logger
    logger.handlers = handlers
    logger.setLevel(level)


def test_each_printed_line_is_one_record(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    stream = log.StreamToLogger(logging.WARNING)
    print("two", "words", file=stream)
    print("unfinished", end="", file=stream)
    print(" line\n\nnext", file=stream)
    print("flushed", end="", file=stream, flush=True)
    assert [record.getMessage() for record in caplog.records] == ["two words", "unfinished line", "next", "flushed"]
    assert {record.levelno for record in caplog.records} == {logging.WARNING}


def test_a_handler_that_complains_on_the_stream_does_not_go_round_in_circles(root: logging.Logger) -> None:
    stream = log.StreamToLogger(logging.ERROR)

    class Complaining(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            print("disk full", file=stream)

    root.handlers = [Complaining()]
    print("something", file=stream)


def test_records_go_to_the_log_topic_instead_of_the_file(root: logging.Logger) -> None:
    client, lines = Client(pulsar.Result.Ok), []

    class File(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    root.handlers = [File()]
    handler = log.LogTopicHandler("logs", client)
    logging.info("before")
    with handler.instead_of_file():
        logging.info("during")
    logging.info("after")
    assert lines == ["before", "after"]
    assert [payload.decode().partition("] [")[2] for payload, _ in client.producers["logs"].sent] == ["INFO]: during"]


def test_the_file_handler_makes_its_folder_and_takes_upstreams_arguments(tmp_path: Path) -> None:
    file = tmp_path / "t" / "ns" / "f.log"
    # As upstream's own configuration file has them: a number stands where the mode belongs.
    handler = log.CreatePathRotatingFileHandler(str(file), 5, 10 * 1024 * 1024)
    handler.close()
    assert file.is_file()
    assert (handler.maxBytes, handler.backupCount) == (10 * 1024 * 1024, 5)
