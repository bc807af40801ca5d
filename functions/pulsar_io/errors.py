"""What can go wrong while publishing: all exceptions of this package."""


class NotPublished(Exception):
    """The broker did not confirm: whether the message was stored is unknown. Publishing it again is safe."""


class BacklogFull(NotPublished):
    """The broker takes no more messages in a topic until the function that reads it has caught up."""

    def __init__(self, topic: str) -> None:
        super().__init__(f"{topic} has reached its backlog quota: the function that reads it is behind")


class SchemaRefused(NotPublished):
    """The broker does not accept our version of a topic's schema: nothing was sent, and nothing will be until
    it does.
    """

    def __init__(self, topic: str, version: str) -> None:
        super().__init__(
            f"the broker refuses version {version} of the schema of {topic}: it is not registered, or incompatible "
            "with what is. provision.py registers it, schemas.py diff compares"
        )
