"""A live view of topics, subscriptions, functions and dead letters. See tools/monitor/cli.py."""

from tools.launch import run

if __name__ == "__main__":
    run("tools.monitor.cli")
