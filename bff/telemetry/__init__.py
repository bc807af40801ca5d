"""The BFF's logs and metrics."""
