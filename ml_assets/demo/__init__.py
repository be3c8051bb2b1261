"""The demo: a year of real flights delivered week by week to a real Dagster instance, and what comes of it."""
