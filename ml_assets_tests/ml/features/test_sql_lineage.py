"""The origins of one SELECT, construct by construct; what cannot be promised is refused."""

import pytest

from ml_assets.ml.features.sql_lineage import UnreadableSqlError, sql_lineage

TABLES = {"t": ("k", "a", "b", "at"), "u": ("k", "c", "D", "at")}


def of(sql: str, column: str = "x") -> tuple[str, str]:
    """Origins of a column: of its value, and of the rows behind it."""
    origin = sql_lineage(sql, TABLES)[column]
    values, rows = (
        " ".join(f"{table}.{name}" for table, name in sorted(part)) for part in (origin.values, origin.rows)
    )
    return values, rows


@pytest.mark.parametrize(
    ("sql", "values", "rows"),
    [
        ("SELECT a AS x FROM t", "t.a", ""),
        ("FROM t SELECT a + b AS x", "t.a t.b", ""),
        ("SELECT 1 AS x FROM t", "", ""),
        ("SELECT getvariable('window_end') AS x FROM t", "", ""),
        ("SELECT D AS x FROM u", "u.D", ""),
        ('SELECT "d" AS x FROM u', "u.D", ""),
        ("SELECT CASE WHEN a > 0 THEN b END AS x FROM t", "t.a t.b", ""),
        ("SELECT a AS y, y + b AS x FROM t", "t.a t.b", ""),
        ("SELECT a AS x FROM t WHERE b > 0", "t.a", "t.b"),
        ("SELECT a AS x FROM t ORDER BY b", "t.a", ""),
        ("SELECT a AS x FROM t ORDER BY b LIMIT 1", "t.a", "t.b"),
        ("SELECT sum(a) AS x FROM t GROUP BY k", "t.a", "t.k"),
        ("SELECT k, sum(a) AS x FROM t GROUP BY ALL", "t.a", "t.k"),
        ("SELECT k, sum(a) AS x FROM t GROUP BY 1", "t.a", "t.k"),
        ("SELECT sum(a) AS x FROM t GROUP BY k HAVING max(b) > 0", "t.a", "t.b t.k"),
        ("SELECT sum(a) FILTER (b > 0) AS x FROM t", "t.a", "t.b"),
        ("SELECT any_value(a ORDER BY b) AS x FROM t", "t.a", "t.b"),
        ("SELECT arg_max(a, b) AS x FROM t", "t.a", "t.b"),
        ("SELECT count(DISTINCT a) AS x FROM t", "t.a", ""),
        ("SELECT avg(a) OVER (PARTITION BY k ORDER BY at) AS x FROM t", "t.a", "t.at t.k"),
        ("SELECT avg(a) OVER w AS x FROM t WINDOW w AS (PARTITION BY k ORDER BY at)", "t.a", "t.at t.k"),
        ("SELECT a AS x FROM t QUALIFY row_number() OVER (PARTITION BY k ORDER BY at) = 1", "t.a", "t.at t.k"),
        ("SELECT DISTINCT a AS x, b FROM t", "t.a", ""),
        ("SELECT DISTINCT ON (k) a AS x, b FROM t ORDER BY k, at", "t.a", "t.at t.k"),
        ("SELECT count(*) AS x FROM (SELECT DISTINCT a, b FROM t)", "", "t.a t.b"),
        ("SELECT list(a) AS x FROM (SELECT a FROM t ORDER BY b)", "t.a", "t.b"),
        ("WITH c AS (SELECT k, a * 2 AS y FROM t WHERE b > 0) SELECT y AS x FROM c", "t.a", "t.b"),
    ],
)
def test_one_table(sql: str, values: str, rows: str) -> None:
    assert of(sql) == (values, rows)


@pytest.mark.parametrize(
    ("sql", "values", "rows"),
    [
        ("SELECT a AS x FROM t JOIN u USING (k)", "t.a", "t.k u.k"),
        ("SELECT a AS x FROM t LEFT JOIN u USING (k)", "t.a", ""),
        ("SELECT c AS x FROM t LEFT JOIN u USING (k)", "u.c", "t.k u.k"),
        ("SELECT count(*) AS x FROM t LEFT JOIN u USING (k)", "", "t.k u.k"),
        ("SELECT c AS x FROM t LEFT JOIN (SELECT * FROM u WHERE D > 0) u ON t.k = u.k", "u.c", "t.k u.D u.k"),
        ("SELECT c AS x FROM t ASOF JOIN u ON t.k = u.k AND t.at >= u.at", "u.c", "t.at t.k u.at u.k"),
        ("SELECT c AS x FROM t ASOF LEFT JOIN u ON t.k = u.k AND t.at >= u.at", "u.c", "t.at t.k u.at u.k"),
        ("SELECT c AS x FROM t JOIN u ON u.at BETWEEN t.at - INTERVAL 1 DAY AND t.at", "u.c", "t.at u.at"),
        ("SELECT a AS x FROM t SEMI JOIN u USING (k)", "t.a", "t.k u.k"),
        ("SELECT a AS x FROM t UNION ALL SELECT c FROM u", "t.a u.c", ""),
        ("SELECT a AS x, b FROM t UNION ALL BY NAME SELECT D AS b, c AS x FROM u", "t.a u.c", ""),
        ("SELECT count(*) AS x FROM (SELECT a FROM t UNION SELECT c FROM u)", "", "t.a u.c"),
        ("SELECT a AS x FROM t EXCEPT SELECT c FROM u", "t.a u.c", ""),
        ("SELECT * EXCLUDE (b) FROM (SELECT a AS x, b FROM t)", "t.a", ""),
        ("SELECT * REPLACE (a + b AS x) FROM (SELECT a AS x, a, b FROM t)", "t.a t.b", ""),
        ("SELECT (SELECT max(c) FROM u) AS x FROM t", "u.c", ""),
        ("SELECT (SELECT max(c) FROM u WHERE u.k = t.k) AS x FROM t", "u.c", "t.k u.k"),
        ("SELECT a AS x FROM t WHERE k IN (SELECT k FROM u WHERE D > 0)", "t.a", "t.k u.D u.k"),
        ("SELECT a AS x FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.k = t.k)", "t.a", "t.k u.k"),
        ("SELECT t.k AS x FROM t, u WHERE t.k = u.k", "t.k", "u.k"),
    ],
)
def test_several_tables(sql: str, values: str, rows: str) -> None:
    assert of(sql) == (values, rows)


@pytest.mark.parametrize(
    "sql",
    [
        "SELEC a",
        "SELECT a AS x FROM t; DROP TABLE t",
        "CREATE TABLE x AS SELECT 1",
        "SELECT a AS x FROM other",
        "SELECT nowhere AS x FROM t",
        "SELECT a AS x FROM read_parquet('secret.parquet')",
        "SELECT COLUMNS('.*') FROM t",
        "SELECT * FROM (PIVOT t ON k USING sum(a))",
        "WITH RECURSIVE r AS (SELECT a AS x FROM t UNION ALL SELECT x FROM r) SELECT x FROM r",
        "SELECT avg(a) OVER missing AS x FROM t",
        "",
    ],
)
def test_what_is_not_understood_is_refused_in_one_line(sql: str) -> None:
    with pytest.raises(UnreadableSqlError) as raised:
        sql_lineage(sql, TABLES)
    assert str(raised.value)
    assert "\n" not in str(raised.value)
