"""Abstract values, as whole numbers.

A value stands for all things of one kind at one place: a function, a class, all instances of a class, all lists
made at one place. `index * 4 + level` is what sets hold: the level says how sure it is that the value gets there,
and the smaller one wins.
"""

from __future__ import annotations

from typing import Any

EXACT, INFERRED, GUESSED = 0, 1, 2
"""Levels. EXACT: by flow alone. INFERRED: through a summary, an unknown decorator taken as identity and the like.
GUESSED: begins with evidence that was asked only because flow said nothing: an annotation, the receiver of a
method that nobody here calls."""

ANY, KEYS, REST = "[?", "[keys", "[*"
"""Element variables of a container: all its elements; a mapping's keys; elements whose key is not known."""

TABLE = 32
"""Elements of a container that are kept apart; what is beyond is one. A list that is handed on with one more
element each time would have no end otherwise."""


class Values:
    """All values met, each once.

    kind and what are parallel lists by index. kind is one of

    function   (path, symbol)            a function or method, bound to nothing
    class      (path, symbol)            a class as a thing
    instance   (index of the class,)     all instances of it; (…, "family"): and of all classes below it
    bound      (index of a function or external, index of the receiver); (…, "below"): through a family
    super      (index of the class after which to look, index of the receiver)
    module     (path,)                   a file
    package    (name,)                   a folder of files without a file of its own
    external   (dotted name,)            what lies outside: `json.loads`, `<builtin>.map`, `<**PyStr**>.join`
    made       (dotted name,)            an instance of an external class
    container  (sort, place)             sort: list, tuple, set, dict, …; place: a tuple that is unique in the project
    object     (place,)                  an object literal
    generator  (index of the function,)  what calling a generator gives
    literal    (type,)                   a value of a builtin type
    text       (text,)                   a short constant text; a `literal` of type str otherwise
    other      (word, …)                 what one language needs alone; the word tells them apart
    """

    def __init__(self) -> None:
        self.kind: list[str] = []
        self.what: list[tuple[Any, ...]] = []
        self._index: dict[tuple[Any, ...], int] = {}

    def index(self, kind: str, *what: Any) -> int:
        """The index of a value, made if it is new."""
        key = (kind, *what)
        found = self._index.get(key)
        if found is None:
            found = self._index[key] = len(self.kind)
            self.kind.append(kind)
            self.what.append(what)
        return found

    def value(self, kind: str, *what: Any, level: int = EXACT) -> int:
        """The value at a level, as sets hold it."""
        return self.index(kind, *what) * 4 + level


def place_name(place: int) -> str:
    """The element variable of a place in a list."""
    return f"[{place}" if 0 <= place < TABLE else REST


def at_least(value: int, level: int) -> int:
    """The same value, no surer than a level."""
    return value if value & 3 >= level else (value & ~3) | level
