"""The quick look at many texts passes over none in which the exact one finds a secret."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from secret_corpus import lookalikes, true_secrets

from sbfs.redact import BUILT_IN, Rules, contexts, detect, gate, prefixes

CASES = [one.value if isinstance(one.value, str) else json.dumps(one.value) for one in (*true_secrets(), *lookalikes())]
PIECES = [
    *(word.decode() for word in contexts.WORDS),
    *(head.decode() for head in sorted(prefixes.HEADS)),
    *(rule.hint.decode() for rule in contexts.RULES),
    *" \t\n\v=:,;.-_\"'`\\()[]{}<>!?|+&$@\x01",
    *("is ", "was now ", "ist: ", "value", "default", "--", "set-cookie", "export ", "str = ", "Optional[str]",
      "&'static ", "%3D", "\\n", "\\u003d"),
    *("hunter2hunter2", "Tr0ub4dor&3", "a8F3kLm09QzXy7Pw", "https://bob:s3cr3tPw@host/", "A" * 30 + "b1c2d3e4f5"),
]  # fmt: skip


def agree(text: str) -> None:
    """Raise where the quick look overlooks what the exact one finds."""
    if detect.spans(text):
        assert gate.may_hold(text), text
    assert BUILT_IN.may_hold(text) == bool(BUILT_IN.spans(text))


def test_every_case_of_the_corpus():
    """A rule whose widened form is narrower than the rule: a secret goes out unnamed."""
    for text in CASES:
        agree(text)
        agree(f"see here\n\n{text}\n\nand there")
        agree(text.upper())
        agree(json.dumps(text))


@settings(max_examples=400, deadline=None)
@given(parts=st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=14))
@example(parts=["token", "a" * 64, "value=", "hunter2hunter2"])
@example(parts=["password\v=\v", "hunter2hunter2"])
def test_any_text_of_telling_pieces(parts):
    """What stands around names and values, in ways that nobody thought of."""
    agree("".join(parts))


@settings(max_examples=200, deadline=None)
@given(text=st.sampled_from(CASES), at=st.integers(0, 400), piece=st.sampled_from(PIECES), gone=st.integers(0, 3))
def test_any_change_of_a_case(text, at, piece, gone):
    """A secret whose surroundings changed a little."""
    agree(text[:at] + piece + text[at + gone :])


def test_rules_of_a_store_count():
    """A store's own rules that are passed over because sbfs's find nothing, or allowed ones that are named."""
    own = Rules(added=(("ticket", r"XYZ-\d+"),))
    assert own.may_hold("see XYZ-1")
    assert not own.may_hold("nothing")
    token = "ghp_" + "abcdefghij0123456789ABCDEFGHIJ012345"
    assert BUILT_IN.may_hold(token)
    assert not Rules(allowed=("ghp_.*",)).may_hold(token)


@pytest.mark.parametrize("page", ["README.md", "CHANGELOG.md"])
def test_plain_prose_is_clean(page):
    """A look that is never the end of it saves nothing: most paragraphs of a page pass."""
    parts = (Path(__file__).parents[1] / page).read_text().split("\n\n")
    assert sum(map(gate.may_hold, parts)) <= len(parts) / 2
