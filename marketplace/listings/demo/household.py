"""Drawings of small things of a household."""

from marketplace.listings.demo.canvas import Canvas


def draw_lamp(sheet: Canvas) -> None:
    brass, dark, light = "#c08a3e", "#8a5f28", "#e0b56c"
    sheet.shape([(36, 36), (60, 30), (92, 76), (30, 76)], "#f6ead4")
    sheet.oval(66, 76.4, 26, 2, "#d3bd9c")
    sheet.box(56, 73, 88, 76.2, dark, 1.5)
    sheet.oval(72, 73.4, 15.6, 2, brass)
    sheet.path([(72, 73), (82, 46)], 1.7, brass)
    sheet.path([(82, 46), (52, 22)], 1.5, brass)
    sheet.path([(80.6, 45), (53.4, 23.2)], 0.35, light)
    sheet.disc(82, 46, 2.3, dark)
    sheet.disc(82, 46, 1.1, light)
    sheet.disc(72, 72.6, 2.1, dark)
    sheet.blob(
        [(50, 18), (56.5, 20.5), (63, 31), (59, 34.6), (42, 39.4), (36.8, 38.2), (43, 24)], brass
    )
    sheet.blob([(46.6, 23), (50, 19.6), (52, 21), (44, 36), (39, 37.4)], light)
    sheet.shape([(36.4, 38.2), (62.8, 31), (63.4, 33), (37, 40.2)], dark)
    sheet.disc(50, 36.6, 3.2, "#fff6dd")
    sheet.disc(51.4, 21, 2, dark)
    sheet.stroke([(87, 75), (96, 76), (103, 72), (112, 75.5)], 0.7, "#5a4432")


def draw_camera(sheet: Canvas) -> None:
    body, leather, metal = "#2c2331", "#4b3d52", "#cfc8cf"
    sheet.oval(60, 75, 42, 2, "#c3b9c4")
    sheet.stroke([(22, 40), (10, 52), (16, 70), (30, 76), (44, 75)], 1.5, "#6b4a34")
    sheet.box(20, 34, 100, 74, body, 4)
    sheet.box(20, 34, 100, 45, metal, 4)
    sheet.box(20, 42, 100, 46, metal)
    sheet.shape([(47, 36), (51, 25), (69, 25), (73, 36)], metal)
    sheet.shape([(49.6, 36), (53, 27.4), (67, 27.4), (70.4, 36)], "#b7adb8")
    sheet.box(20, 46, 100, 68, leather)
    for row in range(7):
        for column in range(26):
            x, y = 22 + column * 3 + (row % 2) * 1.5, 48 + row * 3
            sheet.disc(x, y, 0.32, "#5d4d65")
    sheet.disc(60, 54, 17.6, "#1d1720")
    sheet.ring(60, 54, 15.6, 1.4, metal)
    sheet.spokes(60, 54, 16.6, 17.5, 60, 0.35, "#4b3d52")
    sheet.disc(60, 54, 13, "#332a38")
    sheet.disc(60, 54, 10, "#1d1720")
    sheet.disc(60, 54, 7.6, "#4a5d86")
    sheet.disc(60, 54, 5, "#2d3a5c")
    sheet.oval(57, 50.6, 2.6, 1.8, "#b9c8e6")
    sheet.disc(63, 57, 0.9, "#8398c4")
    sheet.box(26, 30.6, 37, 34.6, "#8f8592", 0.8)
    sheet.box(81, 29.4, 94, 34.6, "#8f8592", 0.8)
    for x in range(82, 94, 2):
        sheet.path([(x, 30.2), (x, 33.8)], 0.3, "#5f5663")
    sheet.box(74, 31.8, 78, 34.4, "#a8412e", 0.6)
    sheet.box(82, 38, 94, 42, "#1d1720", 0.8)
    sheet.oval(86, 39.6, 1.8, 0.7, "#6d7fa5")


def draw_plant(sheet: Canvas) -> None:
    sheet.oval(60, 77.2, 22, 1.9, "#c3cdb2")
    stems = [(58, 50), (60, 50), (62, 50)]
    tips = [(36, 34), (46, 16), (62, 8), (77, 20), (86, 38), (30, 50), (92, 52)]
    for number, (x, y) in enumerate(tips):
        root = stems[number % 3]
        sheet.stroke([root, ((root[0] + x) / 2, (root[1] + y) / 2 - 2), (x, y)], 0.9, "#4c7046")
    for number, (x, y) in enumerate(tips):
        draw_leaf(sheet, x, y, (x - 60) * 0.34, "#4f8256" if number % 2 else "#3d6d4a")
    draw_leaf(sheet, 55, 30, -4, "#6a9a66")
    draw_leaf(sheet, 68, 36, 5, "#5b8c5e")
    sheet.shape([(44, 54), (76, 54), (71.6, 77), (48.4, 77)], "#c0673f")
    sheet.shape([(62, 54), (76, 54), (71.6, 77), (62, 77)], "#ad5935")
    sheet.box(42, 49.4, 78, 55.6, "#cf7a50", 1)
    sheet.box(42, 54, 78, 55.6, "#9c4f2e", 0.6)


def draw_leaf(sheet: Canvas, x: float, y: float, lean: float, color: str) -> None:
    bend = lean * 0.4
    outline = [(x - lean, y + 9), (x - 5.6, y + 3), (x - 5 + bend, y - 4), (x + lean, y - 10)]
    sheet.blob([*outline, (x + 5 + bend, y - 4), (x + 5.6, y + 3)], color)
    sheet.stroke([(x - lean, y + 8), (x, y), (x + lean * 0.9, y - 8.4)], 0.45, "#a9c59a")
    for step in (-4, 0, 4):
        for side in (-1, 1):
            start = (x - lean * step / 9, y + step)
            sheet.path([start, (start[0] + side * 3.6, start[1] - 2.2)], 0.22, "#8fb383")


def draw_kettle(sheet: Canvas) -> None:
    enamel, dark, light = "#a8412e", "#7f2d1f", "#c9624e"
    sheet.oval(60, 76.6, 32, 2, "#c5cfd2")
    sheet.stroke([(40, 38), (38, 16), (60, 9), (82, 16), (80, 38)], 1.6, "#3a3432")
    sheet.stroke([(46, 12.4), (60, 8.6), (74, 12.4)], 3.6, "#8a5a3a")
    sheet.blob([(82, 46), (92, 40), (98, 29), (103.4, 30), (101, 42), (92, 56), (84, 60)], dark)
    sheet.oval(100.8, 29.4, 3, 1.2, "#3a3432")
    sheet.blob([(40, 38), (60, 35), (80, 38), (89, 54), (87, 70), (78, 76), (60, 76.6), (42, 76),
                (33, 70), (31, 54)], enamel)  # fmt: skip
    sheet.blob([(40, 42), (44, 40), (42, 54), (43, 68), (38, 66), (36, 54)], light)
    sheet.blob([(43, 37.6), (60, 30), (77, 37.6), (60, 40)], dark)
    sheet.stroke([(43, 38.4), (60, 40.4), (77, 38.4)], 0.9, "#3a3432")
    sheet.disc(60, 29, 2.6, "#3a3432")
    sheet.disc(59.2, 28.2, 0.8, "#8a817d")
    sheet.stroke([(34, 71), (60, 73.6), (86, 71)], 0.8, dark)
    for x, y in ((52, 55), (66, 50), (73, 61), (59, 65), (47, 63), (76, 50), (58, 46)):
        sheet.disc(x, y, 0.8, "#f0d9c8")


def draw_radio(sheet: Canvas) -> None:
    case, dark, cream = "#3f7a78", "#2c5957", "#efe6d2"
    sheet.oval(60, 76, 42, 2, "#cfc4ad")
    sheet.path([(88, 32), (104, 5)], 0.8, "#8d9390")
    sheet.disc(104, 5, 1.1, "#6b716e")
    sheet.stroke([(38, 32), (40, 23.6), (60, 22.6), (80, 23.6), (82, 32)], 2.2, dark)
    sheet.box(20, 31, 100, 74, dark, 6)
    sheet.box(20, 31, 100, 72, case, 6)
    sheet.box(25, 36, 95, 67, cream, 3)
    sheet.disc(43, 51.5, 13, "#d8ccb2")
    sheet.disc(43, 51.5, 12, "#4d453a")
    for ring in range(1, 6):
        sheet.spokes(43, 51.5, ring * 2.05 - 0.35, ring * 2.05 + 0.35, ring * 6, 0.7, "#8f8570")
    sheet.disc(43, 51.5, 0.5, "#8f8570")
    sheet.box(61, 40, 91, 50, "#fbf6e9", 1)
    for step in range(14):
        x = 63.4 + step * 1.95
        sheet.path([(x, 45.4), (x, 47.6 if step % 3 else 48.6)], 0.25, "#7a6f5c")
    sheet.path([(79, 41), (79, 49)], 0.6, "#a8412e")
    for x, turn in ((67, -0.9), (85, 1.1)):
        sheet.disc(x, 58.6, 5, "#cbbd9f")
        sheet.disc(x, 58.6, 4.3, case)
        sheet.path([(x, 58.6), (x + turn * 2, 55.6)], 0.7, cream)
    for x in (31, 85):
        sheet.box(x, 73, x + 5, 76, "#2a2a28", 0.8)
