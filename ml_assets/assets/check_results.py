"""A verdict of `ml.monitoring.window_checks` as the result of a Dagster check."""

import dagster as dg

from ml_assets.ml.monitoring.window_checks import CheckVerdict


def check_result(verdict: CheckVerdict, link: dg.UrlMetadataValue | None = None) -> dg.AssetCheckResult:
    """The verdict with its numbers, one row per segment, and the report's address."""
    metadata: dict[str, dg.MetadataValue | float] = dict(verdict.numbers)
    if verdict.segments:
        metadata["segments"] = _segments(verdict)
    if link:
        metadata["report"] = link
    return dg.AssetCheckResult(
        check_name=verdict.check,
        passed=verdict.passed,
        severity=dg.AssetCheckSeverity.WARN,  # it is the retraining policy's to act on; it stops nothing
        description=verdict.text,
        metadata=metadata,
    )


def _segments(verdict: CheckVerdict) -> dg.TableMetadataValue:
    said = {True: "passed", False: "failed"}
    records = [
        dg.TableRecord(
            {"segment": name, "verdict": said[each.passed] if each.judged else "not judged", "text": each.text}
        )
        for name, each in verdict.segments.items()
    ]
    columns = [dg.TableColumn(name, "string") for name in ("segment", "verdict", "text")]
    return dg.MetadataValue.table(records, schema=dg.TableSchema(columns))
