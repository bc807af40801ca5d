"""Publishes messages to any topic of ours, once all of them are right. See tools/publish/cli.py."""

from tools.launch import run

if __name__ == "__main__":
    run("tools.publish.cli")
