"""Gives each role what it needs, and no more, on a cluster with authorization. See tools/grants/cli.py."""

from tools.launch import run

if __name__ == "__main__":
    run("tools.grants.cli")
