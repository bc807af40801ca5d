"""The one error that the commands show to their user."""


class PlatformError(Exception):
    """Says what was wrong, with which value, and what to do."""
