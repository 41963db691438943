"""What Sol sells in the demo: twelve things with plain words, fair prices and drawn photos."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from PIL import Image

from marketplace.listings.demo import furniture, household, outdoors
from marketplace.listings.demo.canvas import Canvas

View = tuple[float, float, float]  # left, top, width, in units of the canvas
WHOLE: View = (0, 0, 120)


@dataclass(frozen=True, kw_only=True)
class DemoListing:
    title: str
    price: Decimal
    text: str
    drawing: Callable[[Canvas], None]
    wall: str
    floor: str
    whole: View = WHOLE
    details: tuple[View, ...]

    def draw_photos(self) -> list[Image.Image]:
        """The whole thing first, then its details on a plain wall."""
        return [
            self.draw(self.whole, wall=self.wall, floor=self.floor),
            *(self.draw(view, wall=self.floor, floor=self.floor) for view in self.details),
        ]

    def draw(self, view: View, *, wall: str, floor: str) -> Image.Image:
        canvas = Canvas(wall=wall, floor=floor, view=view)
        self.drawing(canvas)
        return canvas.finish()


# In the order of the first page: the newest first.
CATALOGUE = (
    DemoListing(
        title="Touring bike, 54 cm",
        price=Decimal(340),
        text="Steel frame, 27 gears, new chain and brake pads in spring. Rear rack for 25 kg, "
        "dynamo lights. Ridden from Girona to Lisbon; ready for the next trip.\n\n"
        "The frame is 54 cm, which suits people of about 1.70 to 1.80 m. Come and try it.",
        drawing=outdoors.draw_bike,
        wall="#d9e4dc",
        floor="#cbd8cf",
        details=((36, 37, 48), (12, 25, 48)),
    ),
    DemoListing(
        title="Desk lamp, brass",
        price=Decimal(35),
        text="Jointed arm, heavy foot, new cable and switch. The brass has the small marks of its "
        "forty years; I have not polished them away. Takes any E27 bulb, one is included.",
        drawing=household.draw_lamp,
        wall="#efe0cb",
        floor="#e3d0b4",
        details=((28, 10, 52), (58, 38, 50)),
    ),
    DemoListing(
        title="Two blue chairs",
        price=Decimal(80),
        text="Solid beech, painted by hand, seat height 45 cm. Both stand firm; one has a scratch "
        "on the left leg that you see only from below. Only together.",
        drawing=furniture.draw_chairs,
        wall="#dfe3ec",
        floor="#d0d6e3",
        details=((12, 8, 50), (58, 38, 48)),
    ),
    DemoListing(
        title="Film camera with 50 mm lens",
        price=Decimal(140),
        text="All times are right, the meter works, new light seals last year. The lens is clear, "
        "without fungus or haze. With strap, cap and one roll of film to try it.",
        drawing=household.draw_camera,
        wall="#e6dfe6",
        floor="#d8ced8",
        details=((34, 31, 54), (62, 20, 46)),
    ),
    DemoListing(
        title="Writing desk, oak",
        price=Decimal(180),
        text="120 × 60 cm, 75 cm high, three drawers that run well. Oiled last winter. The legs "
        "come off with four screws each, so it fits into a small car.",
        drawing=furniture.draw_desk,
        wall="#e8e2d6",
        floor="#dad2c3",
        details=((8, 27, 50), (14, 11, 44)),
    ),
    DemoListing(
        title="Classical guitar",
        price=Decimal(120),
        text="Spruce top, full size, easy to play. New strings in September. A small dent at the "
        "edge does nothing to the sound. Soft case included.",
        drawing=outdoors.draw_guitar,
        wall="#ecdfd2",
        floor="#dfccba",
        whole=(-4, -5, 128),
        details=((42, 36, 40), (45, -4, 30)),
    ),
    DemoListing(
        title="Rubber plant in a clay pot",
        price=Decimal("24.50"),
        text="About 80 cm high, four years old, easy to please: bright, no direct sun, a glass of "
        "water a week. I move to a darker flat, so it needs a new window.",
        drawing=household.draw_plant,
        wall="#e3e8d8",
        floor="#d4dcc4",
        whole=(-5, -8, 130),
        details=((38, 2, 50), (36, 36, 52)),
    ),
    DemoListing(
        title="Enamel kettle, red, 2 litres",
        price=Decimal(18),
        text="For gas and induction. No chips in the enamel, wooden handle, hardly used since I "
        "have an electric one.",
        drawing=household.draw_kettle,
        wall="#dde5e7",
        floor="#cfd9dc",
        details=((58, 20, 52), (34, 4, 52)),
    ),
    DemoListing(
        title="Skateboard, soft wheels",
        price=Decimal(45),
        text="Maple deck, 78 cm, wheels of 78A that roll quietly over bad pavement. Bearings "
        "cleaned this month. Good for the way to the station.",
        drawing=outdoors.draw_skateboard,
        wall="#ece3d8",
        floor="#dfd2c3",
        whole=(6, 17, 108),
        details=((20, 46, 38),),
    ),
    DemoListing(
        title="Kitchen radio",
        price=Decimal(40),
        text="FM and DAB, a warm sound, two knobs and nothing to set up. Mains or six AA "
        "batteries. The aerial is straight.",
        drawing=household.draw_radio,
        wall="#ede4d0",
        floor="#dfd4bb",
        details=((54, 33, 46), (22, 31, 48)),
    ),
    DemoListing(
        title="Tent for two, 2.4 kg",
        price=Decimal(95),
        text="Used on three trips, dry and clean, no holes. All pegs, two spare ones, and a patch "
        "kit. Pitched in five minutes, also alone. I can show it in the park.",
        drawing=outdoors.draw_tent,
        wall="#d9e2ea",
        floor="#c6d1ac",
        details=((22, 26, 62), (58, 22, 46)),
    ),
    DemoListing(
        title="Bookshelf, pine",
        price=Decimal(60),
        text="90 × 180 × 28 cm, three boards, screws for the wall included. Without the books, "
        "with the box if you like. Second floor; I help to carry it down.",
        drawing=furniture.draw_bookshelf,
        wall="#dbe3df",
        floor="#cbd6d0",
        whole=(-3, -2, 126),
        details=((31, 5, 50), (31, 33, 48)),
    ),
)
