"""Creates what the functions stand on: tenant, namespaces with their policies, topics, subscriptions, schemas.

Safe to run again: it reads what is there, changes what differs, and says what it changed. It deletes nothing.
Subscriptions are made before any function, so that no message is lost that comes before its function does.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tools.cluster import shell
from tools.cluster.shell import admin_url, execute
from tools.provision.model import Change, Cluster, changes, expected_subscriptions
from tools.schemas.model import conflicts
from tools.schemas.registry import rejection


def main() -> int:
    parser = argparse.ArgumentParser(
        "provision.py", description=__doc__, epilog=shell.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--plan", action="store_true", help="say what would be changed, and change nothing")
    plan_only = parser.parse_args().plan
    print(f"provisioning {admin_url()}: reading what is there …", flush=True)
    topics = expected_subscriptions()
    cluster = Cluster(list(topics))
    if error := conflicts(cluster.schema_differences):
        print(error, file=sys.stderr)
        return 1
    with TemporaryDirectory() as folder:
        plan = list(changes(cluster, topics, Path(folder)))
        return _show(plan) if plan_only else _apply(plan)


def _show(plan: Sequence[Change]) -> int:
    print("".join(f"  {change}\n" for change, _ in plan), end="")
    print(f"plan: {len(plan)} changes of the cluster" if plan else "plan: no changes of the cluster")
    return 0


def _apply(plan: Sequence[Change]) -> int:
    """Makes the changes; the exit code. What fails ends it: a change needs those before it."""
    if plan:
        print(f"provisioning: {len(plan)} changes …", flush=True)
    for (change, _), response in zip(plan, execute([command for _, command in plan], admin_url()), strict=True):
        if error := rejection(response):
            print(error, file=sys.stderr)
            return 1
        response.require()
        print(f"  {change}")
    print(f"provisioned: {len(plan)} changes" if plan else "provisioned: no changes")
    return 0
