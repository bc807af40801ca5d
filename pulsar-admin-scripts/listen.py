"""Shows the messages of topics as they come. See listen_cli.py."""

from launch import correr

if __name__ == "__main__":
    correr("listen_cli")
