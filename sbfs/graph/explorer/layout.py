"""Where things stand: circles within circles for the whole, columns for what is around one symbol.

The same graph is always placed alike: nothing here is random.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

Weights = Mapping[int, Mapping[int, int]]

LEAF = 10.0
"""Radius of a symbol that holds nothing."""

_GAP = 2.0


def circles(parents: Sequence[int], pairs: Iterable[tuple[int, int]]) -> list[tuple[float, float, float]]:
    """(x, y, radius) of each element of a tree, in the coordinates of its root, which comes first.

    parents: of each the number of what holds it, smaller than its own; -1 of the root. pairs: what is related; those
    that hold much related stuff stand near each other.
    """
    children: list[list[int]] = [[] for _ in parents]
    for child, parent in enumerate(parents):
        if parent >= 0:
            children[parent].append(child)
    near = _near(parents, pairs)
    radius = [LEAF] * len(parents)
    offset = [(0.0, 0.0)] * len(parents)
    for one in range(len(parents) - 1, -1, -1):
        if children[one]:
            order = _ordered(children[one], near, radius)
            wide = [radius[child] + _gap(radius[child]) for child in order]
            places, around = _enclosed(pack(wide), wide)
            for child, place in zip(order, places, strict=True):
                offset[child] = place
            radius[one] = around + _GAP + 0.04 * around
    found = [(0.0, 0.0, radius[0])] if parents else []
    for one in range(1, len(parents)):
        x, y, _ = found[parents[one]]
        found.append((x + offset[one][0], y + offset[one][1], radius[one]))
    return found


def _gap(radius: float) -> float:
    """Room around a circle: for what is between."""
    return _GAP + 0.06 * radius


def _near(parents: Sequence[int], pairs: Iterable[tuple[int, int]]) -> Weights:
    """How often elements of one parent are related, by what they hold."""
    depth = [0] * len(parents)
    for one in range(1, len(parents)):
        depth[one] = depth[parents[one]] + 1
    found: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for first, second in pairs:
        while depth[first] > depth[second]:
            first = parents[first]
        while depth[second] > depth[first]:
            second = parents[second]
        while parents[first] != parents[second]:
            first, second = parents[first], parents[second]
        if first != second:
            found[first][second] += 1
            found[second][first] += 1
    return found


def _ordered(children: Sequence[int], near: Weights, radius: Sequence[float]) -> list[int]:
    """The largest first, then always what is most related to those that are placed, counted by its size."""
    left = set(children)
    pull: dict[int, float] = dict.fromkeys(children, 0.0)
    order: list[int] = []
    while left:
        if len(children) > 400 and not order:
            # Beyond that, a choice at each step takes too long.
            return sorted(children, key=lambda child: (-radius[child], child))
        one = max(left, key=lambda child: (radius[child] * (1 + pull[child]), -child))
        left.remove(one)
        order.append(one)
        for other, weight in near.get(one, {}).items():
            if other in left:
                pull[other] += math.log1p(weight) / 4
    return order


def _enclosed(places: Sequence[tuple[float, float]], radii: Sequence[float]) -> tuple[list[tuple[float, float]], float]:
    """The places around a middle, and the radius that holds them all: Bădoiu and Clarkson, 2003."""
    x = y = 0.0
    circles = [(px, py, radius) for (px, py), radius in zip(places, radii, strict=True)]
    if len(circles) > 1:
        for step in range(1, 60):
            far = max(circles, key=lambda one: math.hypot(one[0] - x, one[1] - y) + one[2])
            distance = math.hypot(far[0] - x, far[1] - y)
            if distance:
                move = (distance + far[2]) / distance / (step + 1)
                x, y = x + (far[0] - x) * move, y + (far[1] - y) * move
    best = [(px - x, py - y) for px, py, _ in circles]
    return best, max(math.hypot(px, py) + radius for (px, py), radius in zip(best, radii, strict=True))


def pack(radii: Sequence[float]) -> list[tuple[float, float]]:
    """Middles of circles that touch and do not overlap, one after another around the first.

    Each is put against two neighbours of the front that surrounds what is placed: Wang, Wang, Dai and Wang,
    "Visualization of large hierarchical data by circle packing", 2006.
    """
    count = len(radii)
    if count == 1:
        return [(0.0, 0.0)]
    xs, ys = [0.0] * count, [0.0] * count
    xs[0], xs[1] = -radii[1], radii[0]
    if count == 2:
        return [*zip(xs, ys, strict=True)]

    def put(b: int, a: int, new: int) -> None:
        dx, dy = xs[b] - xs[a], ys[b] - ys[a]
        square = dx * dx + dy * dy or 1e-12
        to_a, to_b = (radii[a] + radii[new]) ** 2, (radii[b] + radii[new]) ** 2
        along = (square + to_a - to_b) / (2 * square)
        across = math.sqrt(max(0.0, to_a / square - along * along))
        xs[new] = xs[a] + along * dx - across * dy
        ys[new] = ys[a] + along * dy + across * dx

    def overlap(one: int, new: int) -> bool:
        reach = radii[one] + radii[new] - 1e-6
        dx, dy = xs[new] - xs[one], ys[new] - ys[one]
        return reach > 0 and reach * reach > dx * dx + dy * dy

    def distance(one: int) -> float:
        other = after[one]
        both = radii[one] + radii[other]
        dx = (xs[one] * radii[other] + xs[other] * radii[one]) / both
        dy = (ys[one] * radii[other] + ys[other] * radii[one]) / both
        dx, dy = dx - middle[0] / middle[2], dy - middle[1] / middle[2]
        return dx * dx + dy * dy

    # The middle of what is placed, by area: around a large circle the small ones lie on all sides.
    middle = [0.0, 0.0, 0.0]

    def weigh(one: int) -> None:
        area = radii[one] * radii[one]
        for axis, value in enumerate((xs[one] * area, ys[one] * area, area)):
            middle[axis] += value

    put(1, 0, 2)
    for one in range(3):
        weigh(one)
    # The front runs 0 → 1 → 2 → 0.
    after, before = {0: 1, 1: 2, 2: 0}, {1: 0, 2: 1, 0: 2}
    a, b = 0, 1
    new = 3
    while new < count:
        put(a, b, new)
        hit = _hit(a, b, new, after, before, radii, overlap)
        if hit is not None:
            side, one = hit
            if side > 0:
                b = one
            else:
                a = one
            after[a], before[b] = b, a
            continue
        after[a], before[new], after[new], before[b] = new, a, b, new
        weigh(new)
        a, b = _nearest(new, after, distance)
        new += 1
    return [*zip(xs, ys, strict=True)]


def _nearest(start: int, after: Mapping[int, int], distance: Callable[[int], float]) -> tuple[int, int]:
    """The pair of neighbours on the front that is nearest to the middle."""
    best, least, one = start, distance(start), after[start]
    while one != start:
        if (found := distance(one)) < least:
            best, least = one, found
        one = after[one]
    return best, after[best]


def _hit(
    a: int,
    b: int,
    new: int,
    after: Mapping[int, int],
    before: Mapping[int, int],
    radii: Sequence[float],
    overlap: Callable[[int, int], bool],
) -> tuple[int, int] | None:
    """What of the front stands in the way, looked for from both neighbours outwards: (direction, which), or None."""
    right, left = after[b], before[a]
    run, back = radii[b], radii[a]
    while True:
        if run <= back:
            if overlap(right, new):
                return 1, right
            run += radii[right]
            right = after[right]
        else:
            if overlap(left, new):
                return -1, left
            back += radii[left]
            left = before[left]
        if right == after[left]:
            return None


# -- columns ---------------------------------------------------------------------------------------


def columns(
    middle: int, outward: Weights, inward: Weights, depth: int, most: int
) -> tuple[dict[int, tuple[int, int]], int]:
    """(element → (column, row), how many are left out): what leads to the middle on its left, what it leads to on its
    right, a step a column; of each column at most so many, those with the most relations."""
    found = {middle: (0, 0)}
    left_out = 0
    for side, ways in ((1, outward), (-1, inward)):
        edge = [middle]
        for step in range(1, depth + 1):
            pulls: dict[int, float] = {}
            for row, one in enumerate(edge):
                for other in ways.get(one, {}):
                    if other not in found:
                        pulls.setdefault(other, row)
            ranked = sorted(pulls, key=lambda one: (-len(outward.get(one, {})) - len(inward.get(one, {})), one))
            kept = sorted(ranked[:most], key=lambda one: (pulls[one], one))
            left_out += len(ranked) - len(kept)
            found |= {one: (side * step, row) for row, one in enumerate(kept)}
            edge = kept
    return found, left_out
