"""Creates what the functions stand on: tenant, namespaces, topics, subscriptions, schemas. See
tools/provision/cli.py.
"""

from tools.launch import run

if __name__ == "__main__":
    run("tools.provision.cli")
