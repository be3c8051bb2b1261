"""Trials and trainings on Spark's executors. A session is given; `resources/spark.py` opens it."""
