"""Deploys functions, watches them, rolls them back, keeps their history."""
