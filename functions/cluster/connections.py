"""How many connections to PostgreSQL the BFF and the functions may open: what its max_connections must allow."""

from typing import Final

BFF_POOL_SIZE: Final = 4
"""Most connections of one worker of the BFF to each of its databases: a connection is held for about a millisecond, so
that few are enough for many threads, and PostgreSQL keeps a process for each.
"""
BFF_DATABASES: Final = 4
"""The saga log and the three read models."""
