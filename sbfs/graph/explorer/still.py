"""A still picture of what is around a symbol, as SVG, or as PNG made of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from html import escape

from sbfs.graph.explorer.data import Tree
from sbfs.graph.explorer.layout import columns

WIDTH, HEIGHT, ACROSS, DOWN, EDGE = 220, 34, 320, 48, 30
"""Of a symbol; from one to the next; around all; in pixels."""

FONTS = "DejaVu Sans, Arial, Helvetica, Liberation Sans, Noto Sans, Segoe UI, sans-serif"
"""What draws a PNG knows no `sans-serif` of the system's: one of these is nearly everywhere."""

ROWS = 24
"""Symbols that a column holds at most."""

_COLOURS = {"class": "#8a5a00", "method": "#1f6a66", "function": "#205a9e", "file": "#63605a", "external": "#8d8880"}
_DASHES = {"name": ' stroke-dasharray="6 4"', "ambiguous": ' stroke-dasharray="1.5 4"'}


def svg(tree: Tree, middle: int, depth: int) -> tuple[str, int, int]:
    """(the picture, symbols that are shown, symbols that there are)."""
    outward: dict[int, dict[int, int]] = defaultdict(dict)
    inward: dict[int, dict[int, int]] = defaultdict(dict)
    edges = [edge for edge in tree.edges if edge[3] != "ambiguous" and tree.elements[edge[1]].type != "external"]
    for source, target, *_ in edges:
        outward[source][target] = inward[target][source] = 1
    places, left_out = columns(middle, outward, inward, depth, ROWS)
    heights: dict[int, int] = defaultdict(int)
    for column, row in places.values():
        heights[column] = max(heights[column], row + 1)
    first, tallest = min(heights), max(heights.values())
    spots = {
        one: (
            EDGE + (column - first) * ACROSS,
            EDGE + (row + (tallest - heights[column]) / 2) * DOWN,
        )
        for one, (column, row) in places.items()
    }
    width = 2 * EDGE + (max(heights) - first) * ACROSS + WIDTH
    height = 2 * EDGE + (tallest - 1) * DOWN + HEIGHT + 24
    frame = f'width="{width}" height="{height:g}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {frame} font-family="{FONTS}" font-size="12">',
        f'<rect width="{width}" height="{height:g}" fill="#fbfaf7"/>',
        *_lines(edges, spots),
        *(_box(tree, one, spot, one == middle) for one, spot in spots.items()),
        f'<text x="{EDGE}" y="{height - 14:g}" fill="#63605a">{_told(len(places), left_out)}</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n", len(places), len(places) + left_out


def _told(shown: int, left_out: int) -> str:
    more = f"; showing {shown} of {shown + left_out} symbols" if left_out else ""
    return f"left: what leads here, right: where it leads; dashed: by name only{more}"


def _lines(edges: list[tuple[int, int, str, str, int, str]], spots: dict[int, tuple[int, float]]) -> Iterator[str]:
    drawn: set[tuple[int, int]] = set()
    for source, target, type, confidence, *_ in edges:
        if source in spots and target in spots and (source, target) not in drawn:
            drawn.add((source, target))
            (x, y), (to_x, to_y) = spots[source], spots[target]
            begin, end = (x + WIDTH, to_x) if to_x > x else (x if to_x < x else x + WIDTH, to_x + WIDTH)
            bend, back = ((end - begin) / 2,) * 2 if to_x != x else (40.0, -40.0)
            colour = "#8a5a00" if type == "extends" else "#8d9a98"
            yield (
                f'<path d="M{begin} {y + HEIGHT / 2:g} C{begin + bend:g} {y + HEIGHT / 2:g} '
                f'{end - back:g} {to_y + HEIGHT / 2:g} {end} {to_y + HEIGHT / 2:g}" fill="none" stroke="{colour}"'
                f"{_DASHES.get(confidence, '')}/>"
                f'<circle cx="{end}" cy="{to_y + HEIGHT / 2:g}" r="2.5" fill="{colour}"/>'
            )


def _box(tree: Tree, number: int, spot: tuple[int, float], is_middle: bool) -> str:
    one, (x, y) = tree.elements[number], spot
    colour = _COLOURS.get(one.type, "#63605a")
    path = one.key.partition("::")[0]
    place = f"{path.rpartition('/')[2]}:{one.line}"
    return (
        f'<rect x="{x}" y="{y:g}" width="{WIDTH}" height="{HEIGHT}" rx="5" fill="#fff" stroke="{colour}" '
        f'stroke-width="{2.5 if is_middle else 1}"><title>{_text(one.key)}</title></rect>'
        f'<text x="{x + 10}" y="{y + 14:g}" fill="#23221f">{_text(_short(one.name, 32))}</text>'
        f'<text x="{x + 10}" y="{y + 28:g}" fill="#63605a" font-size="10">{_text(_short(place, 38))}</text>'
    )


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else "…" + text[-most + 1 :]


def _text(said: str) -> str:
    """As SVG holds it: no markup, and no character that XML does not know."""
    return escape("".join(char if char >= " " and not "\ud800" <= char <= "\udfff" else "?" for char in said))


def png(picture: str) -> bytes:
    """The picture in twice its size."""
    import resvg_py

    return bytes(resvg_py.svg_to_bytes(svg_string=picture, zoom=2))
