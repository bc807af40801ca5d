"""Publishes messages to any topic, once all of them are valid."""
