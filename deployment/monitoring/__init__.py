"""Prometheus: what it scrapes, what is normal, and how to run it against the local platform."""
