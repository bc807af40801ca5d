"""Changes of a cluster by pulsar-admin, made with patience, and without doing anything twice."""

from collections.abc import Callable, Iterable
from typing import Final

from tools.cluster.patience import Patience
from tools.cluster.shell import Response, admin_url, execute

INTERRUPTED: Final = "interrupted: what was changed until now stays; run it again for the rest"
"""What an interruption of `apply` leaves, for people."""
Change = tuple[str, list[str]]
"""A change of the cluster: what it is, for people, and the pulsar-admin command that makes it. No two of a plan have
the same text.
"""


def apply(plan: Iterable[Change], plan_again: Callable[[], Iterable[Change]]) -> Response | None:
    """Makes the changes in their order, and prints each; None, or the failure that ended it.

    After a failure it is read again what is missing, by `plan_again`: a command whose answer was lost may have been
    carried out, and another run may have made the change. As long as less and less is missing it goes on; a change
    needs those before it.
    """
    missing = dict(plan)

    def attempt() -> list[Response]:
        responses = dict(zip(missing, execute(list(missing.values()), admin_url()), strict=True))
        failures = [change for change, response in responses.items() if response.failure is not None]
        still_missing = dict(plan_again()) if failures else {}
        for change in [change for change in responses if change not in still_missing]:
            del missing[change]
            print(f"  {change}")
        if missing and len(missing) < len(responses):
            return attempt()
        return [responses[change] for change in failures if change in missing][:1]

    with Patience(admin_url(), "pulsar-admin is running") as patience:
        failures = patience.insist(attempt)
    return failures[0] if failures else None
