"""Gives each role what it needs, and no more, on a cluster with authorization."""
