"""A sheet of 120 × 90 units to draw flat pictures on, smooth at the edges.

Colours are CSS hex strings. A view of less than the whole sheet makes a close-up of a drawing.
"""

from collections.abc import Sequence
from math import cos, pi, sin

from PIL import Image, ImageDraw

Point = tuple[float, float]

SHEET = 120.0  # units across
WIDTH, HEIGHT = 1200, 900  # pixels of the finished picture
OVERSAMPLING = 3
STEPS = 14  # straight pieces between two points of a curve


class Canvas:
    def __init__(self, *, wall: str, floor: str = "", view: tuple[float, float, float]) -> None:
        """`view`: left, top and width in units. The floor begins at 70 units from the top."""
        self.left, self.top, width = view
        self.scale = WIDTH * OVERSAMPLING / width
        self.image = Image.new("RGB", (WIDTH * OVERSAMPLING, HEIGHT * OVERSAMPLING), wall)
        self.draw = ImageDraw.Draw(self.image)
        if floor:
            self.box(-60, 70, 180, 150, floor)

    def finish(self) -> Image.Image:
        return self.image.reduce(OVERSAMPLING)

    def at(self, point: Point) -> Point:
        return (point[0] - self.left) * self.scale, (point[1] - self.top) * self.scale

    # Straight things

    def box(
        self, left: float, top: float, right: float, bottom: float, color: str, round: float = 0
    ) -> None:
        corners = [self.at((left, top)), self.at((right, bottom))]
        self.draw.rounded_rectangle(corners, round * self.scale, color)

    def shape(self, points: Sequence[Point], color: str) -> None:
        self.draw.polygon([self.at(point) for point in points], color)

    def path(self, points: Sequence[Point], width: float, color: str) -> None:
        """A line with round ends and round corners."""
        pixels = [self.at(point) for point in points]
        self.draw.line(pixels, color, round(width * self.scale))
        for point in points:
            self.disc(point[0], point[1], width / 2, color)

    # Round things

    def disc(self, x: float, y: float, radius: float, color: str) -> None:
        self.oval(x, y, radius, radius, color)

    def oval(self, x: float, y: float, across: float, down: float, color: str) -> None:
        """`across` and `down` are the half axes."""
        corners = [self.at((x - across, y - down)), self.at((x + across, y + down))]
        self.draw.ellipse(corners, color)

    def ring(self, x: float, y: float, radius: float, width: float, color: str) -> None:
        outer = radius + width / 2
        corners = [self.at((x - outer, y - outer)), self.at((x + outer, y + outer))]
        self.draw.ellipse(corners, outline=color, width=round(width * self.scale))

    def spokes(
        self, x: float, y: float, inner: float, outer: float, count: int, width: float, color: str
    ) -> None:
        for number in range(count):
            angle = 2 * pi * number / count
            ends = [(x + cos(angle) * far, y + sin(angle) * far) for far in (inner, outer)]
            self.draw.line([self.at(end) for end in ends], color, round(width * self.scale))

    def blob(self, points: Sequence[Point], color: str) -> None:
        """A closed smooth shape through the points."""
        self.shape(smooth(points, closed=True), color)

    def stroke(self, points: Sequence[Point], width: float, color: str) -> None:
        """An open smooth line through the points."""
        self.path(smooth(points, closed=False), width, color)


def smooth(points: Sequence[Point], *, closed: bool) -> list[Point]:
    """Catmull-Rom through the points."""
    around = (
        [points[-1], *points, points[0], points[1]] if closed else [points[0], *points, points[-1]]
    )
    result: list[Point] = []
    for before, start, end, after in zip(around, around[1:], around[2:], around[3:], strict=False):
        result += [between(before, start, end, after, step / STEPS) for step in range(STEPS)]
    return result if closed else [*result, points[-1]]


def between(before: Point, start: Point, end: Point, after: Point, t: float) -> Point:
    def along(p0: float, p1: float, p2: float, p3: float) -> float:
        return 0.5 * (
            2 * p1
            + (p2 - p0) * t
            + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2
            + (3 * p1 - p0 - 3 * p2 + p3) * t**3
        )

    return (
        along(before[0], start[0], end[0], after[0]),
        along(before[1], start[1], end[1], after[1]),
    )
