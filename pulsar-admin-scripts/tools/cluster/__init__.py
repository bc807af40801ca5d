"""A cluster: how it is reached (pulsar-shell, REST, the Pulsar client), and what the repository says it must have."""
