"""Texts of a conversation as safe HTML: Markdown, coloured code, differences.

All that comes in is taken for hostile. What goes out holds the tags of this module and of the Markdown
parser, which runs with HTML switched off; all else is escaped. Links lead to http, https and mail only,
and an image in an answer becomes a link, since a page must not load anything.
"""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from markupsafe import Markup, escape

CODE_LIMIT = 16_000
"""Characters of one piece of code that are coloured: some lexers need the square of its length."""

LINE_LIMIT = 1_000
"""Characters of a line above which a piece of code is not coloured, for the same reason."""

CODE_BUDGET = 600_000
"""Characters that are coloured in one page; the rest is shown without colours."""

PROSE_LIMIT = 40_000
"""Characters of one answer that are read as Markdown; a longer one is shown as it is."""

DIFF_LIMIT = 2_000
"""Lines of which a difference is looked for; of more, all old and all new ones are shown."""

_SAFE_LINK = re.compile(r"(?:https?://|mailto:)", re.I)
_ESCAPE_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_LOOKS = (
    ("Keyword", "k"),
    ("Operator.Word", "k"),
    ("Name.Tag", "k"),
    ("Name.Function", "f"),
    ("Name.Class", "f"),
    ("Name.Decorator", "f"),
    ("Name.Attribute", "f"),
    ("Name.Namespace", "f"),
    ("Literal.String.Symbol", "m"),
    ("Literal.String", "s"),
    ("Literal.Number", "m"),
    ("Comment", "c"),
    ("Generic.Inserted", "i"),
    ("Generic.Deleted", "d"),
    ("Generic.Heading", "f"),
    ("Generic.Subheading", "c"),
)
"""Pygments' token types → the classes that the page's style knows; the first that fits."""


def clean(text: str) -> str:
    """A text as a page can show it: without a terminal's colours, with what cannot be seen made visible."""
    text = text.replace("\r\n", "\n")
    if text.isascii() and text.replace("\n", "").replace("\t", "").isprintable():
        return text
    text = _ESCAPE_SEQUENCE.sub("", text).replace("\r", "\n")
    return text.translate(_VISIBLE)


_VISIBLE: dict[int, int] = {code: 0x2400 + code for code in range(32) if chr(code) not in "\n\t"}
_VISIBLE |= {0x7F: 0x2421} | dict.fromkeys([*range(0x80, 0xA0), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF], 0xFFFD)
# What turns the direction of the text that follows could show another command than the one that ran.
_VISIBLE |= dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)], 0xFFFD)


def lines_of(text: str) -> list[Markup]:
    """A text's lines, escaped."""
    return [escape(line) for line in clean(text).split("\n")]


def join(lines: Sequence[Markup]) -> Markup:
    """Lines as one."""
    return Markup("\n").join(lines)


class Painter:
    """Colours code, as long as the page's budget lasts."""

    def __init__(self, budget: int = CODE_BUDGET):
        self.left = budget

    def lines(self, text: str, *, language: str = "", file: str = "") -> list[Markup]:
        """A piece of code, line by line. language: a name as behind a fence. file: a name that tells it."""
        text = clean(text)
        lexer = None
        is_short = len(text) <= min(CODE_LIMIT, self.left) and max(map(len, text.split("\n"))) <= LINE_LIMIT
        if text.strip() and is_short:
            lexer = _lexer_of(language.strip().lower()) if language else _lexer_for(file.rpartition("/")[2])
        if lexer is None:
            return lines_of(text)
        self.left -= len(text)
        return _painted(lexer, text)

    def prose(self, text: str) -> Markup:
        """Markdown as HTML."""
        text = clean(text).strip("\n")
        if len(text) > PROSE_LIMIT:
            return Markup('<div class="said">{}</div>').format(text)
        html: str = _markdown().render(text, {"painter": self})
        return Markup(html)  # noqa: S704 - made by a parser that escapes


def _painted(lexer: Any, text: str) -> list[Markup]:
    lines: list[list[str]] = [[]]
    for kind, value in lexer.get_tokens(text):
        look = _look(kind)
        for number, piece in enumerate(value.split("\n")):
            if number:
                lines.append([])
            if piece:
                shown = escape(piece)
                lines[-1].append(f'<span class="{look}">{shown}</span>' if look and not piece.isspace() else shown)
    return [Markup("".join(line)) for line in lines]  # noqa: S704 - escaped above


@functools.cache
def _look(kind: Any) -> str:
    from pygments.token import string_to_tokentype

    return next((look for name, look in _LOOKS if kind in string_to_tokentype(name)), "")


_AS_IT_IS: dict[str, Any] = {"stripnl": False, "ensurenl": False}


@functools.cache
def _lexer_of(language: str) -> Any:
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        return get_lexer_by_name(language, **_AS_IT_IS)
    except ClassNotFound:
        return None


def _lexer_for(name: str) -> Any:
    # By the ending alone, so that what is kept does not grow with the names there are.
    ending = name[name.rfind(".") :] if "." in name[1:] else name
    return _lexer_by_ending(ending.lower()) if len(ending) < 24 else None


@functools.lru_cache(maxsize=256)
def _lexer_by_ending(ending: str) -> Any:
    from pygments.lexers import get_lexer_for_filename
    from pygments.util import ClassNotFound

    try:
        return get_lexer_for_filename(f"x{ending}" if ending.startswith(".") else ending, **_AS_IT_IS)
    except ClassNotFound:
        return None


# -- Markdown --------------------------------------------------------------------------------------


@functools.cache
def _markdown() -> Any:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"])
    parser.validateLink = _is_safe_link  # type: ignore[method-assign]
    parser.core.ruler.push("fit_in", _fit_in)
    rules: dict[str, Callable[..., str]] = {"image": _image, "link_open": _link, "fence": _fence, "code_block": _fence}
    for name, rule in rules.items():
        parser.add_render_rule(name, rule)
    return parser


def _is_safe_link(url: str) -> bool:
    return bool(_SAFE_LINK.match(url.strip()))


def _fit_in(state: Any) -> None:
    """The page's own headings are the first three, and its policy allows no style in an element."""
    for token in state.tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + 3)}"
        elif token.type in ("th_open", "td_open") and "style" in token.attrs:
            token.attrs = {"class": str(token.attrs["style"]).replace("text-align:", "to-")}


def _image(renderer: Any, tokens: Any, at: int, options: Any, env: Any) -> str:
    alt = renderer.renderInlineAsText(tokens[at].children or (), options, env)
    return str(_linked(str(tokens[at].attrs["src"]), f"image: {alt or 'without a name'}"))


def _link(_: Any, tokens: Any, at: int, *__: Any) -> str:
    return str(Markup('<a href="{}" rel="noopener noreferrer" target="_blank">').format(tokens[at].attrs["href"]))


def _linked(url: str, text: str) -> Markup:
    return Markup('<a href="{}" rel="noopener noreferrer" target="_blank">{}</a>').format(url, text)


def _fence(_: Any, tokens: Any, at: int, __: Any, env: Any) -> str:
    words = (tokens[at].info or "").split(maxsplit=1)
    lines = env["painter"].lines(tokens[at].content.rstrip("\n"), language=words[0] if words else "")
    return f'<pre class="code" tabindex="0"><code>{join(lines)}</code></pre>\n'


# -- differences -----------------------------------------------------------------------------------


Line = tuple[str, Markup]
"""How a line of a difference looks (`add`, `del`, `same`, `gap`), and the line."""


def diff(painter: Painter, old: str, new: str, file: str = "") -> list[Markup]:
    """What one text changes in another, line by line, with three lines around each change."""
    before, after = clean(old).split("\n"), clean(new).split("\n")
    olds, news = painter.lines(old, file=file), painter.lines(new, file=file)
    return [_line(one) for one in _changes(before, after, olds, news)]


def _line(line: Line) -> Markup:
    return Markup('<span class="d-{}">{}</span>').format(*line)


def _changes(
    before: Sequence[str], after: Sequence[str], olds: Sequence[Markup], news: Sequence[Markup]
) -> Iterator[Line]:
    if before == [""] or max(len(before), len(after)) > DIFF_LIMIT:
        yield from (("del", line) for line in olds if before != [""])
        yield from (("add", line) for line in news)
        return
    groups = [*difflib.SequenceMatcher(None, before, after).get_grouped_opcodes(3)]
    for number, group in enumerate(groups):
        if number:
            yield "gap", Markup("⋯")
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                yield from (("same", line) for line in news[j1:j2])
            else:
                yield from (("del", line) for line in olds[i1:i2])
                yield from (("add", line) for line in news[j1:j2])


def hunks(painter: Painter, found: Iterable[tuple[int, Sequence[str]]], file: str = "") -> list[Markup]:
    """A difference that a tool told of: (number of the first line, lines that begin with `+`, `-` or a space)."""
    shown: list[Line] = []
    for first, lines in found:
        shown.append(("gap", Markup("line {}").format(first)))
        plain = [(line[:1], clean(line[1:]).replace("\n", " ")) for line in lines]
        sides = {
            sign: iter(painter.lines("\n".join(text for one, text in plain if one in (sign, " ")), file=file))
            for sign in "-+"
        }
        for sign, _ in plain:
            olds = next(sides["-"], Markup("")) if sign in "- " else Markup("")
            news = next(sides["+"], Markup("")) if sign in "+ " else Markup("")
            shown.append(("del", olds) if sign == "-" else ("add" if sign == "+" else "same", news))
    return [_line(one) for one in shown]


def patch(text: str) -> list[Markup]:
    """A patch as text, in the same look."""
    looks = {"+": "add", "-": "del", " ": "same"}
    found = []
    for line in clean(text).split("\n"):
        look = looks.get(line[:1], "gap") if not line.startswith(("+++", "---")) else "gap"
        found.append(_line((look, escape(line[1:] if look != "gap" else line))))
    return found
