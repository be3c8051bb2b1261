"""Does monitored retraining pay? The history of three problems replayed under several policies, on the same data.

Run it: `python -m benchmarks.replay` (half an hour on two cores, for 60 searches; `--quick`: two problems with one
trial a training). It prints Markdown and writes benchmarks/results/replay.md. Histories are landed and trainings kept
below `--home`, so that another run, with another policy, takes minutes.

What is wanted of the declared policy: at most 1% more error than retraining every window, with at most a third of its
retrainings.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.measuring import ROOT, machine, table
from benchmarks.validation_history import DEFS, deliver_all, land_history
from ml_assets.components.declaration import read_feature_set, read_problem
from ml_assets.files import write_text
from ml_assets.ml.windows import all_windows
from ml_assets.replay.landed import Landed
from ml_assets.replay.page import page
from ml_assets.replay.policies import DECLARED, DEFAULT, EVERY
from ml_assets.replay.replay import replay
from ml_assets.replay.report import Outcome, Report
from ml_assets.replay.texts import cells, headings
from ml_assets.resources.feature_store import FeatureStore
from ml_assets.resources.lake import Lake
from ml_assets.spec import FeatureSet, Problem
from ml_assets.telemetry import disable_telemetry

RESULTS = Path(__file__).parent / "results" / "replay.md"
MOST_LOSS, MOST_RETRAININGS = 0.01, 1 / 3
_HISTORIES = {"flights": ("flights",), "retail": ("churn", "lifetime_value")}


def histories(home: Path, names: Sequence[str]) -> Iterator[Landed]:
    """The landed history of each problem; what has not landed below `home` is."""
    for shared, problems in _HISTORIES.items():
        wanted = [read_problem(DEFS / name / "defs.yaml") for name in problems if name in names]
        if wanted:
            features: FeatureSet = wanted[0] if shared in problems else read_feature_set(DEFS / shared / "defs.yaml")
            for problem in wanted:
                yield Landed.read(problem, *_landed(features, wanted, home))


def _landed(features: FeatureSet, problems: Sequence[Problem], home: Path) -> tuple[Lake, FeatureStore]:
    windows = all_windows(features.cadence)
    lake = Lake(root=str(home / "lake"), landing=str(home / "landing"))
    if all(lake.stage(problem, "rows", windows[-1].key).exists() for problem in problems):
        return lake, FeatureStore(root=str(home / "feast"))
    if isinstance(features, Problem):
        deliver_all(features, home, windows)
    return land_history(features, problems, home, windows)


def section(report: Report) -> str:
    """One problem: what is wanted, and the table."""
    heads = headings(report)
    rows = [dict(zip(heads, _texts(report, outcome), strict=True)) for outcome in report.outcomes]
    span = f"{report.possible + 1} windows, {report.first} to {report.last}, {report.rows:,} labelled rows"
    return f"## {report.problem}\n\n{span}. {wanted(report)}\n\n{table(rows)}"


def wanted(report: Report) -> str:
    """Whether the declared policy does what is wanted of it."""
    declared, every = report.outcome(DECLARED), report.outcome(EVERY)
    assert declared is not None
    assert every is not None
    assert declared.loss is not None
    few = len(declared.retrainings) <= MOST_RETRAININGS * len(every.retrainings)
    near = declared.loss.value <= MOST_LOSS
    share = f"{len(declared.retrainings)} retrainings against {len(every.retrainings)}"
    verdict = "Reached" if few and near else "**Not reached**"
    return f"{verdict}: {declared.loss.value:+.2%} of error with {share}."


def _texts(report: Report, outcome: Outcome) -> list[str]:
    return [f"{text} ({small})" if small else text for text, small in cells(report, outcome)]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the report, and write it unless `--quick`."""
    parser = argparse.ArgumentParser(description="Retraining policies on the histories of three problems.")
    parser.add_argument("--home", type=Path, default=ROOT / "var" / "replay", help="Where histories land.")
    parser.add_argument("--quick", action="store_true", help="The shop only, one trial; nothing is written.")
    options = parser.parse_args(arguments)
    disable_telemetry()
    names = ("churn", "lifetime_value") if options.quick else ("flights", "churn", "lifetime_value")
    sections = []
    for landed in histories(options.home, names):
        problem = landed.problem.name
        report = replay(
            landed,
            policies=DEFAULT,
            scratch=options.home / "scratch" / "replay" / problem,
            trials=1 if options.quick else None,
        )
        write_text(options.home / "reports" / "replay" / f"{problem}.html", page(report))
        sections.append(section(report))
    text = f"# When to retrain\n\n{__doc__.strip()}\n\nMeasured on {machine()}.\n\n" + "\n".join(sections)
    print(text)
    if not options.quick:
        write_text(RESULTS, text)


if __name__ == "__main__":
    main()
