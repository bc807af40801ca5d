"""A live view of topics, subscriptions, functions and dead letters. See monitor_cli.py."""

from launch import correr

if __name__ == "__main__":
    correr("monitor_cli")
