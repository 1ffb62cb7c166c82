"""Search: what was written a moment ago is found now, by whichever way it came; results say what they should."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from domain_helpers import Shell, mail, path_of, people, put
from helpers import git
from search_helpers import assert_follows, found
from transcript_helpers import write

from sbfs import (
    configs,
    conversations,
    documentation,
    graph,
    history,
    kinds,
    messages,
    projects,
    quality,
    reflections,
    search,
    sync,
    worktree,
)
from sbfs.errors import Ambiguous, Invalid, NotFound
from sbfs.search import entries
from sbfs.store import Store

LETTER = "to_project: api\nsubject: A letter by hand\ncontent: The walrus is in the harbour.\n"


@pytest.fixture
def post(store: Store) -> Store:
    """A store with two projects and two threads."""
    people(store, "web", "api", "docs")
    first = mail(store, subject="The parser is slow", message="getUserStats in stats.py reads the table twice.\n")
    store.clock.forward(minutes=5)
    messages.reply(store, message_id=first.id, message="The parser waits for the cache. Will mend the cache.\n")
    store.clock.forward(minutes=5)
    mail(
        store, sender="docs", to="web", subject="Pages", message="A page on harbours, with an otter.\n", priority="high"
    )
    return store


# -- written a moment ago, found now ---------------------------------------------------------------


def test_a_message_is_found_as_soon_as_it_is_sent(post):
    """An index that answers from the state before the last command."""
    assert found(post, "zebra") == []
    id = mail(post, message="A zebra crosses.\n").id
    assert found(post, "zebra") == [id]
    messages.remove(post, message_id=id)
    assert found(post, "zebra") == []
    history.undo(post)
    assert found(post, "zebra") == [id]
    assert_follows(post)


def test_turns_are_found_with_what_is_known_of_their_conversation(post, tmp_path):
    """A turn that is found without its conversation's title, agent or score, or by a score that it has no more."""
    talk = write(tmp_path / "talk.jsonl", {"content": "Where is the okapi?"}, {"role": "assistant", "content": "Here."})
    (made,) = conversations.import_(post, paths=[talk], project="web").conversations
    (result,) = search.in_conversations(post, query="okapi", where={"agent": "jsonl"}).results
    assert (result.conversation_id, result.kind, result.title) == (
        made.conversation.id, "conversation", "Where is the okapi?",
    )  # fmt: skip
    said = Shell(post.root).json("search", "okapi")["results"][0]
    assert {"model", "timestamp", "duration_ms", "tool_usage", "quality_score"} <= said.keys()
    assert (said["model"], said["quality_score"]) == (None, None)
    assert search.search(post, query="okapi", where={"agent": "codex"}).results == ()
    assert search.search(post, query="okapi", min_quality=50).results == ()
    kept = quality.add(post, project="web", score=70, conversation=made.conversation.id).measurement
    assert search.search(post, query="okapi", kind=["conversation"], min_quality=50, group="none").total == 2
    assert_follows(post)
    quality.remove(post, quality_id=kept.id)
    assert search.search(post, query="okapi", min_quality=50).results == ()
    assert_follows(post)


def test_what_was_learnt_is_found(post):
    """A reflection that no question reaches."""
    kept = reflections.add(post, project="web", title="Tapirs swim", text="They dive, too.", tags=["water"]).reflection
    (result,) = search.in_reflections(post, query="dive", where={"tags": "water"}).results
    assert result.id == kept.id
    assert_follows(post)


def test_every_kind_is_found(post):
    """A domain that declares entries, and whose records no question reaches."""
    projects.add(post, name="quagga", description="Stripes on one half")
    projects.group_add(post, group="herd", projects=["quagga"], description="Animals with hooves")
    assert found(post, "stripes") == ["quagga"]
    assert found(post, "hooves") == ["herd"]
    projects.set(post, project="quagga", description="Extinct")
    assert found(post, "stripes") == []
    assert found(post, "extinct") == ["quagga"]
    assert {entry.kind for _, _, entry in entries.Entries(post.repo, post.view().commit.tree).everything()} == {
        "project", "group", "message",
    }  # fmt: skip


KINDS = sorted({kind.name for kind in kinds.KINDS if kind.entries and not kind.head})


def write_of_kind(store: Store, kind: str, word: str, folder) -> None:
    """Keep something of a kind that says a word."""
    if kind == "message":
        mail(store, message=f"A {word} crosses.\n")
    elif kind == "project":
        projects.set(store, project="web", description=f"A {word} crosses")
    elif kind == "group":
        projects.group_add(store, group="team", projects=["web"], description=f"A {word} crosses")
    elif kind == "reflection":
        reflections.add(store, project="web", title="Stripes", text=f"A {word} crosses.")
    elif kind == "quality":
        quality.add(store, project="web", score=50, note=f"A {word} crosses")
    elif kind == "conversation":
        talk = write(folder / "talk.jsonl", {"content": f"A {word} crosses."})
        conversations.import_(store, paths=[talk], project="web")
    elif kind == "config":
        configs.set(store, project="web", name="herds.yaml", text=f"what: a {word} crosses\n")
    elif kind == "doc":
        (folder / "code").mkdir()
        (folder / "code" / "README.md").write_text(f"# Stripes\n\nA {word} crosses.\n")
        documentation.index(store, project="web", path=folder / "code")
    elif kind == "symbol":
        (folder / "code").mkdir()
        (folder / "code" / "stripes.py").write_text(f'def cross():\n    """A {word} crosses."""\n')
        graph.index(store, project="web", path=folder / "code")
    else:
        raise AssertionError(f"what is a {kind}?")


def edit(file: Path, word: str, other: str) -> None:
    """Replace a word in a file, and in those beside it, by hand: a conversation's title stands there."""
    for one in file.parent.glob("*.*"):
        one.write_text(one.read_text().replace(word, other))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_found_by_every_way_in(post, tmp_path, kind):
    """A kind, or a way to write, that search follows late or not at all."""
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "hub.git")
    sync.remote_add(post, name="origin", url=str(tmp_path / "hub.git"))
    sync.sync(post)
    sync.clone(str(tmp_path / "hub.git"), tmp_path / "other")
    assert found(post, "zebra", kind=[kind], syntax=True) == []
    with Store.open(tmp_path / "other", clock=post.clock) as other:
        assert found(other, "zebra", kind=[kind], syntax=True) == []
        write_of_kind(post, kind, "zebra", tmp_path)
        (id,) = found(post, "zebra", kind=[kind], syntax=True)
        sync.sync(post)
        sync.sync(other)
        assert found(other, "zebra", kind=[kind], syntax=True) == [id]
    (path,) = {one.path for one in search.search(post, query="zebra", kind=[kind], syntax=True).results}
    edit(post.root / path, "zebra", "okapi")
    git(post.root, "commit", "-qam", "by hand")
    assert (found(post, "okapi", kind=[kind], syntax=True), found(post, "zebra", kind=[kind], syntax=True)) == (
        [id],
        [],
    )
    if kind != "message":
        # What was sent does not change.
        edit(post.root / path, "okapi", "tapir")
        assert found(post, "tapir", kind=[kind], syntax=True) == []
        assert not worktree.save(post).invalid
        assert (found(post, "tapir", kind=[kind], syntax=True), found(post, "okapi", kind=[kind], syntax=True)) == (
            [id],
            [],
        )
    assert_follows(post)


def test_a_saved_hand_edit_is_found_and_an_unsaved_one_is_not(post):
    """A search that looks at the work tree, or one that misses what save brought in."""
    put(post, "projects/web/outbox/letter.yaml", LETTER)
    assert found(post, "walrus") == []
    (id,) = worktree.save(post).delivered
    assert found(post, "walrus") == [id]
    file = post.root / "projects/web/project.yaml"
    file.write_text(file.read_text() + "description: Herds of narwhals\n")
    assert found(post, "narwhals") == []
    git(post.root, "commit", "-qam", "by hand")
    assert found(post, "narwhals") == ["web"]


def test_what_plain_git_does_to_the_branch_is_followed(post):
    """Commits, resets, merges and rebases by Git that the index does not see."""
    start = git(post.root, "rev-parse", "HEAD")
    id = mail(post, message="A zebra crosses.\n").id
    assert found(post, "zebra") == [id]
    zebra = git(post.root, "rev-parse", "HEAD")
    git(post.root, "reset", "-q", "--hard", start)
    assert found(post, "zebra") == []
    other = mail(post, message="An ibex climbs.\n").id
    assert found(post, "ibex") == [other]
    git(post.root, "merge", "-q", "-m", "both", zebra)
    assert found(post, "zebra") == [id]
    git(post.root, "rm", "-q", path_of(messages.show(post, message_id=id).message))
    git(post.root, "commit", "-qm", "gone from the inbox")
    assert [one.path for one in search.search(post, query="zebra").results] == [
        path_of(messages.show(post, message_id=id).message, "outbox")
    ]
    assert_follows(post)


def test_what_another_machine_wrote_is_found_after_a_sync(post, tmp_path):
    """A pull that the index does not see, on either side."""
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "hub.git")
    sync.remote_add(post, name="origin", url=str(tmp_path / "hub.git"))
    sync.sync(post)
    sync.clone(str(tmp_path / "hub.git"), tmp_path / "other")
    with Store.open(tmp_path / "other", clock=post.clock) as other:
        assert not (other.repo.gitdir / "sbfs" / "index").exists()
        id = mail(other, message="A zebra crosses.\n").id
        assert found(other, "zebra") == [id]
        sync.sync(other)
    assert found(post, "zebra") == []
    sync.sync(post)
    assert found(post, "zebra") == [id]
    assert_follows(post)


def test_mail_that_waits_is_found_when_it_is_due(post):
    """Scheduled mail that a search shows before a list does, or never."""
    id = mail(post, message="A zebra crosses.\n", deliver_at=post.clock() + timedelta(hours=1)).id
    assert found(post, "zebra") == []
    post.clock.forward(hours=2)
    assert found(post, "zebra") == [id]


def test_an_archived_message_is_found_by_its_new_status(post):
    """A status that changes without the index."""
    id = found(post, "otter")[0]
    assert found(post, "otter", where={"status": "unread"}) == [id]
    messages.archive(post, message_ids=[id])
    assert found(post, "otter", where={"status": "unread"}) == []
    assert found(post, "otter", where={"status": ["archived", "read"]}) == [id]


def test_an_invalid_record_is_not_found_and_keeps_none_from_being_found(post):
    """One bad file that fails a search, or stays findable by what it said before."""
    id = found(post, "otter")[0]
    path = path_of(messages.show(post, message_id=id).message)
    put(post, path, "id: [\n")
    git(post.root, "commit", "-qam", "spoilt")
    # The copy of its sender stands in for it.
    assert [one.path for one in search.search(post, query="otter").results] == [
        path.replace("projects/web/inbox", "projects/docs/outbox")
    ]
    put(post, path.replace("projects/web/inbox", "projects/docs/outbox"), b"\xff\xfe")
    git(post.root, "commit", "-qam", "both spoilt")
    assert found(post, "otter") == []
    assert len(found(post, "parser")) == 2
    assert_follows(post)


# -- two copies of one message ---------------------------------------------------------------------


def test_a_message_is_found_once_whatever_becomes_of_its_copies(post):
    """Both copies found, or none, after one was removed, brought back, or moved with its project."""
    message = messages.show(post, message_id=found(post, "otter")[0]).message

    def where() -> list[str]:
        assert_follows(post)
        return [
            one.path.split("/")[1] + " " + one.path.split("/")[2] for one in search.search(post, query="otter").results
        ]

    assert where() == ["web inbox"]
    messages.remove(post, message_id=message.id, box="inbox")
    assert where() == ["docs outbox"]
    messages.remove(post, message_id=message.id, box="outbox")
    assert where() == []
    history.undo(post)
    history.undo(post)
    assert where() == ["web inbox"]
    projects.rename(post, project="web", name="site")
    assert where() == ["site inbox"]
    projects.rename(post, project="docs", name="pages")
    assert where() == ["site inbox"]
    projects.remove(post, project="site")
    assert where() == ["pages outbox"]
    projects.remove(post, project="pages")
    assert where() == []


# -- filters by project ----------------------------------------------------------------------------


def test_a_project_finds_its_mail_by_every_name_it_had(post):
    """A filter by project that loses the mail from before a rename, or what the project sent."""
    sent = found(post, "parser")
    assert found(post, "parser", project=["web"]) == sent
    assert found(post, "parser", project=["docs"]) == []
    projects.rename(post, project="api", name="backend")
    for name in ("api", "backend"):
        assert sorted(found(post, "parser", project=[name])) == sorted(sent)
        assert len(found(post, "parser", where={"sender": name})) == 1
    projects.group_add(post, group="team", projects=["backend"])
    assert sorted(found(post, "parser", project=["@team"])) == sorted(sent)
    with pytest.raises(NotFound):
        found(post, "parser", project=["nobody"])
    with pytest.raises(NotFound):
        found(post, "parser", project=["@nobody"])


# -- results ---------------------------------------------------------------------------------------


def test_results_are_grouped_by_thread_and_paged(post):
    """Two results for one thread, or a page that repeats or leaves out one."""
    grouped = search.search(post, query="parser")
    (result,) = grouped.results
    assert (result.matches, grouped.total) == (2, 1)
    alone = search.search(post, query="parser", group="none")
    assert (len(alone.results), alone.results[0].id, alone.total) == (2, result.id, 2)
    seen, cursor = [], None
    for number in range(5):
        mail(post, subject=f"n{number}", message="A gnu and a zebra.\n")
    while True:
        page = search.search(post, query="gnu zebra", limit=2, cursor=cursor)
        seen += [one.id for one in page.results]
        cursor = page.next
        if cursor is None:
            break
        assert len(page.results) == 2
    assert len(seen) == len({*seen}) == 5
    assert page.total == 5


def test_a_long_conversation_does_not_hide_what_else_was_found(post, tmp_path):
    """A hundred hits in one conversation, behind which an answer ends; a count of results that is None to people."""
    talk = write(tmp_path / "talk.jsonl", *({"content": f"gnu gnu, gnu number {number}"} for number in range(150)))
    conversations.import_(post, paths=[talk], project="web")
    id = mail(post, subject="Once", message=f"A gnu. {'Nothing of note. ' * 50}\n").id
    answer = search.search(post, query="gnu")
    assert [one.id for one in answer.results[1:]] == [id]
    assert (answer.results[0].matches, answer.total, answer.next) == (150, 2, None)
    first = search.search(post, query="gnu", limit=1)
    assert [one.id for one in search.search(post, query="gnu", limit=1, cursor=first.next).results] == [id]
    assert "None" not in Shell(post.root)("search", "gnu").out
    assert "None" not in Shell(post.root)("search", "gnu", "--limit", "1").out


def test_a_snippet_shows_the_match_from_the_store_and_is_safe(post):
    """A snippet from the wrong place, without its mark, or with what a terminal obeys."""
    filler = "Nothing of note. " * 40
    mail(post, message=f"{filler}\x1b]0;owned\x07 the \u202ezebra\u202c crosses\nhere. {filler}")
    (result,) = search.search(post, query="zebras").results
    assert "**zebra**" in result.snippet
    assert result.snippet.startswith("… ")
    assert result.snippet.endswith(" …")
    assert len(result.snippet) < 300
    assert result.snippet.isprintable()
    assert "\u202e" not in result.snippet


def test_neighbours_come_on_request(post):
    """What stands beside a hit in its thread, out of order or of another thread."""
    (result,) = search.search(post, query="stats.py", around=3).results
    assert [(one.offset, one.speaker) for one in result.around] == [(1, "api")]
    assert "mend the cache" in result.around[0].text
    assert search.search(post, query="stats.py").results[0].around == ()


def test_labels_say_what_a_result_belongs_to_is_about(post, tmp_path):
    """Labels of one turn alone, of another conversation, or of words that everything has."""
    said = ["Where is the okapi?", "In the stable.", "And the parser?", "Okapis eat leaves.", "Leaves, in the stable."]
    talk = write(tmp_path / "talk.jsonl", *({"content": one} for one in said))
    conversations.import_(post, paths=[talk], project="web")
    (result,) = search.search(post, query="parser", kind=["conversation"], labels=True).results
    assert {"okapi", "stable", "leaves"} & {*result.labels}
    assert search.search(post, query="parser", kind=["conversation"]).results[0].labels == ()
    thread, page = (search.search(post, query=query, labels=True).results[0] for query in ("getUserStats", "otter"))
    assert "cache" in thread.labels
    assert {"harbours", "otter"} <= {*page.labels}
    answer = Shell(post.root)("search", "otter", "--labels")
    assert f"about: {', '.join(page.labels)}" in answer.out
    assert search.search(post, query="otter", labels=True, at=post.head()).results[0].labels == ()


def test_what_is_like_a_record(post):
    """A record that is not like itself, an id that names none, and one that is too short."""
    first = mail(post, message="The zebra crosses the road at noon.\n")
    second = mail(post, message="At noon a zebra will cross that road.\n")
    assert found(post, like=first.id)[0] == second.id
    assert first.id not in found(post, like=first.id)
    assert second.id in found(post, like=first.id[:-2]) or first.id[:-2] == second.id[:-2]
    with pytest.raises(NotFound):
        found(post, like="nothing")
    with pytest.raises(Ambiguous):
        found(post, like="msg-")


def test_what_is_like_a_conversation_is_like_what_is_said_in_it(post, tmp_path):
    """Turns of a conversation as what is most like it, or likeness to its title alone."""
    texts = {"first": ("Hello", "The zebra crosses at noon."), "second": ("Bye", "At noon, a zebra crossed.")}
    for name, said in texts.items():
        talk = write(tmp_path / f"{name}.jsonl", *({"content": one} for one in said))
        conversations.import_(post, paths=[talk], project="web")
    first, second = (search.search(post, query=said[0]).results[0].conversation_id for said in texts.values())
    answer = search.search(post, like=first)
    assert answer.results[0].conversation_id == second
    assert first not in {one.conversation_id for one in answer.results}
    past = search.search(post, like=first, at=post.head())
    assert past.results[0].conversation_id == second
    assert first not in {one.conversation_id for one in past.results}


def test_the_past_is_searched_as_it_was(post):
    """A question about a former revision that is answered from the present."""
    before = post.head()
    id = mail(post, message="A zebra crosses.\n").id
    assert found(post, "zebra", at=before) == []
    after = post.head()
    messages.remove(post, message_id=id)
    assert found(post, "zebra") == []
    assert found(post, "zebra", at=after) == [id]


# -- questions that make no sense --------------------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"query": "  "},
        {"query": "x", "like": "msg-1"},
        {"query": "x", "group": "some"},
        {"query": "x", "limit": 0},
        {"query": "x", "around": -1},
        {"query": "x", "around": 1000},
        {"query": "x", "cursor": "nonsense"},
        {"query": "x", "cursor": "-5"},
        {"query": "x", "kind": ["letter"]},
        {"query": "x" * 200_000},
    ],
    ids=str,
)
def test_a_question_without_sense_is_refused(post, given):
    """A crash, or an answer to something that nobody asked."""
    with pytest.raises(Invalid):
        search.search(post, **given)


HOSTILE = [
    "a" * 50_000,
    " ".join(f"word{number}" for number in range(10_000)),
    "\0",
    "zebra\0",
    "\ud800 zebra",
    "((((((((((zebra",
    '"zebra',
    "zebra AND",
    "NOT",
    "* ? ~ ^ [a TO z] {x} \\ / :",
    "body:zebra title:* path:[",
    "(a+)+$" * 200,
    "\u202ezebra",
    "zebra?" * 1000,
    "𝔷𝔢𝔟𝔯𝔞",
    "' OR 1=1 --",
    "%s %n {0} ${x}",
    "...",
    "_",
]


@pytest.mark.parametrize("syntax", [False, True], ids=["words", "syntax"])
@pytest.mark.parametrize("query", HOSTILE, ids=lambda query: repr(query[:20]))
def test_hostile_questions_are_answered_or_refused(post, query, syntax):
    """A question that hangs, or ends in a traceback, through the command line."""
    mail(post, message="A zebra crosses.\n")
    options = ["--syntax"] if syntax else []
    answer = Shell(post.root)("search", *options, "--json", "--", query)
    assert answer.status in (0, 2, 4), answer
    assert answer.document["success"] is (answer.status == 0)
    assert "fault of sbfs" not in answer.out
    if not syntax and "zebra" in query and "zebra?" not in query and answer.status == 0:
        assert answer.document["count"] >= 1


def test_what_people_said_is_not_drowned_by_code(post, tmp_path):
    """A question about talk that is answered by a hundred functions; a name of code that is not found."""
    (tmp_path / "code").mkdir()
    names = [f"def quagga_{number}():\n    pass\n" for number in range(50)]
    (tmp_path / "code" / "herd.py").write_text("\n".join(names))
    graph.index(post, project="web", path=tmp_path / "code")
    learnt = reflections.add(post, project="web", title="Herds", text="We saw one quagga by the river.").reflection
    found_by_all = search.search(post, query="quagga", group="none").results
    assert (found_by_all[0].id, found_by_all[1].kind) == (learnt.id, "symbol")
    assert search.search(post, query="quagga_7").results[0].id == "herd.py::quagga_7"
    assert search.search(post, query="quagga", group="none").total == 51
    assert {one.kind for one in search.search(post, query="quagga", kind=["symbol"]).results} == {"symbol"}
    assert search.search(post, query="herds river", limit=1).results[0].id == learnt.id
