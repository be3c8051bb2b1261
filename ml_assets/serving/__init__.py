"""Scoring outside of Dagster."""
