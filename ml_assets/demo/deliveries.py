"""The airline's side of the demo: cuts the published year into weekly files and puts them where they are expected."""

from pathlib import Path

from ml_assets.ml.features.query import connect
from ml_assets.ml.windows import Window
from ml_assets.resources.lake import Lake
from ml_assets.spec import Problem

DATA = Path(__file__).parent.parent / "defs" / "flights" / "data"
_TIMES = {"flights": "time_hour + to_minutes(minute)", "weather": "time_hour"}


def deliver(problem: Problem, lake: Lake, window: Window) -> None:
    """Deliver one week of flights and weather, and the registers (aircraft, airports, airlines) as they stand."""
    con = connect()
    try:
        for source in problem.sources:
            sql = f"SELECT * FROM '{DATA / source.name}.parquet'"
            if time := _TIMES.get(source.name):
                start, end = (f"TIMESTAMPTZ '{moment.isoformat()}'" for moment in (window.start, window.end))
                sql += f" WHERE {time} >= {start} AND {time} < {end} ORDER BY ALL"
            lake.write(lake.delivery(problem, source.name, window), con.sql(sql).to_arrow_table())
    finally:
        con.close()
