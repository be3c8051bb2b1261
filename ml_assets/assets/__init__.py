"""Spec -> Dagster: one file per stage of the flow; `problem.py` assembles them."""
