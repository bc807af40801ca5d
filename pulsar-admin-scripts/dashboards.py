"""Grafana's dashboards, from schemas/ and deployment/functions/. See tools/dashboards/cli.py."""

from tools.launch import run

if __name__ == "__main__":
    run("tools.dashboards.cli")
