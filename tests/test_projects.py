"""Projects and groups: names, relations, renames and removals, and what refers to them."""

from __future__ import annotations

import pytest
from domain_helpers import amid, few, mail, path_of, people, put, received
from helpers import assert_sound, commits, git
from hypothesis import given
from hypothesis import strategies as st

from sbfs import doctor, history, messages, projects, worktree
from sbfs.errors import AlreadyExists, Invalid, NotFound
from sbfs.record import Record
from sbfs.store import Store


@pytest.fixture
def post(store: Store) -> Store:
    """A store with four projects."""
    people(store, "web", "api", "docs", "ops")
    return store


def names(store: Store, **filters) -> list[str]:
    """The names of a list."""
    return [one.name for one in projects.list(store, **filters).items]


# -- names -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a", "0", "a.b-c_d", "x" * 64, "con-sole", "team.", "a..b", "nul", "com1.x", "A",
                                  "-a", ".a", "a b", "", "a/b", "ä", "x" * 65, "a\n", "aux", "lpt9"])  # fmt: skip
def test_names_are_safe_on_every_system(store, name):
    """A name that some file system cannot hold, or that climbs out, is taken; a good one is refused (AM-9)."""
    good = name in ("a", "0", "a.b-c_d", "x" * 64, "con-sole")
    if good:
        assert projects.add(store, name=name).name == name
        assert names(store) == [name]
        assert_sound(store.root)
    else:
        with pytest.raises(Invalid):
            projects.add(store, name=name)
        with pytest.raises(Invalid):
            projects.group_add(store, group=name)
        assert commits(store.root) == 1


def test_no_name_resolves_to_what_it_is_not(post):
    """A text that reaches a project it does not name exactly (AM-11)."""
    projects.set(post, project="api", alias="The API")
    exact = {"web", "api", "docs", "ops", "The API"}

    @few
    @given(st.text(max_size=8) | st.text(st.sampled_from("webapi-. ABIPW/"), max_size=5))
    def check(name: str) -> None:
        if name not in exact:
            with pytest.raises(NotFound):
                projects.show(post, project=name)

    check()
    assert {projects.show(post, project=name).name for name in exact} == {"web", "api", "docs", "ops"}


def test_an_alias_names_a_project_where_it_is_one_projects_alone(post):
    """An alias of two that reaches one of them, or one that hides a real name."""
    projects.set(post, project="web", alias="Front")
    assert projects.show(post, project="Front").name == "web"
    projects.set(post, project="docs", alias="api")
    assert projects.show(post, project="api").name == "api"
    projects.set(post, project="ops", alias="Front")
    with pytest.raises(NotFound):
        projects.show(post, project="Front")
    with pytest.raises(NotFound):
        mail(post, to="Front")


def test_texts_that_are_no_utf_8_are_refused(post):
    """A lone surrogate in a project's fields: a traceback, or a file that nobody can read."""
    before = commits(post.root)
    for field in ("alias", "description", "host", "source_path"):
        with pytest.raises(Invalid):
            projects.set(post, project="web", **{field: "\udcff"})
    with pytest.raises(Invalid):
        projects.set(post, project="web", add_tags=["\ud800"])
    assert commits(post.root) == before


# -- facts -----------------------------------------------------------------------------------------


def test_setting_changes_what_is_named_and_nothing_else(post, clock):
    """A field that is lost, emptied unasked, or not emptied when asked; a commit for no change."""
    projects.set(post, project="web", alias="W", description="a\nb", host="h", source_path="/w", tags=["x", "y", "x"])
    clock.forward(days=1)
    changed = projects.set(post, project="web", host="", remove_tags=["x"], add_tags=["z", "y"])
    shown = projects.show(post, project="web")
    assert shown == changed
    assert (shown.alias, shown.description, shown.host, shown.source_path) == ("W", "a\nb", "", "/w")
    assert (shown.tags, shown.updated, shown.created < shown.updated) == (("y", "z"), clock(), True)
    before = commits(post.root)
    projects.set(post, project="web", host="", alias="W")
    assert commits(post.root) == before
    assert names(post, tag="y") == ["web"]
    assert names(post, tag="x") == []


def test_two_who_set_different_fields_both_count(post):
    """A field that is lost because another writer came in between (SB-2)."""
    other = amid(post, lambda: projects.set(post, project="web", alias="A", add_tags=["one"]))
    projects.set(other, project="web", description="D", add_tags=["two"])
    shown = projects.show(post, project="web")
    assert (shown.alias, shown.description, shown.tags) == ("A", "D", ("one", "two"))


def test_relations_hold_and_can_be_taken_back(post):
    """A relation to itself, to nobody, of no known type, twice, or one that stays when it is taken back."""
    projects.relate(post, project="web", other="api")
    projects.relate(post, project="web", other="docs")
    projects.relate(post, project="web", other="api", type="shares_code")
    expected = {"uses": ("api", "docs"), "shares_code": ("api",)}
    assert projects.relate(post, project="web", other="api").relations == expected
    projects.relate(post, project="web", other="api", remove=True)
    assert projects.show(post, project="web").relations == {"uses": ("docs",), "shares_code": ("api",)}
    before = commits(post.root)
    for wrong in ({"other": "web"}, {"other": "api", "type": "likes"}):
        with pytest.raises(Invalid):
            projects.relate(post, project="web", **wrong)
    with pytest.raises(NotFound):
        projects.relate(post, project="web", other="nobody")
    assert commits(post.root) == before


def test_relations_follow_renames_and_outlive_removals(post):
    """A relation that is doubled after a rename, or that nobody can take back once its end is gone."""
    projects.relate(post, project="web", other="api")
    projects.relate(post, project="web", other="docs")
    projects.rename(post, project="api", name="server")
    assert projects.relate(post, project="web", other="server").relations == {"uses": ("docs", "server")}
    projects.rename(post, project="docs", name="papers")
    assert projects.relate(post, project="web", other="papers", remove=True).relations == {"uses": ("server",)}
    projects.remove(post, project="server")
    sent = ("uses", ("server",))
    assert sent in projects.show(post, project="web").relations.items()
    assert projects.relate(post, project="web", other="server", remove=True).relations == {}


# -- rename and remove -------------------------------------------------------------------------------


def test_a_rename_moves_everything_in_one_commit_and_keeps_history(post, tmp_path):
    """Mail, attachments or group membership left behind under the old name; a history that ends."""
    (tmp_path / "a.txt").write_text("x")
    message = mail(post, attach=[tmp_path / "a.txt"])
    projects.group_add(post, group="team", projects=["web", "api"])
    before = commits(post.root)
    renamed = projects.rename(post, project="api", name="server")
    assert commits(post.root) == before + 1
    assert (renamed.name, renamed.formerly) == ("server", ("api",))
    assert names(post) == ["docs", "ops", "server", "web"]
    assert projects.group_show(post, group="team").projects == ("server", "web")
    assert received(post, "server") == received(post, "api") == [message.id]
    assert messages.show(post, message_id=message.id).trouble == {}
    assert [file.name for file in (post.root / "projects/api").iterdir()] == ["project.yaml"]
    assert Record.parse("a.yaml", (post.root / "projects/api/project.yaml").read_bytes()).data["renamed_to"] == "server"
    sent = mail(post, to="api")
    assert sent.to_project == "server"
    assert doctor.check(post).findings == ()
    assert_sound(post.root)
    path = path_of(message, project="server")
    assert "web → api" in git(post.root, "log", "--follow", "--format=%s", "--", path)


def test_a_name_can_be_taken_back_but_not_by_another(post):
    """A new project under a name that mail still goes to: it would get another's mail."""
    message = mail(post)
    projects.rename(post, project="api", name="server")
    for taken in ("api", "server", "web"):
        with pytest.raises(AlreadyExists) as caught:
            projects.add(post, name=taken)
        assert caught.value.hint
        with pytest.raises(AlreadyExists):
            projects.rename(post, project="docs", name=taken)
    projects.rename(post, project="server", name="backend")
    with pytest.raises(AlreadyExists):
        projects.add(post, name="api")
    assert [projects.show(post, project=one).name for one in ("api", "server", "backend")] == ["backend"] * 3
    back = projects.rename(post, project="backend", name="api")
    assert (back.name, back.formerly) == ("api", ("server", "backend"))
    assert received(post, "backend") == [message.id]
    assert_sound(post.root)


def test_a_former_name_is_free_once_nobody_had_it(post):
    """A former name that stays taken for ever: after a removal, or where a person took it out of the file."""
    projects.rename(post, project="api", name="server")
    file = post.root / "projects/server/project.yaml"
    put(post, "projects/server/project.yaml", file.read_text().replace("formerly: [api]\n", ""))
    assert worktree.save(post).invalid == ()
    assert projects.add(post, name="api").name == "api"
    projects.rename(post, project="docs", name="papers")
    projects.remove(post, project="papers")
    assert {projects.add(post, name=name).name for name in ("docs", "papers")} == {"docs", "papers"}


def test_a_removed_project_is_gone_and_undo_brings_all_back(post):
    """A removed project that still receives, stays in groups, or comes back without its mail."""
    message = mail(post)
    projects.group_add(post, group="team", projects=["web", "api"])
    state = git(post.root, "rev-parse", "main^{tree}")
    projects.remove(post, project="api")
    assert names(post) == ["docs", "ops", "web"]
    assert projects.group_show(post, group="team").projects == ("web",)
    for act in (lambda: mail(post), lambda: projects.show(post, project="api"), lambda: received(post, "api")):
        with pytest.raises(NotFound):
            act()
    assert received(post, "web", box="outbox") == [message.id], "what the other sent is the other's"
    history.undo(post)
    assert git(post.root, "rev-parse", "main^{tree}") == state
    assert received(post, "api") == [message.id]


def test_a_project_made_anew_is_not_the_old_one(post):
    """A new project that inherits a dead one's mail (GP-8)."""
    mail(post)
    projects.remove(post, project="api")
    fresh = projects.add(post, name="api", alias="New")
    assert (fresh.alias, received(post, "api")) == ("New", [])
    mail(post)
    assert messages.count(post, project="api") == 1


def test_a_send_meets_a_removal(post):
    """Mail to a project that is removed at the same moment: delivered into nothing."""
    with pytest.raises(NotFound):
        mail(amid(post, lambda: projects.remove(post, project="api")))
    assert received(post, "web", box="outbox") == []
    with pytest.raises(NotFound):
        mail(amid(post, lambda: projects.remove(post, project="web")), to="docs")
    assert received(post, "docs") == []


def test_a_send_meets_a_rename(post):
    """Mail that lies under a name which is no more, where its recipient does not look."""
    message = mail(amid(post, lambda: projects.rename(post, project="api", name="server")))
    assert message.to_project == "server"
    assert received(post, "server") == [message.id]
    renaming = amid(post, lambda: mail(post, to="server"))
    projects.rename(renaming, project="server", name="backend")
    assert len(received(post, "backend")) == 2
    assert doctor.check(post).findings == ()


def test_a_rename_takes_no_invalid_edit_along(post):
    """A broken edit in the project's folder that is committed unchecked with the rename (promise 6)."""
    message = mail(post)
    broken = put(post, path_of(message), "id: [\n")
    with pytest.raises(Invalid):
        projects.rename(post, project="api", name="server")
    assert broken.read_text() == "id: [\n"
    assert names(post) == ["api", "docs", "ops", "web"]
    assert received(post, "api") == [message.id]


# -- groups ----------------------------------------------------------------------------------------


def test_groups_hold_projects_by_name(post):
    """A group with nobody's name in it, members twice, or a removal of one that removes all."""
    group = projects.group_add(post, group="team", projects=["web", "api", "web"], description="Us")
    assert group.projects == ("api", "web")
    assert projects.group_add(post, group="team", projects=["docs"]).description == "Us"
    with pytest.raises(NotFound):
        projects.group_add(post, group="team", projects=["nobody"])
    with pytest.raises(NotFound) as caught:
        projects.group_remove(post, group="team", projects=["ops"])
    assert "ops" in str(caught.value)
    assert projects.group_remove(post, group="team", projects=["api"]).projects == ("docs", "web")
    assert projects.show(post, project="web").groups == ("team",)
    assert names(post, group="team") == ["docs", "web"]
    projects.group_remove(post, group="team")
    for act in (lambda: projects.group_show(post, group="team"), lambda: names(post, group="team"),
                lambda: mail(post, to="@team"), lambda: projects.group_remove(post, group="team")):  # fmt: skip
        with pytest.raises(NotFound):
            act()
    assert projects.group_add(post, group="team").projects == ()


def test_a_bad_project_or_group_keeps_nobody_from_working(post):
    """One broken file that stops sends, lists, near names or removals of others (AM-8)."""
    projects.group_add(post, group="team", projects=["web", "api"])
    put(post, "groups/bad.yaml", "name: bad\n")
    put(post, "projects/docs/project.yaml", "name: docs\ncreated: soon\n")
    git(post.root, "add", "-A")
    git(post.root, "commit", "-qm", "bad")
    with pytest.raises(NotFound) as caught:
        projects.show(post, project="opss")
    assert caught.value.hint == "did you mean ops?"
    mail(post, to="@team")
    projects.set(post, project="web", alias="W")
    projects.rename(post, project="ops", name="run")
    projects.remove(post, project="api")
    assert projects.group_show(post, group="team").projects == ("web",)
    assert names(post) == ["run", "web"]
    assert [path for path, _ in projects.list(post).unreadable] == ["projects/docs/project.yaml"]
    with pytest.raises(Invalid):
        projects.group_show(post, group="bad")
    with pytest.raises(Invalid):
        mail(post, to="docs")


def test_times_that_a_person_wrote_stay_as_they_are(store: Store):
    """Breaks if a hand-written `created: 2026-11-20` were spelt anew by a change, which its own rule then refused."""
    put(store, "projects/web/project.yaml", "name: web\ncreated: 2026-11-20\n")
    assert worktree.save(store).saved
    projects.set(store, project="web", description="The site")
    assert "created: 2026-11-20\n" in (store.root / "projects/web/project.yaml").read_text()
    assert projects.show(store, project="web").description == "The site"
