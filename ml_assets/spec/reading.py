"""Where a source's rows come from: files, databases, a function. How they must look is in `source.py`."""

from typing import Annotated, Literal

from pydantic import Field

from ml_assets.spec.base import Column, Spec


class Deliveries(Spec):
    """One parquet file per window, put at `<landing>/<problem>/<source>/<window>.parquet` by somebody else."""

    kind: Literal["deliveries"] = Field(description="Read delivered files.", examples=["deliveries"])


class Whole(Spec):
    """Common to tables that are there as a whole: each window reads its own rows of them."""

    time: Column | None = Field(
        None,
        description="Column that says which window a row belongs to; the source's `event_time` when left out.",
        examples=["InvoiceDate"],
    )


class Parquet(Whole):
    """Parquet files with all windows."""

    kind: Literal["parquet"] = Field(description="Read parquet.", examples=["parquet"])
    path: str = Field(
        description="File or glob, from the folder of defs.yaml or absolute.",
        examples=["data/lines.parquet", "data/*.parquet"],
    )


class Csv(Whole):
    """Text files with all windows; every value is read as text and then parsed as declared, so nothing is guessed."""

    kind: Literal["csv"] = Field(description="Read delimited text.", examples=["csv"])
    path: str = Field(
        description="File or glob, from the folder of defs.yaml or absolute.", examples=["data/sales.csv"]
    )
    delimiter: str = Field(",", min_length=1, max_length=1, description="Between two values.", examples=[";"])
    encoding: Literal["utf-8", "latin-1", "utf-16"] = Field("utf-8", description="Of the text.", examples=["latin-1"])
    nulls: tuple[str, ...] = Field(("", "NA", "NULL"), description="Texts that mean no value.", examples=[["", "n/a"]])
    timestamp_format: str | None = Field(
        None, description="strptime format of times; ISO 8601 when left out.", examples=["%d/%m/%Y %H:%M"]
    )


class DuckDb(Whole):
    """A query on a DuckDB database file, opened read-only."""

    kind: Literal["duckdb"] = Field(description="Query a DuckDB file.", examples=["duckdb"])
    path: str = Field(
        description="Database file, from the folder of defs.yaml or absolute.", examples=["data/shop.duckdb"]
    )
    query: str = Field(description="SELECT without a window; that is added.", examples=["SELECT * FROM orders"])


class PostgreSql(Whole):
    """A query on a PostgreSQL database; the window's rows are selected there."""

    kind: Literal["postgresql"] = Field(description="Query PostgreSQL.", examples=["postgresql"])
    url_env: str = Field(
        pattern=r"^[A-Z][A-Z0-9_]*$",
        description="Environment variable that holds postgresql://user:password@host/database; never the address.",
        examples=["SHOP_DATABASE_URL"],
    )
    query: str = Field(description="SELECT without a window; that is added.", examples=["SELECT * FROM orders"])


class Python(Spec):
    """A function that loads a window."""

    kind: Literal["python"] = Field(description="Call a function.", examples=["python"])
    function: str = Field(
        pattern=r"^([\w./-]+\.py|\w+(\.\w+)*):\w+$",
        description="`file.py:name` beside defs.yaml, or `package.module:name`; called with (window: Window), it "
        "returns a DataFrame or an Arrow table.",
        examples=["sources.py:load_orders"],
    )


Reading = Annotated[Deliveries | Parquet | Csv | DuckDb | PostgreSql | Python, Field(discriminator="kind")]
