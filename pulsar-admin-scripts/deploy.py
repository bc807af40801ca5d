"""Functions: deploy them, go back to an earlier version, try a version beside the present one. See
tools/deploy/cli.py.
"""

from tools.launch import run

if __name__ == "__main__":
    run("tools.deploy.cli")
