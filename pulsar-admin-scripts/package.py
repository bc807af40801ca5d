"""Builds one package for each function. See tools/deploy/package.py."""

from tools.launch import run

if __name__ == "__main__":
    run("tools.deploy.package")
