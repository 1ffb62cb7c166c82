"""Reflections: what was learnt, kept, found in lists, changed, merged, and known to search."""

from __future__ import annotations

import shutil
from datetime import timedelta

import pytest
from domain_helpers import SECRET, Shell, amid, mail, people, put, snapshot
from helpers import git

from sbfs import projects, reflections, worktree
from sbfs.errors import Invalid, NotFound
from sbfs.merge import merge_file
from sbfs.record import Record
from sbfs.store import Store


@pytest.fixture
def team(store: Store) -> Store:
    """A store with three projects."""
    people(store, "web", "api", "ops")
    return store


def learn(store: Store, title: str = "Migrations lock the table", project: str = "api", **given):
    """Keep one reflection."""
    return reflections.add(store, project=project, title=title, **given).reflection


def titles(store: Store, **filters) -> list[str]:
    """The titles of a list."""
    return [one.title for one in reflections.list(store, **filters).items]


def path_of(one: reflections.Reflection) -> str:
    """Where a reflection lies."""
    return reflections.KIND.path_of(project=one.project, month=one.month, id=one.id)


def test_a_reflection_lies_where_the_format_says(team):
    """A file that other programs would look for elsewhere, or would read otherwise."""
    one = learn(
        team, type="lesson", text="Run them at night.\nOr use a shadow table.\n", tags=["db", "db", "ops"],
        conversation="conv-7", turn="msg_01", links=["msg-1", "https://example.org/why"], author="Kim",
    )  # fmt: skip
    path = f"projects/api/reflections/2026/11/{one.id}.yaml"
    assert (team.root / path).read_text() == (
        f"id: {one.id}\ntype: lesson\ntitle: Migrations lock the table\n"
        "text: |\n  Run them at night.\n  Or use a shadow table.\n"
        "tags: [db, ops]\nprovenance:\n  conversation: conv-7\n  turn: msg_01\n"
        'links: [msg-1, "https://example.org/why"]\n'
        "author: Kim\ncreated: 2026-11-22T14:03:07.123Z\nupdated: 2026-11-22T14:03:07.123Z\n"
    )


@pytest.mark.parametrize(
    ("wrong", "error", "word"),
    [
        ({"project": "nobody"}, NotFound, "nobody"),
        ({"title": " "}, Invalid, "title"),
        ({"title": "a\nb"}, Invalid, "title"),
        ({"title": "x" * 1001}, Invalid, "title"),
        ({"type": "memory"}, Invalid, "memory"),
        ({"text": "x" * (1024 * 1024 + 1)}, Invalid, "1048577 bytes"),
        ({"text": "\ud800"}, Invalid, "UTF-8"),
        ({"conversation": "../../etc"}, Invalid, "conversation"),
        ({"turn": "msg_01"}, Invalid, "provenance"),
        ({"conversation": "c", "turn": "a\nb"}, Invalid, "turn"),
        ({"tags": [5]}, Invalid, "tags"),
    ],
)
def test_bad_input_changes_nothing_and_is_named(team, wrong, error, word):
    """A reflection that is half kept, or an error that does not say what was wrong (promise 6)."""
    before = team.head(), snapshot(team.root)
    with pytest.raises(error) as caught:
        learn(team, **wrong)
    assert word in str(caught.value)
    assert before == (team.head(), snapshot(team.root))


def test_an_edit_changes_what_it_names_and_nothing_else(team, clock):
    """An edit that forgets a field, doubles a tag, or makes a commit for no change."""
    old = learn(team, text="At night.", tags=["a", "b"], links=["x"], conversation="conv-1", turn="t")
    clock.forward(hours=1)
    new = reflections.edit(
        team, reflection_id=old.id, type="decision", add_tags=["c", "a"], remove_tags=["b"], remove_links=["x"], turn=""
    ).reflection
    assert (new.tags, new.links, new.turn, new.conversation) == (("a", "c"), (), "", "conv-1")
    assert (new.type, new.text, new.title, new.created) == ("decision", old.text, old.title, old.created)
    assert new.updated == old.updated + timedelta(hours=1)
    assert reflections.show(team, reflection_id=old.id).reflection == new
    before = team.head()
    reflections.edit(team, reflection_id=old.id, add_tags=["c"], title=new.title)
    assert team.head() == before
    with pytest.raises(Invalid, match="provenance"):
        reflections.edit(team, reflection_id=old.id, conversation="", turn="t")


def test_a_time_that_a_person_wrote_their_way_keeps_nobody_from_editing(team):
    """A `created` by hand, without a clock's time, that a later edit would have to change."""
    path = "projects/api/reflections/2026/11/refl-by-hand.yaml"
    put(team, path, "id: refl-by-hand\ntitle: By hand # mine\ncreated: 2026-11-20\n")
    assert worktree.save(team).invalid == ()
    reflections.edit(team, reflection_id="refl-by", text="More")
    text = (team.root / path).read_text()
    assert "created: 2026-11-20\n" in text
    assert "# mine" in text
    assert titles(team) == ["By hand"]


# -- lists -----------------------------------------------------------------------------------------


def test_lists_are_newest_first_over_all_projects_and_page_without_a_gap(team, clock):
    """A page that skips or repeats where months and projects meet, or a total that depends on the page."""
    expected = []
    for number in range(9):
        learn(team, title=f"n{number}", project=("api", "web", "ops")[number % 3])
        expected.insert(0, f"n{number}")
        clock.forward(days=11)
    seen, cursor = [], None
    while True:
        page = reflections.list(team, limit=2, cursor=cursor)
        assert page.total == 9
        # The last page says that it is the last.
        assert len(page.items) == (2 if page.next else 1)
        seen += [one.title for one in page.items]
        if (cursor := page.next) is None:
            break
    assert seen == expected == titles(team)
    assert titles(team, project="web") == ["n7", "n4", "n1"]


def test_every_filter_filters(team, clock):
    """A filter that is ignored, or a count that differs from its list."""
    learn(team, title="old", type="lesson", tags=["db"], conversation="conv-1")
    clock.forward(days=40)
    learn(team, title="new", type="decision", tags=["db", "ci"], project="web")
    day = clock() - timedelta(days=1)
    cases = [
        ({"type": "lesson"}, ["old"]),
        ({"type": "insight"}, []),
        ({"tag": "db"}, ["new", "old"]),
        ({"tag": "ci"}, ["new"]),
        ({"conversation": "conv-1"}, ["old"]),
        ({"conversation": "conv"}, []),
        ({"since": day}, ["new"]),
        ({"until": day}, ["old"]),
        ({"since": day, "until": day}, []),
        ({"project": "web", "type": "lesson"}, []),
    ]
    for filters, expected in cases:
        page = reflections.list(team, **filters)
        assert ([one.title for one in page.items], page.total) == (expected, len(expected)), filters
        assert reflections.list(team, limit=1, **filters).total == len(expected), filters
    with pytest.raises(Invalid):
        reflections.list(team, type="memory")
    with pytest.raises(NotFound):
        reflections.list(team, project="nobody")


def test_a_renamed_project_keeps_what_it_learnt(team):
    """Reflections that stay under a former name, or are not found by it."""
    one = learn(team)
    projects.rename(team, project="api", name="backend")
    assert titles(team, project="api") == titles(team, project="backend") == [one.title]
    assert reflections.show(team, reflection_id=one.id).reflection.project == "backend"
    assert learn(team, title="Later", project="api").project == "backend"


def test_what_is_kept_while_a_project_is_renamed_goes_along(team):
    """A reflection in the folder of a name that is gone, in no list of the project."""
    other = amid(team, lambda: projects.rename(team, project="api", name="backend"))
    assert learn(other).project == "backend"
    assert titles(team, project="backend") == ["Migrations lock the table"]


def test_lists_without_their_cache_are_the_same(team, clock):
    """A cache of months that holds what nothing else does, or is not seen to be behind."""
    for number in range(4):
        learn(team, title=f"n{number}")
        clock.forward(days=20)
    expected = titles(team)
    assert [*(team.root / ".git/sbfs/catalog/projects/api/reflections").rglob("*.json")]
    shutil.rmtree(team.root / ".git/sbfs/catalog")
    assert titles(team) == expected
    git(team.root, "revert", "--no-edit", "HEAD")
    assert titles(team) == expected[1:]


# -- around ----------------------------------------------------------------------------------------


def test_an_unsaved_edit_is_shown_and_said(team):
    """A show that hides what the file says, or gives it out as kept (spec: show of a record with an edit)."""
    one = learn(team)
    text = (team.root / path_of(one)).read_text()
    put(team, path_of(one), text.replace("Migrations", "Backups"))
    shown = reflections.show(team, reflection_id=one.id)
    assert (shown.reflection.title, shown.edited) == ("Backups lock the table", True)
    assert not reflections.show(team, reflection_id=one.id, at="HEAD").edited
    assert titles(team) == ["Migrations lock the table"]
    said = Shell(team.root)("reflection", "show", one.id)
    assert "Backups" in said.out
    assert "unsaved edit" in said.err
    put(team, path_of(one), text + "tags: [1\n")
    with pytest.raises(Invalid) as caught:
        reflections.show(team, reflection_id=one.id)
    assert caught.value.path == path_of(one)


def test_secrets_are_taken_out_and_reported(team):
    """A token that reaches Git by a reflection, in any of its texts (promise 7)."""
    kept = reflections.add(
        team, project="api", title=f"Key {SECRET}", text=SECRET, tags=[SECRET], links=[SECRET], author=SECRET
    )
    assert kept.redacted == {"github-token": 5}
    assert kept.reflection.title == "Key [redacted:github-token:1]"
    changed = reflections.edit(team, reflection_id=kept.reflection.id, text=f"again {SECRET}")
    assert changed.redacted == {"github-token": 1}
    assert SECRET not in git(team.root, "log", "-p", "--format=fuller", "main")
    said = Shell(team.root)("reflection", "add", "api", "--title", "T", "--text", SECRET)
    assert "github-token" in said.err


def test_both_sides_of_a_merge_are_kept(team):
    """Two people who change one reflection, and one of them loses tags, lines or a title without a word."""
    one = learn(team, text="a\nb\nc\nd\ne\n", tags=["x", "y"])
    base = team.view().record(path_of(one))
    day = "2026-11-{}T00:00:00.000Z"
    ours = Record.make(
        base.path, {**base.data, "text": "a!\nb\nc\nd\ne\n", "tags": ["y", "z"], "updated": day.format(24)}
    )
    theirs = Record.make(
        base.path,
        {**base.data, "text": "a\nb\nc\nd\ne!\n", "tags": ["x", "y", "w"], "type": "lesson", "updated": day.format(23)},
    )
    merged = merge_file(reflections.KIND, base.path, base.raw, ours.raw, theirs.raw)
    assert merged == merge_file(reflections.KIND, base.path, base.raw, theirs.raw, ours.raw)
    assert merged.lost == ()
    data = Record.parse(base.path, merged.data).data
    assert (data["text"], data["tags"], data["type"]) == ("a!\nb\nc\nd\ne!\n", ["w", "y", "z"], "lesson")


def test_search_is_told_everything_worth_finding(team):
    """A reflection that search cannot find by its words, its tags or where it was learnt."""
    one = learn(
        team, type="lesson", text="At night.", tags=["db"], conversation="conv-1", links=["msg-9"], author="Kim"
    )
    (entry,) = reflections.KIND.entries(team.view().record(path_of(one)))
    assert (entry.id, entry.kind, entry.project, entry.path) == (one.id, "reflection", "api", path_of(one))
    assert (entry.title, entry.text, entry.speaker) == (one.title, "At night.", "Kim")
    assert {"db", "msg-9"} <= {*entry.identifiers.split()}
    assert entry.facets == {"type": "lesson", "tags": ("db",), "author": "Kim", "conversation": "conv-1"}
    assert entry.timestamp == "2026-11-22T14:03:07.123Z"


def test_the_shell_keeps_lists_and_shows(team, tmp_path):
    """A command line that loses what was piped in, or prints what nobody can read."""
    sbfs = Shell(team.root)
    file = tmp_path / "text.md"
    file.write_text("From a file\n")
    for words, text in ((["--text", "Given"], "Given"), (["--text-file", str(file)], "From a file\n"), ([], "Piped\n")):
        id = sbfs.json("reflection", "add", "api", "--title", "T", *words, input="Piped\n")["reflection"]["id"]
        assert sbfs.json("reflection", "show", id)["reflection"]["text"] == text
    sbfs.fails(2, "usage", "reflection", "add", "api", "--title", "T", "--text", "a", "--text-file", str(file))
    assert "no reflections" in sbfs("reflection", "list", "--project", "web").out
    listed = sbfs("reflection", "list", "--limit", "2").out
    assert "2 of 3 reflections; more: --cursor" in listed
    assert sbfs("reflection", "remove", id).out == f"removed {id}\n"
    sbfs.fails(3, "not_found", "reflection", "show", id)


def test_a_long_text_is_cut_in_lists_only(team):
    """A list's preview that is taken for the text."""
    one = learn(team, text="x" * 5000)
    (listed,) = Shell(team.root).json("reflection", "list")["reflections"]
    assert (len(listed["text"]), listed["truncated"]) == (1000, True)
    assert len(reflections.show(team, reflection_id=one.id).reflection.text) == 5000


def test_a_message_is_no_reflection(team):
    """An id of another kind that a verb of this one takes."""
    message = mail(team)
    for act in (reflections.show, reflections.remove, reflections.edit):
        with pytest.raises(NotFound):
            act(team, reflection_id=message.id)


def test_an_unknown_project_in_a_file_is_no_owner(team):
    """A `project` that a person wrote into the file, and that lists take for the folder's."""
    one = learn(team)
    put(team, path_of(one), (team.root / path_of(one)).read_text() + "project: web\n")
    assert worktree.save(team).invalid == ()
    assert Shell(team.root).json("reflection", "show", one.id)["reflection"]["project"] == "api"
    assert titles(team, project="web") == []
