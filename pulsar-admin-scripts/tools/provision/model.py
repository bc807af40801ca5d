"""What a cluster has of what the functions need, and the changes that bring the rest."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from functions.messages.topics import TENANT, short_name, without_partition
from tools.cluster import schema_files
from tools.cluster.changes import Change
from tools.cluster.rest import broker_answers
from tools.cluster.shell import matches
from tools.cluster.topics import HISTORY_SUBSCRIPTION, HISTORY_TOPIC, NAMESPACES, subscriptions
from tools.schemas.model import differences
from tools.schemas.registry import registered, upload_command

POLICIES: Final[dict[str, tuple[Any, str]]] = {
    # a policy as `namespaces policies` shows it: the value wanted, the command that sets it
    "schema_compatibility_strategy": ("FULL_TRANSITIVE", "set-schema-compatibility-strategy -c FULL_TRANSITIVE"),
    "is_allow_auto_update_schema": (False, "set-is-allow-auto-update-schema --disable"),
    "schema_validation_enforced": (True, "set-schema-validation-enforce --enable"),
    "autoTopicCreationOverride": ({"allowAutoTopicCreation": False}, "set-auto-topic-creation --disable"),
}
RETAINED: Final = 1024
"""MiB of each topic, of at most a day, that watchers can still read after every function has it."""


def expected_subscriptions() -> dict[str, list[str]]:
    """The full name of every topic, with its subscriptions: also of the topic that keeps what was deployed."""
    return subscriptions() | {HISTORY_TOPIC: [HISTORY_SUBSCRIPTION]}


class Cluster:
    """What a cluster has now. What does not exist reads as None, or as nothing in what would hold it."""

    def __init__(self, topics: Sequence[str]) -> None:
        """Reads it. `topics`: the full names of those whose subscriptions matter."""
        persistent_paths = [f"/admin/v2/persistent/{name}" for name in NAMESPACES]
        answers = iter(
            broker_answers(
                "/admin/v2/clusters",
                "/admin/v2/tenants",
                *(f"/admin/v2/namespaces/{name}" for name in NAMESPACES),
                *persistent_paths,
                *(f"{path}/partitioned" for path in persistent_paths),
                *(f"/admin/v2/persistent/{TENANT}/{short_name(topic)}/subscriptions" for topic in topics),
            )
        )
        self.clusters = next(answers)
        self.tenants = next(answers)
        self.policies = {name: next(answers) for name in NAMESPACES}
        self.topics = {without_partition(topic) for _ in 2 * NAMESPACES for topic in next(answers) or ()}
        self.subscriptions = {topic: next(answers) or () for topic in topics}
        self.schema_differences = [
            difference for difference in differences(registered(schema_files.topics())) if difference.status != "extra"
        ]


def changes(
    cluster: Cluster, topics: Mapping[str, Sequence[str]], backlog_limit: int, folder: Path
) -> Iterator[Change]:
    """What is missing or different, in the order in which it can be made.

    `topics`: the subscriptions that each must have; `backlog_limit`: bytes that may wait in one topic; `folder`: where
    the files that commands take are written.
    """
    if TENANT not in cluster.tenants:
        yield f"tenant {TENANT}", ["tenants", "create", TENANT, "--allowed-clusters", ",".join(cluster.clusters)]
    for name, policies in cluster.policies.items():
        if policies is None:
            yield f"namespace {name}", ["namespaces", "create", name]
        for policy, (value, command) in (POLICIES | size_policies(backlog_limit)).items():
            if not matches((policies or {}).get(policy), value):
                yield f"policy of {name}: {policy}", ["namespaces", *command.split(), name]
    for topic, names in topics.items():
        if topic not in cluster.topics:
            yield f"topic {topic}", ["topics", "create", topic]
        for name in names:
            if name not in cluster.subscriptions[topic]:
                create = ["topics", "create-subscription", "-m", "earliest", "-s", name, topic]
                yield f"subscription {name} of {topic}", create
    for missing in cluster.schema_differences:
        yield f"version {missing.number} of the schema of {missing.topic}", upload_command(missing, folder)


def size_policies(backlog_limit: int) -> dict[str, tuple[Any, str]]:
    """The policies that bound what a topic holds, as POLICIES: what nobody has to have any more, and what waits.

    A backlog must not fill the disk: producers get an error, and nothing is deleted. Pulsar wants its limit to be less
    than what is retained.
    """
    retained = max(RETAINED, (backlog_limit >> 20) + 1)
    quota = {"destination_storage": {"limitSize": backlog_limit, "policy": "producer_exception"}}
    limit = f"--type destination_storage --limit {backlog_limit} --policy producer_exception"
    return {
        "retention_policies": (
            {"retentionTimeInMinutes": 1440, "retentionSizeInMB": retained},
            f"set-retention -t 1d -s {retained}M",
        ),
        "backlog_quota_map": (quota, f"set-backlog-quota {limit}"),
    }
