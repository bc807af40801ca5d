"""Suspends and resumes giving orders up."""
