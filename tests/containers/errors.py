"""What goes wrong with containers."""


class ContainersError(Exception):
    """Something that people can read: what was wrong, and what to do."""


class Unsuitable(ContainersError):
    """No containers can be started on this machine; the text says why."""
