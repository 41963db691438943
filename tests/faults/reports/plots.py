"""Plots as SVG, in the page's own colours: latency and operations over time, faults beneath."""

from collections.abc import Sequence
from html import escape

from tests.faults.reports.numbers import STATES, Numbers, Span

LEFT, RIGHT, TOP, LINE = 60, 8, 8, 14
POINTS = 240
STEPS = (1, 2, 5)


class Plot:
    """A drawing `width` wide. Everything is placed by seconds of the run and a value."""

    def __init__(self, width: int, height: int, seconds: float, highest: float) -> None:
        self.width, self.height = width, height
        self.seconds, self.highest = max(seconds, 1.0), max(highest, 1e-9)
        self.parts: list[str] = []

    def x(self, seconds: float) -> float:
        return LEFT + (self.width - LEFT - RIGHT) * min(seconds / self.seconds, 1.0)

    def y(self, value: float) -> float:
        return TOP + (self.height - TOP - LINE) * (1 - min(value / self.highest, 1.0))

    def line(self, points: Sequence[tuple[float, float]], kind: str) -> None:
        if len(points) == 1:  # Else nothing would be drawn of it.
            points = [points[0], (points[0][0] + self.seconds / POINTS, points[0][1])]
        path = " ".join(f"{self.x(at):.1f},{self.y(value):.1f}" for at, value in points)
        self.parts.append(f'<polyline class="{kind}" points="{path}"/>')

    def bar(self, at: float, width: float, low: float, high: float, kind: str) -> None:
        left, right = self.x(at - width / 2), self.x(at + width / 2)
        top, bottom = self.y(high), self.y(low)
        self.parts.append(
            f'<rect class="{kind}" x="{left:.1f}" y="{top:.1f}"'
            f' width="{max(right - left, 0.6):.1f}" height="{max(bottom - top, 0):.1f}"/>'
        )

    def text(self, x: float, y: float, words: str, kind: str = "") -> None:
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}">{escape(words)}</text>')

    def scale(self, unit: str) -> None:
        for share in (0, 0.5, 1):
            y = self.y(self.highest * share)
            self.parts.append(
                f'<line class="grid" x1="{LEFT}" x2="{self.width - RIGHT}" y1="{y:.1f}"'
                f' y2="{y:.1f}"/>'
            )
            self.text(LEFT - 4, y + 4, f"{self.highest * share:g}{unit}", "end")

    def clock(self, y: float) -> None:
        step = choose_step(self.seconds, 6 if self.width > 500 else 4)
        at = 0.0
        while at <= self.seconds:
            self.text(self.x(at), y, describe_time(at), "end" if at > self.seconds * 0.95 else "")
            at += step

    def draw(self, title: str, kind: str) -> str:
        inside = "".join(self.parts)
        return (
            f'<svg class="{kind}" viewBox="0 0 {self.width} {self.height}" role="img"'
            f' aria-label="{escape(title)}"><title>{escape(title)}</title>{inside}</svg>'
        )


def choose_step(seconds: float, most: int) -> float:
    """A round number of seconds or minutes, of which there are at most so many."""
    for unit in (1, 10, 60, 600, 3600):
        for factor in STEPS:
            if seconds / (unit * factor) <= most:
                return float(unit * factor)
    return seconds


def describe_time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


def round_up(value: float) -> float:
    """To a number that looks well at the top of a scale."""
    size = 1.0
    while size * 10 <= value:
        size *= 10
    for factor in (1, 2, 5, 10):
        if size * factor >= value:
            return size * factor
    return value


def draw_latency(numbers: Numbers, width: int, kind: str) -> str:
    """A line ends where nothing was acknowledged, and begins anew after it."""
    points = POINTS if width > 500 else POINTS // 2
    runs = numbers.percentiles(points)
    highest = round_up(max((p99 for run in runs for _, _, p99 in run), default=1.0))
    plot = Plot(width, 220, numbers.until, highest)
    for began, ended in numbers.silences(points):
        plot.bar((began + ended) / 2, ended - began, 0, highest, "silence")
    plot.scale(" ms")
    for run in runs:
        plot.line([(at, p99) for at, _, p99 in run], "p99")
        plot.line([(at, p50) for at, p50, _ in run], "p50")
    plot.clock(220)
    return plot.draw(
        "Time until a send is acknowledged, of those that were: half of them, and 99 of 100", kind
    )


def draw_rates(numbers: Numbers, width: int, kind: str) -> str:
    buckets = numbers.rates(POINTS // (2 if width > 500 else 4))
    highest = round_up(max((sum(rates.values()) for _, rates in buckets), default=1.0))
    plot = Plot(width, 180, numbers.until, highest)
    plot.scale("")
    step = numbers.until / max(len(buckets), 1)
    for at, rates in buckets:
        low = 0.0
        for state in STATES:
            if rates[state]:
                plot.bar(at, step, low, low + rates[state], state)
            low += rates[state]
    plot.clock(180)
    return plot.draw("Operations a second: done, refused, without an answer", kind)


def draw_faults(numbers: Numbers, width: int, kind: str) -> str:
    """A row for each kind of fault, on the same time as the plots above."""
    kinds = sorted({fault.name for fault in numbers.faults})
    height = TOP + LINE * (2 * len(kinds) + 1)
    plot = Plot(width, height, numbers.until, 1.0)
    for row, name in enumerate(kinds):
        y = TOP + LINE * 2 * row
        found = [fault for fault in numbers.faults if fault.name == name]
        plot.text(LEFT, y + 10, f"{name.replace('_', ' ')}, {len(found)} times")
        for fault in found:
            _draw_span(plot, fault, y + LINE)
    plot.clock(height)
    return plot.draw("When which kind of fault was at work", kind)


def _draw_span(plot: Plot, span: Span, y: float) -> None:
    left, right = plot.x(span.began), plot.x(span.ended)
    words = f"{span.name} {span.target} at {describe_time(span.began)}"
    plot.parts.append(
        f'<rect class="fault" x="{left:.1f}" y="{y:.1f}" width="{max(right - left, 1):.1f}"'
        f' height="8"><title>{escape(words)}</title></rect>'
    )
