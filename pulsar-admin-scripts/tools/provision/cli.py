"""Creates what the functions stand on: tenant, namespaces with their policies, topics, subscriptions, schemas.

Safe to run again: it reads what is there, changes what differs, and says what it changed. It deletes nothing.
Subscriptions are made before any function, so that no message is lost that comes before its function does.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from functions.program.run import saying_if_interrupted
from tools.cluster import shell
from tools.cluster.shell import Response, admin_url, execute
from tools.provision.model import Change, Cluster, changes, expected_subscriptions
from tools.schemas.model import conflicts
from tools.schemas.registry import rejection

INTERRUPTED: Final = "interrupted: what was changed until now stays; run it again for the rest"


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
    with saying_if_interrupted(INTERRUPTED), TemporaryDirectory() as folder:
        plan = list(changes(cluster, topics, Path(folder)))
        if plan_only:
            return _show(plan)
        return _apply(plan, lambda: list(changes(Cluster(list(topics)), topics, Path(folder))))


def _show(plan: Sequence[Change]) -> int:
    print("".join(f"  {change}\n" for change, _ in plan), end="")
    print(f"plan: {len(plan)} changes of the cluster" if plan else "plan: no changes of the cluster")
    return 0


def _apply(plan: Sequence[Change], read_again: Callable[[], list[Change]]) -> int:
    """Makes the changes; the exit code.

    A change that fails is done if it is in the cluster afterwards: another run has made it. What such a run got in the
    way of is tried again, as long as less and less is missing. Raises ToolError if a change fails for another reason.
    """
    done = 0
    while plan:
        print(f"provisioning: {len(plan)} changes …", flush=True)
        failures: dict[str, Response] = {}
        for (change, _), response in zip(plan, execute([command for _, command in plan], admin_url()), strict=True):
            if error := rejection(response):
                print(error, file=sys.stderr)
                return 1
            if response.failure is None:
                print(f"  {change}")
                done += 1
            else:
                failures[change] = response
        missing = read_again() if failures else []
        still_failing = [failures[change] for change, _ in missing if change in failures]
        for change in failures.keys() - {change for change, _ in missing}:
            print(f"  {change}: another run made it")
        if still_failing and len(missing) >= len(plan):
            still_failing[0].require()
        plan = missing
    print(f"provisioned: {done} changes" if done else "provisioned: no changes")
    return 0
