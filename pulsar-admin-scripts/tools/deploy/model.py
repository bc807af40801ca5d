"""The values of deployments: what is seen of a function, what to do to it and how, what was done to it before."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from tools.cluster.shell import matches

Config = dict[str, Any]
"""A function's configuration, as `functions create` takes it."""
Configs = Mapping[str, Config]
"""Functions' configurations by the functions' names."""
KEPT: Final = 10
"""How many versions of each function stay on record."""


@dataclass(frozen=True, slots=True)
class View:
    """What is seen of one function at one moment."""

    problem: str = "not seen yet"
    """Why it does not run or consume; empty if it does."""
    consumers: Mapping[str, datetime] | None = None
    """The consumers of its instances, on all its subscriptions, and since when they are connected; None if unknown."""
    restarts: Mapping[int, int] = field(default_factory=dict)
    """How often each instance was started again, of those whose count is known. It counts from the last update of the
    function, or since another functions worker has it."""
    exceptions: tuple[str, ...] = ()
    """The tracebacks of the latest exceptions of each instance."""
    error: str = ""
    """What the last death of an instance said."""
    dead_letters: int = 0
    """How many dead letters wait in its dead-letter topic."""

    @property
    def is_known(self) -> bool:
        """False if the functions workers, or the brokers, did not say how it is."""
        return self.consumers is not None

    @property
    def names(self) -> frozenset[str]:
        """The names of its consumers."""
        return frozenset(self.consumers or ())


ABSENT: Final = View("it is not deployed", {})
"""What is seen of a function that is not there."""


@dataclass(frozen=True, slots=True)
class Action:
    """What to do to one function.

    `verb`: create or update, as pulsar-admin has them. `fields`: what differs. `previous`: the configuration that is
    deployed, if any; its package is `<name>.deployed`.
    """

    verb: str
    fields: tuple[str, ...] = ()
    previous: Config | None = None

    def __str__(self) -> str:
        return f"{self.verb} ({', '.join(self.fields)})" if self.fields else self.verb


@dataclass(frozen=True, slots=True)
class Mode:
    """How to apply a plan.

    `action`: what the record calls this deployment. `seconds`: how long new versions are watched at least.
    `one_by_one`: each function when the one before runs, not all at once. `roll_back`: put back what does not run.
    """

    action: str
    seconds: float = 0
    one_by_one: bool = False
    roll_back: bool = True


@dataclass(frozen=True, slots=True)
class Version:
    """One function in one deployment, as it is on record.

    Versions that were deployed together have the same `number`. `action`: deploy, rollback to …, promote; found, for
    what was deployed by other means. `time`: in ISO 8601, UTC. `config` and `package` are all that `functions create`
    wants. `failure`: why it did not run; empty if it did. `id`: the id of the record's message.
    """

    number: int
    function: str
    action: str
    time: str
    who: str
    commit: str
    config: Mapping[str, Any]
    failure: str
    package: bytes
    id: Any = None

    @property
    def hash(self) -> str:
        """The first 12 digits of the package's SHA-256."""
        return str(self.config["userConfig"].get("PACKAGE", "")).removeprefix("sha256:")[:12]

    def equals(self, present: Mapping[str, Any]) -> bool:
        """True if this is what `functions get` says."""
        return matches(present, self.config)


def kept(versions: Iterable[Version]) -> list[Version]:
    """The last KEPT versions of each function, in the order of `versions`: oldest first."""
    count_by_function: dict[str, int] = {}
    latest = []
    for version in reversed(list(versions)):
        count_by_function[version.function] = count_by_function.get(version.function, 0) + 1
        if count_by_function[version.function] <= KEPT:
            latest.append(version)
    return latest[::-1]
