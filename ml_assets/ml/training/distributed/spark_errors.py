"""What Spark says when a task of ours fails, in one line."""


def reason(error: Exception) -> str:
    """The Python error of an executor, out of what Spark says of it; else Spark's first line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    named = [line for line in lines if line.partition(":")[0].endswith("Error")]
    return ((named or lines)[0] if lines else type(error).__name__).rstrip(".")
