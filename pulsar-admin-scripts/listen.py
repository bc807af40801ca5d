"""Shows the messages of topics as they come. See tools/listen/cli.py."""

from tools.launch import run

if __name__ == "__main__":
    run("tools.listen.cli")
