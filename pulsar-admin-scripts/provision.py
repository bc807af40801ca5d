"""Creates what the functions stand on: tenant, namespaces, topics, subscriptions, schemas. See provision_cli.py."""

from launch import correr

if __name__ == "__main__":
    correr("provision_cli")
