"""The HTTP server: the supervisor, its worker processes, and their signals."""
