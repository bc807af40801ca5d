"""Reads the dead letters that an operator means, and processes them: publish, audit, acknowledge, in this order."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import pulsar

from functions.program.run import uninterrupted
from functions.pulsar_io.errors import NotPublished
from functions.pulsar_io.publisher import Publisher
from tools.cluster.client import TIMEOUT
from tools.cluster.topics import dead_letter_topic
from tools.dead_letters.actions import Action
from tools.dead_letters.audit import Audit
from tools.dead_letters.mailbox import Mailbox, count_dead_letters
from tools.dead_letters.model import DeadLetter, Filter
from tools.dead_letters.print import Progress
from tools.messages.writer_schemas import Decoded, SchemaRegistry
from tools.terminal import sanitize

BATCH_SIZE: Final = 100
"""Dead letters that are processed together, at most."""
BYTES: Final = 8 * 1024 * 1024
"""Bytes of all dead letters that are processed together, at most; but always one dead letter."""
DecodedDeadLetter = tuple[DeadLetter, Decoded]
"""A dead letter, and its message decoded."""


@dataclass(frozen=True, slots=True)
class Scan:
    """Reads the dead letters that are meant: those of `functions`, <namespace>/<name>, that `wanted` matches."""

    client: pulsar.Client
    schemas: SchemaRegistry
    functions: Sequence[str]
    wanted: Filter

    def visit(self, visitor: Callable[[Mailbox, Iterator[DecodedDeadLetter]], None]) -> bool:
        """Calls `visitor` with each function's mailbox, open, and the dead letters in it that are meant.

        Functions without dead letters are left out. False if some dead letters did not come, which is said on stderr.
        """
        print("counting letters …", file=sys.stderr, flush=True)
        counts = {function: count for function, count in count_dead_letters(self.functions).items() if count}
        progress = Progress(sum(counts.values()))
        complete = True
        for function, count in counts.items():
            with Mailbox(self.client, function, count) as mailbox:
                visitor(mailbox, self._selected(function, progress.count_dead_letters(mailbox)))
            if mailbox.is_incomplete:
                missing = f"not all {count} letters of {dead_letter_topic(function)} came"
                print(f"warning: {missing}: the broker is slow, or one is incomplete; run this again", file=sys.stderr)
                complete = False
        return complete

    def _selected(self, function: str, dead_letters: Iterable[DeadLetter]) -> Iterator[DecodedDeadLetter]:
        """Those that are meant; if they are named by ids, it reads no further than the last one of these."""
        requested = sum(1 for name, _ in self.wanted.ids or () if name == function.partition("/")[2])
        for dead_letter in dead_letters:
            decoded = self.schemas.read(dead_letter.topic, dead_letter.version, dead_letter.body)
            if self.wanted.matches(dead_letter, decoded.data):
                yield dead_letter, decoded
                requested -= 1
                if requested == 0:
                    return


class Processor:
    """Performs an action on dead letters, batch by batch; or, not `confirmed`, only says what it would do.

    A dead letter leaves its topic only after the action on it and its audit are confirmed. A program that ends in
    between leaves it there: doing it again does no harm. What failed is said on stderr, and counted.

    `seen`: the ids of all dead letters that were visited. `done`, `failed`: how many were processed, and how many not.
    """

    def __init__(self, action: Action, audit: Audit, client: pulsar.Client, confirmed: bool) -> None:
        self._action, self._audit, self._confirmed = action, audit, confirmed
        self._publisher = Publisher(client, timeout_ms=1000 * TIMEOUT)
        self.seen: set[str] = set()
        self.done = 0
        self.failed = 0

    def visit(self, mailbox: Mailbox, chosen: Iterator[DecodedDeadLetter]) -> None:
        """Processes the chosen dead letters of a mailbox. NotPublished if none of a batch can be published."""
        for batch in batches(chosen):
            self.seen.update(dead_letter.id for dead_letter, _ in batch)
            possible = []
            for dead_letter, decoded in batch:
                if obstacle := self._action.obstacle(dead_letter):
                    self._failure(dead_letter, obstacle)
                else:
                    possible.append((dead_letter, decoded))
            if self._confirmed and possible:
                with uninterrupted():
                    self._process(mailbox, possible)
            else:
                self._report(f"would {self._action.verb}", possible)

    def _process(self, mailbox: Mailbox, batch: Sequence[DecodedDeadLetter]) -> None:
        failures = self._action.perform([dead_letter for dead_letter, _ in batch])
        done = [pair for pair in batch if pair[0].id not in failures]
        if not done and len(batch) > 1:
            raise NotPublished(f"{next(iter(failures.values()))}; none of {len(batch)} letters is done, they stay")
        self._publisher.publish([self._audit.evento(*pair) for pair in done])
        for dead_letter, _ in done:
            mailbox.acknowledge(dead_letter)
        self._report(self._action.past_tense, done)
        for dead_letter, _ in batch:
            if failure := failures.get(dead_letter.id):
                self._failure(dead_letter, failure)

    def _report(self, verb: str, dead_letters: Sequence[DecodedDeadLetter]) -> None:
        self.done += len(dead_letters)
        for dead_letter, _ in dead_letters:
            print(f"{verb} {dead_letter.id}{sanitize(self._action.target(dead_letter))}")
            if dead_letter.position.index >= 0:
                warning = "was published in a batch: it leaves only together with all letters of its batch"
                print(f"warning: {dead_letter.id} {warning}", file=sys.stderr)

    def _failure(self, dead_letter: DeadLetter, reason: str) -> None:
        self.failed += 1
        print(f"error: can't {self._action.verb} {dead_letter.id}: {sanitize(reason)}", file=sys.stderr)


def batches(chosen: Iterable[DecodedDeadLetter]) -> Iterator[list[DecodedDeadLetter]]:
    """The dead letters in batches of at most BATCH_SIZE, and of at most BYTES unless one alone is bigger."""
    batch: list[DecodedDeadLetter] = []
    size = 0
    for pair in chosen:
        added = len(pair[0].body)
        if batch and (len(batch) == BATCH_SIZE or size + added > BYTES):
            yield batch
            batch = []
            size = 0
        batch.append(pair)
        size += added
    if batch:
        yield batch
