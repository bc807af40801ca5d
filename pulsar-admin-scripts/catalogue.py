"""The message catalogue, from schemas/ and deployment/functions/. See tools/catalogue/cli.py."""

from tools.launch import run

if __name__ == "__main__":
    run("tools.catalogue.cli")
