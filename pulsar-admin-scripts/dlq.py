"""Dead letters: list, show, redrive, discard. See tools/dead_letters/cli.py."""

from tools.launch import run

if __name__ == "__main__":
    run("tools.dead_letters.cli")
