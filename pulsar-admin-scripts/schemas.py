"""Schemas: is a change compatible, what was released, what does the cluster have. See tools/schemas/cli.py."""

from tools.launch import run

if __name__ == "__main__":
    run("tools.schemas.cli")
