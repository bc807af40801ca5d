"""Lays out a new command topic. See tools/new/cli.py."""

from tools.launch import run

if __name__ == "__main__":
    run("tools.new.cli")
