"""Creates every function, or updates those whose package or configuration differs, and waits until all really run.

    deploy.py [FUNCTION…]            deploy; --plan only says what would be done
    deploy.py history [FUNCTION…]    what was deployed, by whom, when, from which commit
    deploy.py rollback [FUNCTION…]   back to what was deployed before, or --to a version that history lists
    deploy.py canary FUNCTION        the new version beside the present one; --status, --promote, --discard

Safe to run again. What is unchanged is left alone. Run provision.py before: functions whose schemas the cluster does
not have are not deployed. If a new version does not run (it dies, or throws an exception at its first messages), all
that this run changed is put back; messages wait meanwhile.
Environment, beside what is listed below: DB_HOSTNAME (127.0.0.1) and DB_PORT (5432), as the functions workers reach
PostgreSQL (several servers, separated by commas: their primary is used), and for TLS DB_SSLMODE and DB_SSLROOTCERT,
whose certificates go into the configurations. Passwords are not deployed: functions ask their secrets provider for
DB_PASSWORD_<DATABASE>.
DB_ADMIN_PASSWORD, optional: --plan asks PostgreSQL whether it allows as many connections as functions and BFFs may
open. BFF_REPLICAS (2), BFF_WORKERS (1), BFF_THREADS (16): how many BFFs there are, and how big.
FUNCTIONS_LOGS: the folder `functions` in the workers' log folder, if it can be read from here: for tracebacks.
Exit codes: 0; 1 something does not run, or was refused; 2 wrong usage; 130 interrupted.
"""

import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pulsar

from tools.cluster import client
from tools.cluster.repository import function_configs
from tools.cluster.shell import functions_url
from tools.deploy import canary, connections
from tools.deploy.apply import Deployment
from tools.deploy.args import parse
from tools.deploy.history import History, commit, read
from tools.deploy.model import Config, Mode
from tools.deploy.plan import changes, desired, require_no_defects
from tools.deploy.print import print_history, print_plan
from tools.deploy.promises import require_promises
from tools.deploy.rollback import chosen, deployed, prepare, recorded, require_running, targets

INTERRUPTED: Final = "interrupted: what was changed until now stays; deploy.py --plan says what is left to do"


def deploy(pulsar_client: pulsar.Client, args: Any, folder: Path) -> None:
    configs = desired(args.functions or list(function_configs()), folder)
    require_no_defects(configs)
    require_promises(configs, function_configs())
    with _locked(pulsar_client, args) as record:
        apply(pulsar_client, record, args, "deploy", configs, dict.fromkeys(configs, commit()), folder)


def history(pulsar_client: pulsar.Client, args: Any, _: Path) -> None:
    print_history(recorded(read(pulsar_client), args.functions), args.json)


def roll_back(pulsar_client: pulsar.Client, args: Any, folder: Path) -> None:
    with _locked(pulsar_client, args) as record:
        versions = recorded(record.versions if record else read(pulsar_client), args.functions)
        present = deployed(versions, chosen(versions, args.functions, args.to))
        if not args.functions and args.to is None:
            require_running(versions, present)
        target = targets(versions, present, args.to, bool(args.functions))
        for name, version in target.items():
            print(f"  {name}: back to version {version.number}, {version.time}, {version.commit or 'commit unknown'}")
        configs = prepare(target, present, folder)
        require_no_defects(configs)
        used = {version.number for version in target.values()} if args.to is None else {args.to}
        numbers = ", ".join(str(number) for number in sorted(used))
        commits = {name: version.commit for name, version in target.items()}
        apply(pulsar_client, record, args, f"rollback to {numbers}", configs, commits, folder)


def try_canary(pulsar_client: pulsar.Client, args: Any, folder: Path) -> None:
    (name,) = args.functions
    configs = desired([name], folder)
    require_no_defects(configs)
    require_promises(configs, function_configs())
    config = configs[name]
    if args.choice == "status":
        canary.compare(config)
        return
    with _locked(pulsar_client, args) as record:
        match args.choice:
            case "discard":
                canary.remove(canary.canary_config(config))
            case "promote":
                canary.require_same(config, folder)
                apply(pulsar_client, record, args, "promote", configs, {name: commit()}, folder)
                canary.remove(canary.canary_config(config))
            case _:
                print(f"comparing {name} and its canary with {functions_url()} …", flush=True)
                canary.start(pulsar_client, config, folder, args.watch)


def _locked(pulsar_client: pulsar.Client, args: Any) -> AbstractContextManager[History | None]:
    """The open record, which keeps others from deploying: what is compared under it stays so. None for --plan."""
    return nullcontext() if args.plan else History(pulsar_client)


def apply(
    pulsar_client: pulsar.Client,
    record: History | None,
    args: Any,
    action: str,
    configs: dict[str, Config],
    commits: dict[str, str],
    folder: Path,
) -> None:
    """Deploys what differs, or only says so if there is no open record; `action`: what the record calls it."""
    print(f"comparing {len(configs)} functions with {functions_url()} …", flush=True)
    if record is None:
        print_plan(changes(configs, folder))
        connections.check(function_configs() | configs)
        return
    mode = Mode(action, args.watch, args.one_by_one, not args.no_rollback)
    Deployment(pulsar_client, record, configs, commits, folder, mode).apply()


COMMANDS: Final = {"deploy": deploy, "history": history, "rollback": roll_back, "canary": try_canary}


def main() -> int:
    args = parse(sys.argv[1:], __doc__)

    def run(pulsar_client: pulsar.Client) -> int:
        with TemporaryDirectory() as folder:
            COMMANDS[args.verb](pulsar_client, args, Path(folder))
        return 0

    return client.run_with_client(run, INTERRUPTED)
