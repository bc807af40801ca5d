"""Functions: deploy them, go back to an earlier version, try a version beside the present one. See deploy_cli.py."""

from launch import correr

if __name__ == "__main__":
    correr("deploy_cli")
