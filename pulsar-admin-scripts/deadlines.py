"""Giving orders up: suspend and resume it, and see which it is. See tools/deadlines/cli.py."""

from tools.launch import run

if __name__ == "__main__":
    run("tools.deadlines.cli")
