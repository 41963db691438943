"""Drawings of what stands in a room."""

from marketplace.listings.demo.canvas import Canvas


def draw_chairs(sheet: Canvas) -> None:
    sheet.oval(62, 76.4, 44, 2.2, "#bcc4d3")
    draw_chair(sheet, 66, "#6d80a3", "#4f618a", "#3c4a6b")
    draw_chair(sheet, 20, "#5d7196", "#41527a", "#33405f")


def draw_chair(sheet: Canvas, left: float, back: str, seat: str, legs: str) -> None:
    for x in (left + 5, left + 27):
        sheet.path([(x, 52), (x + (1.4 if x > left + 10 else -1.4), 72)], 1.6, legs)
    sheet.path([(left + 3.2, 46), (left + 0.6, 76)], 2.1, seat)
    sheet.path([(left + 29, 46), (left + 31.6, 76)], 2.1, seat)
    sheet.path([(left + 1.8, 62), (left + 30.2, 62)], 1.1, legs)
    sheet.path([(left + 5, 48), (left + 5, 20)], 1.9, seat)
    sheet.path([(left + 27, 48), (left + 27, 20)], 1.9, seat)
    sheet.blob(
        [(left + 3.6, 17), (left + 16, 15.4), (left + 28.4, 17), (left + 28.8, 24),
         (left + 16, 25.4), (left + 3.2, 24)], back,
    )  # fmt: skip
    for x in (11, 16, 21):
        sheet.path([(left + x, 25), (left + x, 46)], 1.1, back)
    sheet.shape([(left + 4, 45), (left + 28, 45), (left + 32, 50), (left, 50)], back)
    sheet.box(left, 49.6, left + 32, 53, seat, 1.2)


def draw_desk(sheet: Canvas) -> None:
    wood, dark, light = "#b98a5a", "#8f6540", "#cfa477"
    sheet.oval(60, 76.8, 50, 2.2, "#c9c0b2")
    sheet.path([(17, 40), (14.6, 76)], 2.3, dark)
    sheet.path([(103, 40), (105.4, 76)], 2.3, dark)
    sheet.path([(27, 44), (26, 71)], 1.7, "#7a5536")
    sheet.path([(93, 44), (94, 71)], 1.7, "#7a5536")
    sheet.box(14, 38, 106, 48.6, wood, 0.8)
    sheet.shape([(14, 33.5), (106, 33.5), (111, 38.6), (9, 38.6)], light)
    sheet.box(9, 38, 111, 40.4, dark, 0.6)
    for left in (17, 46.5, 76):
        sheet.box(left, 41.8, left + 27, 47.4, light, 0.5)
        sheet.box(left + 0.5, 42.3, left + 26.5, 46.9, "#c2935f", 0.4)
        sheet.disc(left + 13.5, 44.6, 0.95, "#5d4a35")
        sheet.disc(left + 13.3, 44.4, 0.45, "#d9c9a8")
    for start, end in ((30, 52), (60, 90), (22, 34), (84, 99)):
        sheet.path([(start, 35 + (start % 3) * 0.9), (end, 35 + (start % 3) * 0.9)], 0.22, wood)
    sheet.box(78, 29.6, 96, 31.6, "#41527a", 0.4)
    sheet.box(79.4, 27.8, 94.6, 29.8, "#a8412e", 0.4)
    sheet.box(77.4, 31.4, 97, 33.9, "#d8cfbd", 0.4)
    draw_mug(sheet)


def draw_mug(sheet: Canvas) -> None:
    sheet.ring(34.6, 30.4, 2, 0.9, "#2f6f73")
    sheet.box(27, 26.4, 34, 34.8, "#2f6f73", 1)
    sheet.oval(30.5, 26.6, 3.5, 0.8, "#1f4d50")
    for x, top in ((29, 17.5), (31, 15.8), (32.6, 18.4)):
        sheet.path([(30.4 + (x - 30.5) * 0.5, 26.4), (x, top)], 0.8, "#d9a441")
        sheet.path([(x, top), (x + 0.12, top - 0.8)], 0.5, "#3b2d1c")


def draw_bookshelf(sheet: Canvas) -> None:
    wood, dark, inside = "#d3a871", "#a97f4c", "#8b6a44"
    sheet.oval(60, 79.6, 32, 1.8, "#c2cbc6")
    sheet.box(32, 8, 88, 79, dark, 0.8)
    sheet.box(33.6, 9.6, 86.4, 77.4, inside)
    for top in (9.6, 32, 54.4):
        sheet.box(33.6, top, 86.4, top + 3.2, "#7b5c39")
    for top in (8, 30, 52.4, 75):
        sheet.box(32, top, 88, top + 2.4, wood, 0.4)
    sheet.box(32, 8, 34.2, 79, wood, 0.4)
    sheet.box(85.8, 8, 88, 79, wood, 0.4)
    colors = (
        "#a8412e",
        "#e6d7b8",
        "#41527a",
        "#31584a",
        "#d9a441",
        "#6b4a5e",
        "#c9713f",
        "#5d7d83",
    )
    draw_books(sheet, 35.2, 30, (3, 2.4, 4, 2.2, 3.4, 2.8, 2, 3.6, 3), colors)
    draw_books(sheet, 57, 52.4, (3.6, 2.6, 2.2, 4, 3, 2.4, 3.2), colors[3:] + colors[:3])
    draw_books(sheet, 35.2, 75, (2.6, 3.4, 3, 2.2), colors[5:] + colors[:5])
    sheet.shape([(69, 18), (71.6, 16.8), (77.4, 29.4), (74.6, 30)], "#5d7d83")
    draw_vase(sheet)
    draw_box(sheet)


def draw_books(
    sheet: Canvas, left: float, bottom: float, widths: tuple[float, ...], colors: tuple[str, ...]
) -> None:
    for number, width in enumerate(widths):
        top = bottom - 13.4 - (number * 7 % 5) * 0.9
        color = colors[number % len(colors)]
        sheet.box(left, top, left + width - 0.2, bottom, color, 0.3)
        sheet.box(left + 0.4, top + 2, left + width - 0.6, top + 2.6, "#f2e6cc")
        sheet.box(left + 0.4, bottom - 3, left + width - 0.6, bottom - 2.5, "#f2e6cc")
        left += width


def draw_vase(sheet: Canvas) -> None:
    for points in ([(44, 43), (42, 38), (38.6, 35.6)], [(44, 43), (45, 37), (44.6, 34.4)],
                   [(44, 43), (47, 38.6), (50, 37)]):  # fmt: skip
        sheet.stroke(points, 0.5, "#4f7a52")
        x, y = points[-1]
        sheet.oval(x, y, 1.5, 1.2, "#7fa36f")
    sheet.blob([(42.6, 42), (45.4, 42), (45.6, 44), (48, 47.6), (46.6, 52), (41.4, 52), (40, 47.6),
                (42.4, 44)], "#e9e1d3")  # fmt: skip


def draw_box(sheet: Canvas) -> None:
    sheet.box(56, 61.5, 82, 75, "#b9ac97", 0.8)
    sheet.box(56, 61.5, 82, 65, "#cbbfab", 0.8)
    sheet.box(65, 68, 73, 70.6, "#8b7c64", 1.2)
