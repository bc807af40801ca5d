"""Publishes messages to any topic of ours, once all of them are right. See publish_cli.py."""

from launch import correr

if __name__ == "__main__":
    correr("publish_cli")
