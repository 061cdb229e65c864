"""The world `kinds` in Python, for componentize-py."""

import math

import wit_world
from componentize_py_types import Err, Ok, Some
from wit_world import exports
from wit_world.imports.types import (
    Color,
    Failure_Ambiguous,
    Failure_Invalid,
    Failure_NotFound,
    Failure_TooLarge,
    Point,
    Problem,
    Shape_Circle,
    Shape_Label,
    Shape_Nothing,
    Shape_Polygon,
    Shape_Rectangle,
    SignedIntegers,
    UnsignedIntegers,
)

WIDTHS = (8, 16, 32, 64)


class WitWorld(wit_world.WitWorld):
    def greet(self, person, title):
        called = f"{title} {person.name}" if title is not None else person.nickname or person.name
        return f"Hello, {called}!"


class Values(exports.Values):
    def step(self, signed, unsigned):
        def up(numbers, lowest):
            stepped = {}
            for width in WIDTHS:
                low = lowest(width)
                number = getattr(numbers, f"bits{width}")
                stepped[f"bits{width}"] = (number + 1 - low) % (1 << width) + low
            return stepped

        return (
            SignedIntegers(**up(signed, lambda width: -(1 << (width - 1)))),
            UnsignedIntegers(**up(unsigned, lambda width: 0)),
        )

    def add(self, a, b):
        total = a + b
        if not -(1 << 63) <= total < 1 << 63:
            raise Err("overflow")
        return total

    def sum(self, numbers):
        total = 0
        for number in numbers:
            total += number
            if total >= 1 << 64:
                raise Err(Failure_TooLarge(number))
        return total

    def inspect(self, single, double):
        return single, double, math.isfinite(single) and math.isfinite(double)

    def scale(self, numbers, by):
        return [number * by for number in numbers]

    def next_char(self, character):
        following = ord(character) + 1
        if following == 0xD800:
            following = 0xE000  # What lies between isn't a character.
        return chr(following) if following <= 0x10FFFF else None

    def reverse(self, text):
        return text[::-1]

    def measure(self, text):
        return len(text.encode()), len(text)

    def join(self, parts, separator):
        return separator.join(parts)

    def mask(self, data, key):
        return bytes(byte ^ key for byte in data)

    def bounds(self, points):
        if not points:
            return None
        xs = [point.x for point in points]
        ys = [point.y for point in points]
        return Point(min(xs), min(ys)), Point(max(xs), max(ys))

    def birthday(self, person):
        if person.age == 255:
            raise Err(Problem(1, "255 is the last age", None))
        person.age += 1
        return person

    def find(self, people, name):
        if not name:
            raise Err(Failure_Invalid(Problem(2, "no name", 0)))
        found = [person for person in people if person.name == name]
        if not found:
            raise Err(Failure_NotFound())
        if len(found) > 1:
            nicknames = [person.nickname for person in found if person.nickname is not None]
            raise Err(Failure_Ambiguous(nicknames))
        return found[0]

    def area(self, shape):
        match shape:
            case Shape_Circle(radius):
                return math.pi * radius * radius
            case Shape_Rectangle((width, height)):
                return width * height
            case Shape_Polygon(points):
                pairs = zip(points, points[1:] + points[:1])
                return abs(sum(float(a.x) * b.y - float(b.x) * a.y for a, b in pairs)) / 2
            case Shape_Nothing():
                raise Err("nothing has no area")
            case Shape_Label():
                raise Err("a label has no area")

    def describe(self, shape):
        match shape:
            case Shape_Nothing():
                return "nothing"
            case Shape_Circle():
                return "a circle"
            case Shape_Rectangle():
                return "a rectangle"
            case Shape_Polygon(points):
                return f"a polygon of {len(points)} points"
            case Shape_Label((text, color)):
                return f"the label {text}" if color is None else f"the coloured label {text}"

    def mix(self, a, b):
        if a == b:
            return a
        return next(color for color in Color if color not in (a, b))

    def toggle(self, have, change):
        return have ^ change

    def deepen(self, value):
        match value:
            case None:
                return Some(None)
            case Some(None):
                return Some(0)
            case Some(number):
                return Some((number + 1) % (1 << 32))

    def swap(self, outcomes):
        return [Err(it.value) if isinstance(it, Ok) else Ok(it.value) for it in outcomes]

    def negate(self, bare, number, text):
        return tuple(self.swap([bare, number, text]))

    def group(self, pairs):
        groups = {}
        for color, text in pairs:
            groups.setdefault(color, []).append(text)
        return list(groups.items())

    def check(self, value):
        if not value:
            raise Err(None)

    def touch(self):
        pass
