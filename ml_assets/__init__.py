"""A data and ML platform on Dagster: declare a problem, get a lineage graph that lives by itself."""

__version__ = "0.1.0"
