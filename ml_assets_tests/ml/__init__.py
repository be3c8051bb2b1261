"""Tests of the pure computing: no Dagster, no servers."""
