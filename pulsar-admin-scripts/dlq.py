"""Dead letters: list, show, redrive, discard. See dlq_cli.py."""

from launch import correr

if __name__ == "__main__":
    correr("dlq_cli")
