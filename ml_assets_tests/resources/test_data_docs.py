"""Validations through a checkpoint, and pages that need no network."""

import multiprocessing
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import great_expectations  # noqa: F401  # once here, so that processes forked below need not import it
import pandas as pd
import pytest

from ml_assets.errors import RunNameError
from ml_assets.resources.data_docs import DataDocs
from ml_assets.resources.data_docs_static import offline
from ml_assets.spec import Between, DistributionNear, InSet, NotNull, RowCount, ValidationRule

FRAME = pd.DataFrame({"origin": ["EWR", "JFK", "JFK"], "delay": [-5.0, 12.0, 900.0]})
ORIGIN = InSet(kind="in_set", column="origin", values=("EWR", "JFK"))
SHORT = Between(kind="between", column="delay", low=-60, high=600, notes="Longer: <u>a wrong</u> date.")
SHORT_WARNING = SHORT.model_copy(update={"severity": "warning"})
LOST = NotNull(kind="not_null", column="lost")
ROWS = RowCount(kind="row_count", low=1)


@pytest.fixture(scope="module")
def docs(tmp_path_factory: pytest.TempPathFactory) -> DataDocs:
    """A site with a good, a bad and an unjudgeable run."""
    docs = DataDocs(root=str(tmp_path_factory.mktemp("docs")))
    for run_name, rules in {
        "good": [ORIGIN],
        "bad": [ORIGIN, SHORT, SHORT_WARNING],
        "broken": [LOST],
    }.items():
        docs.validate(problem="flights", run_name=run_name, frame=FRAME, rules=rules)
    return docs


@pytest.fixture
def empty(tmp_path: Path) -> DataDocs:
    return DataDocs(root=str(tmp_path))


def pages(docs: DataDocs) -> Iterator[tuple[Path, str]]:
    for page in Path(docs.root).rglob("*.html"):
        yield page, page.read_text(encoding="utf-8")


def loaded(text: str) -> set[str]:
    """What a browser fetches with a page: scripts, styles, fonts, pictures."""
    tags = re.findall(r"<(?:script|link|img)\b[^>]*?\b(?:src|href)=[\"']([^\"']+)", text)
    return {
        *tags,
        *re.findall(r"url\([\"']?([^\"')]+)", text),
        *re.findall(r"@import\s+[\"']([^\"']+)", text),
    }


@pytest.mark.parametrize(
    ("rule", "passed"),
    [
        pytest.param(ORIGIN, True, id="passed"),
        pytest.param(SHORT_WARNING, True, id="warning-failed"),
        pytest.param(LOST.model_copy(update={"severity": "warning"}), True, id="warning-errored"),
        pytest.param(SHORT, False, id="critical-failed"),
        pytest.param(LOST, False, id="critical-errored"),
    ],
)
def test_only_a_critical_rule_makes_a_report_fail(empty: DataDocs, rule: ValidationRule, passed: bool) -> None:
    report = empty.validate(problem="flights", run_name="r", frame=FRAME, rules=[ROWS, rule])
    assert report.passed is passed
    broken = () if rule is ORIGIN else report.results[1:]
    assert report.failed(rule.severity) == broken


def test_no_page_loads_anything_from_elsewhere_and_all_it_loads_is_there(docs: DataDocs) -> None:
    seen = 0
    for page, text in pages(docs):
        for reference in loaded(text):
            assert not re.match(r"(https?:)?//", reference), f"{page} loads {reference}"
            assert (page.parent / reference).is_file(), f"{page} lacks {reference}"
            seen += 1
    assert seen > 4 * 8  # four pages or more, each with its styles, scripts, logo and icon


def test_every_page_is_styled_and_its_links_lead_somewhere(docs: DataDocs) -> None:
    needed = {
        "bootstrap.min.css",
        "icons.css",
        "jquery.min.js",
        "bootstrap.bundle.min.js",
        "bootstrap-table.min.js",
    }
    for page, text in pages(docs):
        assert needed <= {Path(name).name for name in loaded(text)}
        links = set(re.findall(r"<a\b[^>]*href=\"([^\"#]+)", text))
        links |= set(re.findall(r"'_table_row_link_path': '([^']+)'", text))
        for link in links:
            assert link.startswith("https://greatexpectations.io") or (page.parent / link).is_file(), link


def test_the_index_lists_every_run(docs: DataDocs) -> None:
    text = Path(docs.root, "flights", "index.html").read_text(encoding="utf-8")
    assert set(re.findall(r"'run_name': '([^']+)'", text)) == {"good", "bad", "broken"}


def test_a_page_says_what_was_found_how_grave_it_is_and_why(empty: DataDocs) -> None:
    report = empty.validate(problem="flights", run_name="2013-04-01", frame=FRAME, rules=[SHORT_WARNING])
    text = Path(empty.root, report.page).read_text(encoding="utf-8")
    for part in (
        "2013-04-01",
        "900.0",
        "delay between -60 and 600 (warning): Longer: &lt;u&gt;a wrong&lt;/u&gt;",
    ):
        assert part in text


def test_a_run_name_validated_twice_leaves_one_result_and_one_page_of_the_latest(empty: DataDocs) -> None:
    other = empty.validate(problem="trains", run_name="r", frame=FRAME, rules=[ORIGIN])
    first = empty.validate(problem="flights", run_name="r", frame=FRAME, rules=[SHORT])
    second = empty.validate(problem="flights", run_name="r", frame=FRAME.assign(delay=1.0), rules=[SHORT])
    assert (first.passed, second.passed) == (False, True)
    root = Path(empty.root)
    assert [path.relative_to(root).as_posix() for path in root.glob("flights/validations/flights/r/*/*")] == [
        second.page
    ]
    assert len(list(root.glob("flights/validations/flights/r/*"))) == 1
    (result,) = root.glob("_results/flights/flights/*.json")
    assert '"success": true' in result.read_text(encoding="utf-8")
    assert (root / "flights/index.html").read_text(encoding="utf-8").count("'run_name': 'r'") == 1
    assert (root / other.page).is_file()


def test_taking_a_page_offline_again_changes_nothing(docs: DataDocs) -> None:
    for page, text in pages(docs):
        static = Path("../" * (len(page.relative_to(docs.root).parts) - 1), "_static").as_posix()
        assert offline(text, static) == text


def test_markup_in_the_data_is_shown_not_run(empty: DataDocs) -> None:
    frame = FRAME.assign(origin="<script>alert(1)</script>")
    report = empty.validate(problem="flights", run_name="r", frame=frame, rules=[ORIGIN])
    text = Path(empty.root, report.page).read_text(encoding="utf-8")
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text
    assert report.results[0].observed == "e.g. <script>alert(1)</script>"


def test_processes_that_validate_at_once_all_stand_in_the_index(empty: DataDocs) -> None:
    fork = multiprocessing.get_context("fork")
    names = [f"run-{number}" for number in range(3)]
    started = [
        fork.Process(
            target=empty.validate,
            kwargs={"problem": "flights", "run_name": name, "frame": FRAME, "rules": [ROWS]},
        )
        for name in names
    ]
    for process in started:
        process.start()
    for process in started:
        process.join(60)
    assert [process.exitcode for process in started] == [0, 0, 0]
    text = Path(empty.root, "flights", "index.html").read_text(encoding="utf-8")
    assert sorted(re.findall(r"'run_name': '([^']+)'", text)) == names


@pytest.mark.parametrize(
    "run_name", ["", "../r", "a/b", ".hidden", "a" * 101], ids=["empty", "up", "nested", "hidden", "long"]
)
def test_a_run_name_that_is_no_folder_is_refused(empty: DataDocs, run_name: str) -> None:
    with pytest.raises(RunNameError, match="letters, digits"):
        empty.validate(problem="flights", run_name=run_name, frame=FRAME, rules=[ROWS])
    assert not list(Path(empty.root).iterdir())


def test_a_run_named_after_profiling_gets_the_same_page_as_others(empty: DataDocs) -> None:
    report = empty.validate(problem="flights", run_name="profiling", frame=FRAME, rules=[ROWS])
    assert "Evaluated Expectations" in Path(empty.root, report.page).read_text(encoding="utf-8")
    assert "Profiling Results" not in Path(empty.root, "flights/index.html").read_text(encoding="utf-8")


def test_without_rules_a_frame_passes_and_has_a_page(empty: DataDocs) -> None:
    report = empty.validate(problem="flights", run_name="r", frame=FRAME, rules=[])
    assert (report.passed, report.results) == (True, ())
    assert Path(empty.root, report.page).is_file()


def test_a_validation_says_nothing_on_the_terminal(empty: DataDocs, capfd: pytest.CaptureFixture[str]) -> None:
    empty.validate(problem="flights", run_name="r", frame=FRAME, rules=[ROWS, SHORT, LOST])
    assert capfd.readouterr() == ("", "")


@pytest.mark.long
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Chromium")
def test_a_browser_builds_the_table_of_runs_without_a_network(docs: DataDocs, tmp_path: Path) -> None:
    index = Path(docs.root, "flights", "index.html").as_uri()
    flags = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-sync",
    ]
    flags += ["--disable-background-networking", "--disable-component-update", f"--user-data-dir={tmp_path}"]
    command = ["chromium", *flags, "--host-resolver-rules=MAP * ~NOTFOUND", "--dump-dom", index]
    dom = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    assert len(re.findall(r'<tr class="clickable-row"[^>]*data-href="validations/', dom)) == 3


def kept(docs: DataDocs, suite: str) -> set[str]:
    """Run names whose pages are there; results must be those of the same runs."""
    root = Path(docs.root)
    pages = {path.parts[-3] for path in root.glob(f"flights/validations/{suite}/*/*/*.html")}
    assert pages == {path.stem for path in root.glob(f"_results/flights/{suite}/*.json")}
    return pages


def test_only_the_newest_runs_of_a_suite_are_kept_and_listed(tmp_path: Path) -> None:
    docs = DataDocs(root=str(tmp_path), kept_runs=2)
    for run_name in ("c", "a", "b"):
        docs.validate(problem="flights", run_name=run_name, frame=FRAME, rules=[ROWS])
        docs.validate(problem="flights", run_name="w1", frame=FRAME, rules=[ROWS], suite="features.weather")
    assert kept(docs, "flights") == {"a", "b"}
    assert kept(docs, "features/weather") == {"w1"}
    text = (tmp_path / "flights" / "index.html").read_text(encoding="utf-8")
    assert sorted(re.findall(r"'run_name': '([^']+)'", text)) == ["a", "b", "w1"]


def test_a_run_that_is_validated_again_is_new_again(tmp_path: Path) -> None:
    docs = DataDocs(root=str(tmp_path), kept_runs=2)
    for run_name in ("a", "b", "a", "c"):
        docs.validate(problem="flights", run_name=run_name, frame=FRAME, rules=[ROWS])
    assert kept(docs, "flights") == {"a", "c"}


def test_processes_that_validate_at_once_keep_no_more_than_the_limit(tmp_path: Path) -> None:
    docs = DataDocs(root=str(tmp_path), kept_runs=2)
    fork = multiprocessing.get_context("fork")
    arguments = [{"problem": "flights", "run_name": f"r{n}", "frame": FRAME, "rules": [ROWS]} for n in range(4)]
    started = [fork.Process(target=docs.validate, kwargs=each) for each in arguments]
    for process in started:
        process.start()
    for process in started:
        process.join(60)
    assert [process.exitcode for process in started] == [0] * 4
    assert len(kept(docs, "flights")) == 2


def test_a_site_shows_the_pages_of_all_its_suites(tmp_path: Path) -> None:
    docs = DataDocs(root=str(tmp_path))
    docs.validate(problem="flights", run_name="r", frame=FRAME, rules=[ROWS])
    docs.validate(problem="flights", run_name="r", frame=FRAME, rules=[ORIGIN], suite="features.weather")
    for page, text in pages(docs):
        for link in re.findall(r"<a\b[^>]*href=\"([^\"#]+)", text):
            assert link.startswith("https://greatexpectations.io") or (page.parent / link).is_file(), link
        for reference in loaded(text):
            assert (page.parent / reference).is_file(), f"{page} lacks {reference}"
    index = (tmp_path / "flights" / "index.html").read_text(encoding="utf-8")
    assert "expectations/flights.html" in index
    assert "expectations/features/weather.html" in index


def test_a_page_says_how_many_rows_were_set_aside(empty: DataDocs) -> None:
    rule = SHORT.model_copy(update={"max_quarantined": 0.5})
    report = empty.validate(problem="flights", run_name="r", frame=FRAME, rules=[rule])
    assert report.passed
    assert "(1 rows set aside)" in Path(empty.root, report.page).read_text(encoding="utf-8")


def test_a_page_of_all_kinds_of_rules_needs_no_chart_and_no_network(empty: DataDocs) -> None:
    shares = {"values": ("EWR", "JFK"), "shares": (0.5, 0.5), "max_divergence": 0.01}
    rule = DistributionNear(kind="distribution", column="origin", **shares)
    report = empty.validate(problem="flights", run_name="r", frame=FRAME, rules=[rule])
    text = Path(empty.root, report.page).read_text(encoding="utf-8")
    assert "distribution of origin within 0.01 nats of the reference" in text
    assert "vega" not in re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
