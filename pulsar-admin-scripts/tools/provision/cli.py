"""Creates what the functions stand on: tenant, namespaces with their policies, topics, subscriptions, schemas.

Safe to run again: it reads what is there, changes what differs, and says what it changed. It deletes nothing.
Subscriptions are made before any function, so that no message is lost that comes before its function does.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from functions.program.run import saying_if_interrupted
from tools.cluster import shell
from tools.cluster.changes import INTERRUPTED, Change, apply
from tools.cluster.shell import admin_url
from tools.provision.backlog import ENVIRONMENT_HELP, backlog_limit
from tools.provision.model import Cluster, changes, expected_subscriptions
from tools.schemas.model import conflicts
from tools.schemas.registry import rejection


def main() -> int:
    parser = argparse.ArgumentParser(
        "provision.py",
        description=__doc__,
        epilog=f"{shell.__doc__}{ENVIRONMENT_HELP}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--plan", action="store_true", help="say what would be changed, and change nothing")
    plan_only = parser.parse_args().plan
    limit = backlog_limit()
    print(f"provisioning {admin_url()}: reading what is there …", flush=True)
    topics = expected_subscriptions()
    cluster = Cluster(list(topics))
    if error := conflicts(cluster.schema_differences):
        print(error, file=sys.stderr)
        return 1
    with saying_if_interrupted(INTERRUPTED), TemporaryDirectory() as folder:

        def plan_again() -> list[Change]:
            return list(changes(Cluster(list(topics)), topics, limit, Path(folder)))

        plan = list(changes(cluster, topics, limit, Path(folder)))
        return _show(plan) if plan_only else _apply(plan, plan_again)


def _show(plan: Sequence[Change]) -> int:
    print("".join(f"  {change}\n" for change, _ in plan), end="")
    print(f"plan: {len(plan)} changes of the cluster" if plan else "plan: no changes of the cluster")
    return 0


def _apply(plan: Sequence[Change], plan_again: Callable[[], list[Change]]) -> int:
    """Makes the changes; the exit code."""
    if plan:
        print(f"provisioning: {len(plan)} changes …", flush=True)
    if failure := apply(plan, plan_again):
        if error := rejection(failure):
            print(error, file=sys.stderr)
            return 1
        failure.require()
    print(f"provisioned: {len(plan)} changes" if plan else "provisioned: no changes")
    return 0
