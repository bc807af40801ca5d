"""Grafana dashboards, from the same sources as the catalogue."""
