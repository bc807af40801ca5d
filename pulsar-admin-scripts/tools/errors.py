"""How a tool gives up: what it raises, `tools/launch.py` prints before it ends the program with exit code 1."""


class ToolError(Exception):
    """What the tool was asked for can't be done. The text says what was wrong, with which value, and what to do.

    It is for people, without "error: " before it, and it may have several lines. Only the starter of a tool catches it.
    """


class FailureReported(ToolError):
    """What went wrong was printed to stderr when it happened; the text, printed as it is, says how things are now."""
