"""PostgreSQL as a primary and a streaming replica: each commit is on both before it is answered.

Which of the two servers is the primary is on record in the data folder, with a number that each promotion raises. A
server whose copy is of an earlier number is copied anew: its last moments may be of no history that there is.
"""

from __future__ import annotations

import json
import shutil
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pg8000.exceptions

from deployment.local import credentials, postgres, private, processes, services
from deployment.local.cluster import certificates, nodes, postgres_tls
from deployment.local.cluster.settings import Settings
from deployment.local.errors import PlatformError

REPLICATOR: Final = "replicator"
_ACCESS: Final = f"""hostssl all all all scram-sha-256
hostssl replication {REPLICATOR} all scram-sha-256
"""
_SETTINGS: Final = "postgresql.auto.conf"
"""The file in which a server keeps what `alter system` sets."""
_OPTIONS: Final = {
    "ssl": "on",
    "ssl_cert_file": "server.pem",
    "ssl_key_file": "server.key",
    # What a replica missed while it was away.
    "wal_keep_size": "256MB",
    # A connection that was cut is opened again.
    "wal_sender_timeout": "5s",
    "wal_receiver_timeout": "5s",
    "tcp_user_timeout": "15s",
}


@dataclass(frozen=True, slots=True)
class Record:
    """The primary's name, and the how many-th it is."""

    primary: str
    term: int

    @classmethod
    def read(cls, data: Path) -> Record:
        try:
            return cls(**json.loads((data / "postgres.json").read_text()))
        except FileNotFoundError:
            return cls("postgres-1", 1)

    def write(self, data: Path) -> None:
        new = data / "postgres.json.new"
        new.write_text(json.dumps({"primary": self.primary, "term": self.term}))
        new.replace(data / "postgres.json")


def server(settings: Settings, name: str) -> postgres.Server:
    password = credentials.passwords(settings.data)["postgres"]
    address, (port,) = settings.address(name), nodes.PORTS["postgres"]
    authority = certificates.authority(settings.data)
    programs = postgres_tls.programs()
    return postgres.Server(settings.data / name, address, port, password, _OPTIONS, authority, programs)


def needs(settings: Settings, name: str) -> tuple[str, ...]:
    """A replica needs its primary."""
    primary = Record.read(settings.data).primary
    return () if name == primary else (primary,)


def prepare(settings: Settings, name: str) -> None:
    """Makes the server's data folder, with initdb or as a copy of the primary, if there is none that can be used."""
    record, own, term = Record.read(settings.data), server(settings, name), settings.data / f"{name}.term"
    if name == record.primary:
        own.prepare()
    else:
        if not term.exists() or int(term.read_text()) != record.term:
            shutil.rmtree(own.place, ignore_errors=True)
        primary = server(settings, record.primary)
        own.prepare(lambda place: _copy(settings, primary, place))
    term.write_text(str(record.term))
    private.write(own.place / "pg_hba.conf", _ACCESS, postgres.user())
    private.write(own.place / "server.pem", certificates.certificate(settings.data, name).read_bytes(), postgres.user())
    private.write(own.place / "server.key", certificates.key(settings.data, name).read_bytes(), postgres.user())


def is_ready(settings: Settings, name: str) -> bool:
    """Whether the primary takes writes, or the replica follows it; each commit waits for its confirmation then."""
    record, own = Record.read(settings.data), server(settings, name)
    if name != record.primary:
        if own.query("select status from pg_stat_wal_receiver") != "streaming":
            return False
        return _wait_for_replica(server(settings, record.primary), "*")
    recovering = own.query("select pg_is_in_recovery()")
    if recovering is True:  # a promotion that was interrupted
        own.query("select pg_promote()")
    return recovering is False


def leave(settings: Settings, name: str) -> None:
    """Before a replica is stopped: commits wait for it no longer."""
    record = Record.read(settings.data)
    if name != record.primary and services.pid(settings.data, record.primary):
        _wait_for_replica(server(settings, record.primary), "")


def promote(settings: Settings) -> None:
    """Makes the replica the primary. The present one is ended first, so that there is never a second one.

    The other way round than one might think: first on record, then done. Whoever starts the servers after an
    interruption goes on with it. PlatformError if no replica runs that has whatever was committed.
    """
    record = Record.read(settings.data)
    (name,) = set(nodes.of_kind("postgres")) - {record.primary}
    replica = server(settings, name)
    if "synchronous_standby_names = '*'" not in (server(settings, record.primary).place / _SETTINGS).read_text():
        raise PlatformError(f"{name} may lack what {record.primary} has: it did not follow it; `start {name}` first")
    if replica.query("select pg_is_in_recovery()") is not True:
        raise PlatformError(f"{name} does not run as a replica of {record.primary}: nothing to promote; `start {name}`")
    if pid := services.pid(settings.data, record.primary):
        processes.stop([pid], signal.SIGQUIT, 10)
    Record(name, record.term + 1).write(settings.data)
    _wait_for_replica(replica, "")
    if replica.query("select pg_promote()") is not True:
        raise PlatformError(
            f"{name} was not promoted: see {settings.data}/logs/{name}.log, then the same command again"
        )
    print(f"  {name} is the primary; `start {record.primary}` makes that one its replica")


def _wait_for_replica(primary: postgres.Server, names: str) -> bool:
    """Has commits wait for the replica's confirmation ("*"), or not (""); whether it is so."""
    if primary.query("show synchronous_standby_names") != names:
        primary.query(f"alter system set synchronous_standby_names = '{names}'")
        primary.query("select pg_reload_conf()")
    return bool(primary.query("show synchronous_standby_names") == names)


def _copy(settings: Settings, primary: postgres.Server, place: Path) -> None:
    """Fills `place` with a copy of the running primary, which follows it once it is started."""
    password = credentials.passwords(settings.data)[REPLICATOR]
    primary.query(f"create role {REPLICATOR} login replication password '{password}'")  # fails where it is already
    try:
        with primary.connect() as connection:
            connection.run("select pg_backup_start('replica', fast => true)")
            shutil.copytree(primary.place, place, ignore=_left_out, copy_function=_copy_if_there, dirs_exist_ok=True)
            [[label]] = connection.run("select labelfile from pg_backup_stop()")
    except (pg8000.exceptions.Error, OSError) as problem:
        raise PlatformError(f"copying the primary, {primary.place}, failed: {problem}") from problem
    (place / "backup_label").write_text(label)
    (place / "standby.signal").touch()
    source = f"host={primary.address} port={primary.port} user={REPLICATOR} password={password}"
    verified = f"sslmode=verify-full sslrootcert={primary.authority}"
    (place / _SETTINGS).write_text(f"primary_conninfo = '{source} {verified}'\n")
    if user := postgres.user():
        for path in (place, *place.rglob("*")):
            shutil.chown(path, user, user)


def _left_out(folder: str, names: list[str]) -> list[str]:
    """What belongs to the running server, or comes from it again: its process' file, and the log of all changes."""
    if Path(folder).name == "pg_wal":
        return [name for name in names if name not in ("archive_status", "summaries")]
    return [name for name in names if name == "postmaster.pid"]


def _copy_if_there(source: str, target: str) -> None:
    """A server removes files meanwhile; what it wrote after the copy began, it tells its replica."""
    with suppress(FileNotFoundError):
        shutil.copy(source, target)
