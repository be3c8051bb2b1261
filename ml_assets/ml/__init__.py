"""Pure computing on tables, frames and arrays. Nothing here knows Dagster, Feast or MLflow."""
