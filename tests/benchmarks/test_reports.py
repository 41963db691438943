"""What a run says: bars met and missed, mistakes, and what has moved."""

import json
from pathlib import Path

import pytest

from benchmarks.machine import Usage
from benchmarks.reports import baseline, page, text
from benchmarks.reports.report import Report
from benchmarks.taking import Bar, Figure, Measure, Result, Series, Sizes, Taken

FASTER = Bar("messages/s against the tutorial", "rate", "ours", "tutorial", 12, 22)
CHEAPER = Bar("KiB a connection", "memory", "ours", bar=32, aim=28, at_most=True)


async def never(serving: object, sizes: Sizes) -> Taken:
    raise AssertionError


def make_report(
    *, ours: list[float], memory: float = 30, mistakes: dict[str, int] | None = None
) -> Report:
    measure = Measure(
        name="sockets",
        title="Messages",
        contenders=("tutorial", "ours"),
        figures=(Figure("rate", "messages/s"), Figure("memory", "KiB", "{:.1f}")),
        bars=(FASTER, CHEAPER),
        take=never,
    )
    usage = Usage(1.0, {}, 0.0)
    taken = [Taken({"rate": rate, "memory": memory}, usage, mistakes or {}) for rate in ours]
    base = [Taken({"rate": 100}, usage)]
    series = {"tutorial": Series("tutorial", base), "ours": Series("ours", taken)}
    return Report([Result(measure, series)], False, 60.0, {"revision": "abc"})


@pytest.mark.parametrize(
    ("rate", "verdict"), [(1100, "missed"), (1200, "met"), (2199, "met"), (2200, "aim")]
)
def test_at_least(rate: float, verdict: str) -> None:
    report = make_report(ours=[rate])
    assert report.lines[0].verdict == verdict
    assert report.is_good == (verdict != "missed")


@pytest.mark.parametrize(("memory", "verdict"), [(33, "missed"), (32, "met"), (28, "aim")])
def test_at_most(memory: float, verdict: str) -> None:
    report = make_report(ours=[2200], memory=memory)
    assert report.lines[1].verdict == verdict
    assert report.is_good == (verdict != "missed")


def test_it_is_the_median_that_counts() -> None:
    assert make_report(ours=[10, 1500, 99_000]).lines[0].value == 15


def test_a_mistake_spoils_everything() -> None:
    report = make_report(ours=[2200], mistakes={"lost": 1, "twice": 0})
    assert report.mistakes == {"sockets of ours": {"lost": 1}}
    assert not report.is_good
    assert "lost" in text.write(report, baseline.Moved())


def test_what_was_not_measured_is_said_so() -> None:
    report = make_report(ours=[])
    assert [line.verdict for line in report.lines] == ["not measured", "not measured"]
    assert "not measured" in text.write(report, baseline.Moved())
    assert "not measured" in page.draw(report, baseline.Moved())


def test_what_has_moved(tmp_path: Path) -> None:
    kept = tmp_path / "baseline.json"
    assert baseline.compare(make_report(ours=[2000]), kept) == baseline.Moved()
    baseline.keep(make_report(ours=[2000], memory=30), kept)
    assert baseline.compare(make_report(ours=[1700], memory=33), kept) == baseline.Moved()
    slower = baseline.compare(make_report(ours=[1500], memory=20), kept)
    assert [len(slower.worse), len(slower.better)] == [1, 1]
    assert "20.00 × then, 15.00 × now" in slower.worse[0]
    assert slower.better[0].startswith("KiB a connection")


def test_as_json_everything_is_there() -> None:
    content = json.loads(make_report(ours=[1500, 1700]).as_json())
    assert content["bars"][FASTER.title] == 16
    assert content["measures"]["sockets"]["ours"]["rate"] == [1500, 1700]


def test_the_page_shows_bars_and_ranges() -> None:
    drawn = page.draw(make_report(ours=[1500, 1700]), baseline.Moved(worse=["slower <than> ever"]))
    assert FASTER.title in drawn
    assert "slower &lt;than&gt; ever" in drawn
    assert "16.00 ×" in drawn
