"""Documents of conversations: Markdown that stays in its place, JSON that holds all, the terminal's view, the verb."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from domain_helpers import Shell
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from page_helpers import ATTACKS, START, answer, call, hostile, nothing, prompt, talk, told

from sbfs import conversations, projects
from sbfs.cli.transcript import show_conversation
from sbfs.conversations import markdown, plain
from sbfs.conversations.value import MAIN, Commit, Part, SubAgent, Tokens, Turn, dump, load_turn
from sbfs.errors import Invalid, NotFound
from sbfs.store import Store

# -- Markdown ------------------------------------------------------------------------------------------


def blocks(text: str) -> list[str]:
    """The top-level blocks of a document, as GitHub's readers see them: `type:content`."""
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    parser.validateLink = bool
    return [f"{token.type}:{token.content}" for token in parser.parse(text) if token.level == 0 and token.nesting != -1]


def paragraphs(text: str) -> list[str]:
    """The texts of its top-level paragraphs."""
    tokens = MarkdownIt("commonmark", {"html": True}).parse(text)
    return [token.content for token in tokens if (token.type, token.level) == ("inline", 1)]


def html_of(text: str) -> list[str]:
    """All raw HTML of a document, and all links that are no plain ones."""
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    parser.validateLink = bool
    tokens = [one for token in parser.parse(text) for one in (token, *(token.children or ()))]
    found = [token.content.strip() for token in tokens if token.type in ("html_block", "html_inline")]
    links = [
        str(token.attrs.get("href") or token.attrs.get("src"))
        for token in tokens
        if token.type in ("link_open", "image")
    ]
    return found + [link for link in links if not re.match(r"https?:|mailto:", link)]


OURS = re.compile(r"<details><summary>[^<>]*</summary>|</details>")


def render(*turns: Turn, thinking: str = "fold", **given) -> str:
    """The document of a conversation."""
    return markdown.render(*talk(*turns, **given), nothing, thinking=thinking)


@pytest.mark.parametrize("attack", ATTACKS, ids=range(len(ATTACKS)))
def test_nothing_leaves_its_place(attack):
    """A tag, a link that runs something, or an open fence that swallows the rest of a pull request."""
    conversation, lines = hostile(attack)
    turns = [*lines[MAIN], prompt("The last question", seq=99), answer(told("The last answer"), seq=100)]
    text = markdown.render(conversation, {**lines, MAIN: turns}, nothing)
    found = html_of(text)
    assert [html for html in found if not OURS.fullmatch(html)] == []
    assert sum(html.startswith("<details>") for html in found) == found.count("</details>")
    assert "The last answer" in paragraphs(text)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.sampled_from([*ATTACKS, "\n", "\n\n", "    ", "- ", "> ", "`", "~~~\n", "# ", "\\", "<b", "word "]),
        max_size=7,
    )
)
def test_any_answer_is_contained(pieces):
    """An answer whose end is not the end of what it opened."""
    text = f"{markdown.contained(''.join(pieces))}\n\nnext"
    assert html_of(text) == []
    assert blocks(text)[-1] == "paragraph_open:"


def test_an_answer_without_dangers_is_kept_as_it_is():
    """Escapes that a reader of the pull request must look through."""
    text = "Use `<b>` and [docs](https://a.b) or <https://c.d>:\n\n```html\n<script>\n```\n\n| a |\n|---|\n| `|` |"
    assert markdown.contained(text) == text
    assert markdown.contained("# One\n\n### Two\n\n    # code") == "### One\n\n##### Two\n\n    # code"


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(["`", "```", "\n```\n", "\n````\n", "~~~\n", "\n", "   ", "> ", "word"]), max_size=9))
def test_a_fence_survives_what_it_holds(pieces):
    """Output with fences of its own that ends ours."""
    found = blocks(f"{markdown.fenced(''.join(pieces))}\n\nnext")
    assert [block.split(":")[0] for block in found] == ["fence", "paragraph_open"]


@settings(max_examples=150, deadline=None)
@given(st.text())
def test_a_quotation_holds_what_was_typed(text):
    """A prompt that makes headings, lists or tags in the document."""
    found = f"{markdown.quoted(text)}\n\nnext"
    assert html_of(found) == []
    assert [block.split(":")[0] for block in blocks(found)] == ["blockquote_open", "paragraph_open"]


def test_a_document_reads_like_the_conversation():
    """A prompt, an answer, a tool, a thought, a commit or a sub-agent that is missing."""
    made, result = call("Task", "All pass", "c9", prompt="Test it", description="Try")
    side = [prompt("Test it", origin="task"), answer(told("All pass"))]
    turns = [
        prompt("Fix *it*\nplease"),
        answer(
            Part("thinking", "Let me think"),
            told("# Plan\nI will."),
            *call("Bash", "ok\n```\n", command="make `x`", description="Build"),
            *call("Edit", "ok", file_path="/home/pat/api/a.py", old_string="a", new_string="b"),
            made,
            result,
        ),
    ]
    given = {"commits": (Commit("abc1234", "fix: *it*", "main", "answer-2"),), "subagents": (SubAgent("s", call="c9"),)}
    text = render(*turns, agents={"agent-s": side}, **given)
    assert "# Add the export\n" in text
    assert "## 1. Fix \\*it\\*" in text
    assert "> Fix \\*it\\*\\\n> please" in text
    assert "### Plan" in text
    assert "<details><summary>Bash: Build (2 lines)</summary>\n\n```sh\nmake `x`\n```\n\n````\nok\n```\n````" in text
    assert "```diff\n@@ -1 +1 @@\n-a\n+b\n```" in text
    assert "**Commit** `abc1234` fix: \\*it\\* on main" in text
    assert "<details><summary>Sub-agent s (2 turns)</summary>" in text
    assert text.count("All pass") == 1
    folded, left, included = (render(*turns, thinking=word) for word in ("fold", "leave", "include"))
    assert "<details><summary>Thinking</summary>\n\n> Let me think" in folded
    assert "Let me think" not in left
    assert "\n> Let me think" in included
    assert "Thinking" not in included


def test_much_output_is_cut_and_that_is_said():
    """A document that no host takes, or one that hides what it lacks."""
    text = render(prompt("go"), answer(*call("Bash", "x" * 100_000, command="cat")))
    assert len(text) < 12_000
    assert "*92,000 more characters are left out.*" in text


# -- JSON ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("attack", ATTACKS, ids=range(len(ATTACKS)))
def test_json_holds_everything(attack):
    """A field that the document loses, so that it could not be read back."""
    conversation, lines = hostile(attack)
    lines = {
        **lines,
        MAIN: [*lines[MAIN], Turn("t", "user", "prompt", 99, START, tokens=Tokens(1, 2, 3, 4, 5), of="x")],
    }
    text = plain.render(conversation, lines, lambda part: b"png")
    document = json.loads(text)
    if "\ud800" not in attack:
        assert document["conversation"] == json.loads(json.dumps(dump(conversation)))
        assert [load_turn(turn) for turn in document["turns"]] == lines[MAIN]
    assert (document["format"], document["version"]) == ("sbfs-conversation", 1)
    assert [one["data"] for one in document["images"].values()] == ["cG5n"]


def test_json_without_thinking():
    """Thinking in a document that was to hold none."""
    talks = talk(prompt("go"), answer(Part("thinking", "a secret plan"), told("done")))
    assert "secret plan" in plain.render(*talks, nothing)
    assert "secret plan" not in plain.render(*talks, nothing, thinking="leave")


# -- the terminal --------------------------------------------------------------------------------------


def shown(*turns: Turn, full: bool = False, agents=None, **given) -> str:
    """What the terminal says."""
    document = plain.document(*talk(*turns, agents=agents, **given), nothing)
    with CliRunner().isolation() as streams:
        show_conversation(document, full=full)
        return streams[0].getvalue().decode()


def test_the_terminal_folds_and_unfolds():
    """Thinking, output or a sub-agent that fills the screen unasked, or that cannot be seen at all."""
    made, result = call("Task", "All pass", "c9", prompt="Test it", description="Try")
    turns = [
        prompt("Fix it"),
        answer(
            Part("thinking", "let me think"),
            told("On it."),
            *call("Bash", "one\ntwo", command="make"),
            made,
            result,
            *call("Read", None, "c3", file_path="/home/pat/api/x.py"),
        ),
        Turn("m", "user", "meta", 0, START, parts=(told("put in\nby a robot"),)),
    ]
    side = {"agent-s": [prompt("Test it", origin="task"), answer(told("All pass, says the agent"))]}
    given = {"agents": side, "subagents": (SubAgent("s", kind="qa", call="c9"),)}
    given["commits"] = (Commit("abc1234", "fix: it", "main", "answer-2"),)
    few, full = shown(*turns, **given), shown(*turns, full=True, **given)
    assert "#1  20:36:45  Prompt\n  Fix it\n" in few
    assert "  ▸ thinking, 3 words\n  On it.\n  ▸ Bash  make  → 2 lines\n" in few
    assert "▸ Read  x.py  → no result" in few
    assert "sub-agent s (qa): 2 turns; --full shows it" in few
    assert "● commit abc1234 on main: fix: it" in few
    assert "put in  (and 1 line more)" in few
    for text in ("let me think", "│     two", "All pass, says the agent", "by a robot"):
        assert text not in few
        assert text in full


@pytest.mark.parametrize("attack", ATTACKS, ids=range(len(ATTACKS)))
def test_the_terminal_obeys_nothing_that_was_said(attack):
    """A transcript that moves the cursor, colours the screen or sets the window's title."""
    document = plain.document(*hostile(attack), nothing)
    for full in (False, True):
        with CliRunner().isolation() as streams:
            show_conversation(document, full=full)
            text = streams[0].getvalue().decode("utf-8", "replace")
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202e]", text)


# -- the verb ------------------------------------------------------------------------------------------

DATA = Path(__file__).parent / "data" / "transcripts"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store with two real conversations."""
    store = Store.init(tmp_path_factory.mktemp("export") / "store")
    projects.add(store, name="spotter")
    conversations.import_(store, paths=[DATA], project="spotter")
    return store


def test_real_conversations_in_every_format(store):
    """An export that real transcripts break."""
    page = conversations.export(store, conversation_id="258c", format="html")
    assert (page.conversation_id, page.name) == (
        "258c7280-ae70-4798-800f-63464d01a85d",
        "258c7280-ae70-4798-800f-63464d01a85d.html",
    )
    assert page.text.count('<section class="prompt"') == 4
    assert page.text.count('<p class="commit"') == 5
    assert page.text.count('<details class="subagent"') == 1
    assert page.text.count('<details class="tool') == 186 + 2
    text = conversations.export(store, conversation_id="258c").text
    assert len(re.findall(r"^## \d\. ", text, re.M)) == 4
    document = json.loads(conversations.export(store, conversation_id="258c", format="json").text)
    assert len(document["subagents"]) == 2
    assert sum(part["type"] == "tool_call" for turn in document["turns"] for part in turn.get("content", ())) == 186


def test_wrong_words_are_refused(store):
    """A format that falls back to another one without a word."""
    for wrong in ({"format": "pdf"}, {"thinking": "some"}):
        with pytest.raises(Invalid):
            conversations.export(store, conversation_id="258c", **wrong)
    with pytest.raises(NotFound):
        conversations.export(store, conversation_id="none")


def test_a_file_is_for_its_owner_only_and_never_replaced_unasked(store, tmp_path):
    """A conversation that others on the machine may read, or a file that is lost to an export."""
    shell, file = Shell(store.root), tmp_path / "talk.html"
    answer = shell("conversation", "export", "258c", "-f", "html", "-o", str(file))
    assert answer.status == 0
    assert answer.out.startswith(f"wrote {file} (")
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_text() == conversations.export(store, conversation_id="258c", format="html").text
    file.write_text("mine")
    shell.fails(4, "exists", "conversation", "export", "258c", "-o", str(file))
    assert file.read_text() == "mine"
    os.chmod(file, 0o644)
    said = shell.json("conversation", "export", "258c", "-f", "html", "-o", str(file), "--force")
    assert (said["path"], said["size"], "text" in said) == (str(file), file.stat().st_size, False)
    assert file.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["talk.html"]


def test_where_no_file_can_be_written_that_is_said(store, tmp_path):
    """A traceback for a folder that is not there, or one that is named instead of a file."""
    shell = Shell(store.root)
    for place in (tmp_path / "no" / "talk.md", tmp_path):
        for force in ((), ("--force",)):
            answer = shell("conversation", "export", "258c", "-o", str(place), *force)
            assert (answer.status in (1, 4), answer.err.count("\n") <= 2) == (True, True), answer
            assert str(place) in answer.err
    assert [*tmp_path.iterdir()] == []


def test_without_a_file_it_is_printed(store):
    """An export into a pipe that holds more, or less, than the document."""
    shell = Shell(store.root)
    text = conversations.export(store, conversation_id="258c").text
    for arguments in ((), ("-o", "-")):
        assert shell("conversation", "export", "258c", *arguments).out == text
    assert shell.json("conversation", "export", "258c")["text"] == text


def test_an_image_is_shown_only_if_it_is_the_one_that_was_kept(tmp_path):
    """A path in a record that brings another file of the store into a page that is passed on."""
    image = {"type": "image", "media_type": "image/png", "sha256": "0" * 64, "size": 3}
    paths = ("project.yaml", "../../sbfs.yaml", "attachments/../project.yaml", f"attachments/{'0' * 64}/image.png")
    turn = {"id": "t1", "role": "user", "origin": "prompt", "content": [{**image, "path": path} for path in paths]}
    with Store.init(tmp_path / "store") as store:
        projects.add(store, name="web")
        folder = store.root / "projects/web/conversations/2026/02/c1"
        folder.mkdir(parents=True)
        (folder / "conversation.yaml").write_text("id: c1\nagent: jsonl\nupdated: 2026-02-11T20:36:45.618Z\n")
        (folder / "messages-0001.jsonl").write_text(json.dumps(turn) + "\n")
        (store.root / f"projects/web/attachments/{'0' * 64}").mkdir(parents=True)
        (store.root / f"projects/web/attachments/{'0' * 64}/image.png").write_bytes(b"png")
        Shell(store.root)("save")
        page = conversations.export(store, conversation_id="c1", format="html").text
    assert page.count("was not kept") == 4
    assert "<img" not in page


def test_show_tells_a_conversation_at_the_shell(store):
    """A view that the shell cannot show, and ways to see a part of it."""
    shell = Shell(store.root)
    whole = shell("conversation", "show", "258c").out
    assert "Implement spotter-gqc" in whole
    assert "sub-agent a881341 (claude-code-guide): 4 turns; --full shows it" in whole
    one = shell("conversation", "show", "258c", "--turn", "2").out
    assert re.findall(r"^#(\d+)", one, re.M) == ["2"]
    first = shell.json("conversation", "show", "258c", "--limit", "5")
    around = shell("conversation", "show", "258c", "--around", first["turns"][3]["id"]).out
    assert re.findall(r"^#(\d+)", around, re.M) == ["1", "2", "3", "4", "5", "6", "7"]
    assert "more: --cursor '5'" in shell("conversation", "show", "258c", "--limit", "5").out
