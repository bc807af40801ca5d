"""Schemas: is a change compatible, what was released, what does the registry have."""
