"""The tiny world's people: what a portrait is made of, and how it is drawn.

Everything is drawn four times too large and shrunk, which smooths the edges. Lengths below are pixels of a
picture that is `SIZE` pixels wide and high.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from collections.abc import Sequence

SIZE = 128
_OVERSAMPLING = 4

Colour: TypeAlias = tuple[int, int, int]

HAIR_COLOURS: dict[str, Colour] = {
    "black": (34, 30, 34),
    "brown": (116, 70, 38),
    "blonde": (238, 204, 98),
    "red": (188, 58, 30),
    "white": (240, 240, 242),
    "green": (54, 158, 70),
    "blue": (46, 88, 204),
    "pink": (242, 118, 182),
}
BACKGROUNDS: dict[str, Colour] = {
    "red": (214, 82, 78),
    "yellow": (246, 222, 108),
    "green": (122, 198, 130),
    "blue": (108, 160, 228),
    "purple": (158, 118, 202),
    "pink": (248, 182, 208),
    "white": (246, 246, 246),
    "grey": (150, 154, 160),
}
SHIRT_COLOURS: dict[str, Colour] = {
    "red": (200, 40, 44),
    "yellow": (240, 204, 50),
    "green": (40, 130, 66),
    "blue": (40, 80, 180),
    "purple": (110, 56, 150),
    "orange": (240, 134, 40),
    "white": (236, 236, 238),
    "black": (44, 44, 50),
}
SKINS: dict[str, Colour] = {
    "pale": (252, 224, 204),
    "tan": (226, 174, 132),
    "brown": (164, 108, 74),
    "dark": (102, 66, 48),
}
KINDS = ("woman", "man")
FACES = ("round", "oval", "square")
STYLES = ("short", "long", "curly", "spiky", "bun")
HATS = ("none", "straw hat", "beanie")
EXPRESSIONS = ("serious", "smiling", "surprised")
POSES = ("forward", "left", "right")
"""Where the person looks, as the viewer sees it."""

_STRAW: Colour = (224, 192, 120)
_BAND: Colour = (150, 60, 50)
_WOOL: Colour = (84, 88, 104)
_LIPS: Colour = (196, 60, 74)
_MOUTH: Colour = (120, 50, 46)
_INK: Colour = (30, 28, 32)
_EYE_WHITE: Colour = (250, 250, 250)


class Mark(NamedTuple):
    """A large disc on a cheek."""

    colour: Colour
    side: int
    """-1: the left cheek as the viewer sees it; 1: the right one."""


class Look(NamedTuple):
    """A person: what stays the same from picture to picture, in colours rather than words."""

    kind: str
    face: str
    skin: Colour
    style: str
    hair: tuple[Colour, Colour]
    """The left and right half as the viewer sees them."""
    beard: bool = False
    glasses: bool = False
    mark: Mark | None = None


class Scene(NamedTuple):
    """What changes from picture to picture of one person."""

    background: Colour
    shirt: Colour
    hat: str = "none"
    expression: str = "serious"
    pose: str = "forward"
    shift: tuple[float, float] = (0.0, 0.0)
    """Of the head from its usual place, in pixels."""
    zoom: float = 1.0


def draw_portrait(look: Look, scene: Scene, size: int = SIZE) -> Image.Image:
    """Head and shoulders before a plain background, RGB, `size` pixels wide and high."""
    canvas = _Canvas(look, scene, size)
    canvas.hair(_hair_behind(look.style))
    canvas.body()
    canvas.head()
    canvas.face()
    if look.beard:
        canvas.beard()
    canvas.mouth()
    if look.mark is not None:
        canvas.mark(look.mark)
    canvas.hair(_hair_before(look.style))
    if look.glasses:
        canvas.glasses()
    canvas.hat()
    return canvas.finished()


Shape: TypeAlias = "tuple[str, Sequence[tuple[float, float]]]"
"""`ellipse` with two opposite corners of its box, or `polygon`; points relative to the head's centre."""


def _ellipse(x: float, y: float, across: float, down: float) -> Shape:
    """By centre and half axes."""
    return "ellipse", [(x - across, y - down), (x + across, y + down)]


def _dome(x: float, y: float, across: float, up: float) -> Shape:
    """The upper half of an ellipse."""
    angles = [math.pi * step / 32 for step in range(33)]
    return "polygon", [(x + across * math.cos(angle), y - up * math.sin(angle)) for angle in angles]


def _polygon(*points: tuple[float, float]) -> Shape:
    return "polygon", points


_FACE_SHAPES = {"round": (25.0, 27.0), "oval": (21.0, 30.0), "square": (24.0, 28.0)}
"""Half axes."""
_CURLS = [(-26, -8), (-23, -20), (-13, -29), (0, -32), (13, -29), (23, -20), (26, -8)]


def _hair_behind(style: str) -> list[Shape]:
    if style == "long":
        return [_ellipse(0, -4, 31, 31), _polygon((-31, -4), (31, -4), (35, 50), (-35, 50))]
    if style == "curly":
        return [_ellipse(x * 1.12, y, 11, 11) for x, y in [*_CURLS, (-28, 6), (28, 6)]]
    if style == "bun":
        return [_ellipse(0, -37, 12, 11), _ellipse(0, -6, 27, 28)]
    return [_ellipse(0, -7, 27, 26)]


def _hair_before(style: str) -> list[Shape]:
    fringe = _polygon(
        (-27, -4), (-25, -20), (-14, -31), (0, -34), (14, -31), (25, -20), (27, -4),
        (22, -12), (10, -17), (-4, -19), (-18, -14),
    )  # fmt: skip
    if style == "curly":
        return [_ellipse(x * 0.9, y - 1, 9, 8) for x, y in _CURLS[1:-1]]
    if style == "spiky":
        spikes: list[tuple[float, float]] = [(-28, -8)]
        for number in range(6):
            left = -28 + number * 56 / 6
            height = 45 - abs(number - 2.5) * 4
            spikes += [(left + 3, -height), (left + 56 / 6, -24)]
        return [fringe, _polygon(*spikes, (28, -8), (20, -15), (0, -18), (-20, -15))]
    if style == "long":
        left = _polygon((-27, -14), (-20, -22), (-20, -8), (-24, 22), (-33, 34), (-32, 0))
        right = _polygon((27, -14), (20, -22), (20, -8), (24, 22), (33, 34), (32, 0))
        return [fringe, left, right]
    return [fringe]


class _Canvas:
    """A picture in the making. Points are relative to the centre of the head unless said otherwise."""

    def __init__(self, look: Look, scene: Scene, size: int) -> None:
        self._look, self._scene, self._size = look, scene, size
        side = size * _OVERSAMPLING
        self._scale = side / SIZE
        self._image = Image.new("RGB", (side, side), scene.background)
        self._draw = ImageDraw.Draw(self._image)
        self._centre = (SIZE / 2 + scene.shift[0], 60 + scene.shift[1])
        self._turn = {"left": -5.0, "forward": 0.0, "right": 5.0}[scene.pose]

    def finished(self) -> Image.Image:
        return self._image.resize((self._size, self._size), Image.Resampling.BOX)

    def body(self) -> None:
        skin = _shade(self._look.skin, 0.86)
        neck = 10 if self._look.kind == "woman" else 14
        self._fill(_polygon((-neck, 14), (neck, 14), (neck, 46), (-neck, 46)), skin)
        wide = 44 if self._look.kind == "woman" else 52
        self._fill(_ellipse(0, 78, wide, 40), self._scene.shirt)
        self._fill(_ellipse(0, 38, neck + 3, 8), skin)

    def head(self) -> None:
        across, down = _FACE_SHAPES[self._look.face]
        for side in (-1, 1):
            self._fill(_ellipse(side * across, 3, 5, 7), _shade(self._look.skin, 0.9))
        if self._look.face == "square":
            corner = 11
            corners = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
            for x, y in corners:
                centre = (x * (across - corner), y * (down - corner))
                self._fill(_ellipse(*centre, corner, corner), self._look.skin)
            inner = across - corner
            self._fill(
                _polygon(
                    (-across, corner - down),
                    (across, corner - down),
                    (across, down - corner),
                    (-across, down - corner),
                ),
                self._look.skin,
            )
            self._fill(
                _polygon((-inner, -down), (inner, -down), (inner, down), (-inner, down)), self._look.skin
            )
        else:
            self._fill(_ellipse(0, 0, across, down), self._look.skin)

    def face(self) -> None:
        woman = self._look.kind == "woman"
        brow = _shade(self._look.skin, 0.45)
        surprised = self._scene.expression == "surprised"
        for side in (-1, 1):
            x = side * 10 + self._turn
            open_by = 4.6 if surprised else 3.6
            self._fill(_ellipse(x, 0, 5, open_by), _EYE_WHITE)
            self._fill(_ellipse(x + self._turn * 0.35, 0, 2.6, 2.9), _INK)
            if woman:
                self._line([(x - 5.5, -1), (x, -open_by - 0.6), (x + 5.5, -1)], _INK, 1.5)
                self._line([(x + side * 5, -2), (x + side * 8, -4.5)], _INK, 1.4)
            height = 10.0 if surprised else 8.0
            self._line([(x - 5, -height), (x + 5, -height)], brow, 1.4 if woman else 3.2)
        self._line([(self._turn * 1.3, 2), (self._turn * 1.5 + 1.5, 9)], _shade(self._look.skin, 0.7), 1.8)

    def beard(self) -> None:
        across, down = _FACE_SHAPES[self._look.face]
        shape = _polygon(
            (-across + 1, 4), (-across * 0.62, 10), (0, 12), (across * 0.62, 10), (across - 1, 4),
            (across * 0.8, down * 0.72), (across * 0.4, down + 4), (-across * 0.4, down + 4),
            (-across * 0.8, down * 0.72),
        )  # fmt: skip
        self.hair([shape])

    def mouth(self) -> None:
        x, expression = self._turn, self._scene.expression
        colour = _LIPS if self._look.kind == "woman" else _MOUTH
        if expression == "surprised":
            self._fill(_ellipse(x, 18, 4.5, 5.5), _MOUTH)
        elif expression == "smiling":
            self._fill(_polygon((x - 10, 14), (x + 10, 14), (x + 7, 19), (x, 21.5), (x - 7, 19)), colour)
            self._fill(_polygon((x - 7.5, 15), (x + 7.5, 15), (x + 6, 17), (x - 6, 17)), _EYE_WHITE)
        else:
            self._line([(x - 7, 17), (x + 7, 17)], colour, 2.6)

    def mark(self, mark: Mark) -> None:
        self._fill(_ellipse(mark.side * 14 + self._turn * 0.6, 12, 6.5, 6.5), mark.colour)

    def glasses(self) -> None:
        for side in (-1, 1):
            self._ring(_ellipse(side * 10.5 + self._turn, 0.5, 8.5, 8), _INK, 2.2)
            edge = side * 19 + self._turn
            self._line([(edge, 0), (side * 25, -1)], _INK, 2)
        self._line([(-2 + self._turn, 0), (2 + self._turn, 0)], _INK, 2.2)

    def hat(self) -> None:
        if self._scene.hat == "straw hat":
            self._fill(_polygon((-20, -26), (-17, -46), (17, -46), (20, -26)), _STRAW)
            self._fill(_polygon((-20, -26), (-19, -32), (19, -32), (20, -26)), _BAND)
            self._fill(_ellipse(0, -25, 38, 5), _STRAW)
        elif self._scene.hat == "beanie":
            self._fill(_dome(0, -24, 27, 22), _WOOL)
            self._fill(_ellipse(0, -47, 5, 5), _shade(_WOOL, 1.25))
            self._fill(_polygon((-28, -29), (28, -29), (28, -21), (-28, -21)), _shade(_WOOL, 0.75))

    def hair(self, shapes: list[Shape]) -> None:
        """Shapes in the colours of the two halves of the hair."""
        left, right = self._look.hair
        if left == right:
            for shape in shapes:
                self._fill(shape, left)
            return
        mask = Image.new("L", self._image.size)
        draw = ImageDraw.Draw(mask)
        for kind, points in shapes:
            getattr(draw, kind)(self._placed(points), fill=255)
        halves = Image.new("RGB", self._image.size, left)
        halves.paste(right, (round(self._centre[0] * self._scale), 0, *self._image.size))
        self._image.paste(halves, mask=mask)

    def _fill(self, shape: Shape, colour: Colour) -> None:
        kind, points = shape
        getattr(self._draw, kind)(self._placed(points), fill=colour)

    def _ring(self, shape: Shape, colour: Colour, width: float) -> None:
        _, points = shape
        self._draw.ellipse(self._placed(points), outline=colour, width=self._length(width))

    def _line(self, points: list[tuple[float, float]], colour: Colour, width: float) -> None:
        self._draw.line(self._placed(points), fill=colour, width=self._length(width), joint="curve")

    def _placed(self, points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
        x, y = self._centre
        unit = self._scene.zoom
        return [((x + px * unit) * self._scale, (y + py * unit) * self._scale) for px, py in points]

    def _length(self, pixels: float) -> int:
        return max(1, round(pixels * self._scene.zoom * self._scale))


def _shade(colour: Colour, factor: float) -> Colour:
    red, green, blue = (min(255, round(value * factor)) for value in colour)
    return red, green, blue
