"""Pulsar for whoever publishes and consumes: schemas, publisher, dead letters."""
