"""Drawings of things that go outside."""

from marketplace.listings.demo.canvas import Canvas


def draw_bike(sheet: Canvas) -> None:
    frame, dark, steel = "#31584a", "#22302a", "#8d9a92"
    sheet.oval(60, 76, 46, 2.2, "#b9c8bd")
    for x in (33, 87):
        sheet.spokes(x, 57, 1.5, 17, 28, 0.16, steel)
        sheet.ring(x, 57, 17.4, 1.9, dark)
        sheet.ring(x, 57, 15.9, 0.7, steel)
        sheet.disc(x, 57, 1.7, dark)
    draw_rack(sheet, steel)
    sheet.path([(33, 57), (57, 58), (47, 30)], 1.7, frame)
    sheet.path([(33, 57), (48.4, 34)], 1.3, frame)
    sheet.path([(47.8, 32.5), (77, 31)], 2.1, frame)
    sheet.path([(57, 58), (78, 36)], 2.4, frame)
    sheet.path([(76, 26), (79.5, 38)], 2.6, frame)
    sheet.stroke([(79.5, 38), (83, 48), (87, 57)], 1.7, frame)
    sheet.path([(47, 30), (45.6, 25)], 1.2, steel)
    sheet.blob([(37.5, 23.4), (44, 22.6), (53, 23.6), (52, 25), (44, 26), (38, 25.6)], dark)
    sheet.path([(76, 26), (75.3, 22)], 1.3, steel)
    sheet.stroke([(75.3, 22), (80, 21.4), (84, 23), (84.5, 27), (81, 29)], 1.5, dark)
    draw_drive(sheet, dark, steel)
    sheet.path([(60, 50.5), (69.5, 40.6)], 3.4, "#d9cdb4")
    sheet.path([(58.7, 52), (60.4, 50.1)], 2.2, "#b8aa8c")


def draw_rack(sheet: Canvas, steel: str) -> None:
    sheet.path([(20, 38), (44, 38)], 1, steel)
    sheet.path([(24, 38), (33, 56), (36, 38)], 0.8, steel)
    for x in (26, 32, 38):
        sheet.path([(x, 38), (x, 39.6)], 0.8, steel)
    sheet.box(18, 38.6, 20.6, 42, "#a8412e", 0.6)


def draw_drive(sheet: Canvas, dark: str, steel: str) -> None:
    sheet.path([(33, 54.7), (57, 54)], 0.5, dark)
    sheet.path([(33, 59.3), (57, 62)], 0.5, dark)
    sheet.disc(57, 58, 4.3, dark)
    sheet.disc(57, 58, 3.2, steel)
    sheet.disc(57, 58, 1.2, dark)
    sheet.path([(57, 58), (61.6, 66)], 1.1, dark)
    sheet.path([(59.4, 66.6), (64, 66.6)], 1.4, dark)
    sheet.disc(33, 57, 2.6, dark)
    sheet.disc(33, 57, 1.1, steel)


def draw_skateboard(sheet: Canvas) -> None:
    sheet.oval(60, 75.6, 44, 2, "#cfbfae")
    for x in (36, 84):
        sheet.shape([(x - 4, 60.5), (x + 4, 60.5), (x + 1.6, 67), (x - 1.6, 67)], "#7d8488")
        sheet.path([(x - 6, 68.6), (x + 6, 68.6)], 1.6, "#5d6468")
        for side in (-5.2, 5.2):
            sheet.disc(x + side, 69.4, 5, "#e3b23c")
            sheet.disc(x + side, 69.4, 3.5, "#f2d079")
            sheet.disc(x + side, 69.4, 1.6, "#5d6468")
    sheet.stroke([(13, 52), (22, 58.2), (60, 59.6), (98, 58.2), (107, 52)], 3.6, "#a9683f")
    sheet.stroke([(12.6, 50.6), (22, 56.6), (60, 58), (98, 56.6), (107.4, 50.6)], 1.5, "#2f3437")
    for screw in (33.4, 38.6, 81.4, 86.6):
        sheet.disc(screw, 60.2, 0.55, "#5b3820")
    for mark, color in ((52, "#c94f3d"), (58, "#e9ddc9"), (64, "#3c6e71")):
        sheet.path([(mark, 61), (mark + 3, 58.9)], 1.5, color)


def draw_tent(sheet: Canvas) -> None:
    sheet.oval(60, 76, 50, 2.6, "#b7c29f")
    sheet.shape([(12, 75), (52, 24), (74, 27), (108, 75)], "#c9713f")
    sheet.shape([(12, 75), (52, 24), (64, 75)], "#dd8850")
    sheet.shape([(29, 75), (51.4, 33), (55, 75)], "#6f3c22")
    sheet.shape([(29, 75), (51.4, 33), (47.2, 56), (37, 75)], "#f0b98c")
    sheet.path([(51.4, 33), (42.5, 75)], 0.4, "#4d2916")
    sheet.shape([(74, 27), (108, 75), (98, 75)], "#a95a2f")
    sheet.path([(10, 75.4), (52, 22.4), (75, 25.6), (110, 75.4)], 0.9, "#59402f")
    sheet.path([(52, 24), (64, 75)], 0.6, "#b5652f")
    for (x, y), peg in (((30, 50), 3), ((92, 52), 117)):
        sheet.path([(x, y), (peg, 76)], 0.3, "#efe6d2")
        sheet.path([(peg - 0.6, 74.4), (peg + 0.7, 77.4)], 0.8, "#59402f")
    sheet.shape([(72, 42), (82, 43.5), (87, 52), (74, 50.5)], "#8b4a27")
    for step in range(4):
        sheet.path([(73 + step * 3.4, 43.6), (76 + step * 3.2, 50.2)], 0.3, "#c9713f")


def draw_guitar(sheet: Canvas) -> None:
    sheet.oval(60, 78.5, 22, 1.8, "#cdb9a6")
    right = [(71, 40), (73.6, 47), (70.4, 53.4), (76, 60), (76.6, 69), (70, 76.4)]
    left = [(120 - x, y) for x, y in reversed(right)]
    body = [(60.0, 38.0), *right, (60.0, 78.0), *left]
    sheet.blob([(60 + (x - 60) * 1.045, 58.5 + (y - 58.5) * 1.035) for x, y in body], "#6b3a1f")
    sheet.blob(body, "#d99a55")
    sheet.blob([(60 + (x - 60) * 0.93, 58.5 + (y - 58.5) * 0.94) for x, y in body], "#e3aa69")
    sheet.disc(60, 53.6, 7, "#8a4f2a")
    sheet.ring(60, 53.6, 6.4, 0.5, "#efd3a4")
    sheet.disc(60, 53.6, 5.5, "#2b1a10")
    sheet.box(57.2, 12, 62.8, 50, "#4a2a18")
    for number in range(13):
        y = 14 + 33 * (1 - 0.5 ** (number / 8)) * 1.62
        sheet.path([(57.4, y), (62.6, y)], 0.28, "#c9b08a")
    sheet.shape([(56.2, 12.4), (55, 3), (57, 1.6), (63, 1.6), (65, 3), (63.8, 12.4)], "#5b3520")
    for side in (-1, 1):
        for y in (4.2, 7, 9.8):
            sheet.path([(60 + side * 4.4, y), (60 + side * 6.6, y)], 0.5, "#c9b08a")
            sheet.oval(60 + side * 7.2, y, 0.9, 0.75, "#f3ead8")
    sheet.box(52, 66.6, 68, 69.4, "#4a2a18", 0.6)
    sheet.box(55.6, 66, 64.4, 67.2, "#f3ead8", 0.3)
    for number in range(6):
        x = 57.9 + number * 0.84
        sheet.path([(x, 4.6 + (number % 3) * 2.4), (x, 66.6)], 0.13, "#f7efe0")
