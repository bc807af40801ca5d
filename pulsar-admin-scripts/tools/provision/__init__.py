"""Creates what the functions stand on: tenant, namespaces, topics, subscriptions, schemas."""
