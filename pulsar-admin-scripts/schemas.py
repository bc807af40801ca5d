"""Schemas: is a change compatible, what was released, what does the cluster have. See schemas_cli.py."""

from launch import correr

if __name__ == "__main__":
    correr("schemas_cli")
