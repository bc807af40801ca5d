"""Gives each role what it needs, by what this repository says, on a cluster with authorization: which topics it may
publish to and read, and whose each subscription is. Other clusters don't need it.

Run it after provision.py and before deploy.py, as administrator; as deployer, once that is an administrator of the
tenant. It takes nothing away unless it is told to, with --revoke: best after deploy.py, for versions of functions from
before may need what no version from now on does. Superusers are for the brokers' configuration to say.
Exit codes: 0; 1 something failed; 2 wrong usage; 130 interrupted.
"""

import argparse
import sys
from collections.abc import Iterator

from functions.program.run import saying_if_interrupted
from tools.cluster import shell
from tools.cluster.changes import INTERRUPTED, Change, apply
from tools.cluster.shell import admin_url
from tools.grants.model import Right, required, roles
from tools.grants.plan import changes, too_many
from tools.grants.present import present


def main() -> int:
    args = _parser().parse_args()
    if args.roles:
        print("\n".join(roles()))
        return 0
    print(f"granting at {admin_url()}: reading what is there …", flush=True)
    with saying_if_interrupted(INTERRUPTED):
        rights, needed = _present(), required(args.pods)
        return _show(rights, needed) if args.plan else _apply(rights, needed, args.revoke)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "grants.py", description=__doc__, epilog=shell.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--plan", action="store_true", help="say what is missing and what is too many; change nothing")
    what.add_argument("--revoke", action="store_true", help="take away what is too many, too")
    what.add_argument("--roles", action="store_true", help="print all roles, one a line; asks no cluster")
    parser.add_argument("--pods", action="store_true", help="functions are Kubernetes pods, which fetch their packages")
    return parser


def _present() -> frozenset[Right]:
    return present({name for kind, name in {right.place for right in required()} if kind == "topic"})


def _show(rights: frozenset[Right], needed: frozenset[Right]) -> int:
    missing, extra = sorted(needed - rights), too_many(rights, needed)
    print("".join(f"  missing: {right}\n" for right in missing), end="")
    print("".join(f"  too many: {right}\n" for right in extra), end="")
    print(f"plan: {len(missing)} missing, {len(extra)} too many")
    return 0


def _apply(rights: frozenset[Right], needed: frozenset[Right], revoke: bool) -> int:
    """Makes the changes; the exit code."""
    plan = list(changes(rights, needed, revoke))
    if plan:
        print(f"granting: {len(plan)} changes …", flush=True)

    def plan_again() -> Iterator[Change]:
        return changes(_present(), needed, revoke)

    if failure := apply(plan, plan_again):
        failure.require()
    print(f"granted: {len(plan)} changes" if plan else "granted: no changes")
    if not revoke and (extra := too_many(rights, needed)):
        print(f"too many: {len(extra)} rights, --plan shows them, --revoke takes them away", file=sys.stderr)
    return 0
