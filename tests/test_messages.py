"""Mail, by its verbs: sending, lists, threads, forwards, attachments, times and moves between states."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest
from domain_helpers import SECRET, amid, few, mail, path_of, people, put, received, snapshot
from helpers import assert_sound, commits, git
from hypothesis import given
from hypothesis import strategies as st

from sbfs import history, messages, projects, times, verbs, worktree
from sbfs.errors import Ambiguous, Error, Failed, Invalid, NotFound
from sbfs.record import Record
from sbfs.store import Store

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
LINE = TEXT.filter(lambda text: text.strip() and "\n" not in text and "\r" not in text)
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture
def post(store: Store) -> Store:
    """A store with four projects."""
    people(store, "web", "api", "docs", "ops")
    return store


# -- sending ---------------------------------------------------------------------------------------


def test_a_send_writes_both_boxes_in_one_commit(post):
    """An outbox copy without its inbox copy, two commits for one send, or different ids (AM-4, AM-7)."""
    before = commits(post.root)
    message = mail(post, priority="high", context={"endpoint": "/api"})
    assert commits(post.root) == before + 1
    assert sorted(git(post.root, "show", "--name-only", "--format=", "main").splitlines()) == [
        path_of(message),
        path_of(message, "outbox"),
    ]
    sent = Record.parse("a.yaml", (post.root / path_of(message, "outbox")).read_bytes()).data
    got = Record.parse("a.yaml", (post.root / path_of(message)).read_bytes()).data
    assert got.pop("status") == "unread"
    assert "status" not in sent
    assert got == sent
    assert list(sent) == ["id", "from_project", "to_project", "timestamp", "subject", "priority", "content", "thread"]
    assert_sound(post.root)


def test_the_history_names_who_did_what(post):
    """A log that does not read as a history of the team, or lacks the operation, the actor and the ids."""
    message = mail(post)
    last = history.log(post, limit=1).items[0]
    assert (last.subject, last.operation, last.ids) == ("web → api: Build is red", "message.send", (message.id,))
    assert last.actor == "web"


@few
@given(subject=LINE, body=TEXT, context=st.dictionaries(TEXT, VALUE, max_size=3))
def test_any_text_comes_back_as_it_was_sent(tmp_path_factory, subject, body, context):
    """A body, subject or context that YAML changes on its way: U+0085, `no`, dates, tabs, NULs (AM-12)."""
    with Store.init(tmp_path_factory.mktemp("any") / "s") as store:
        people(store, "web", "api")
        id = mail(store, subject=subject, message=body, context=context).id
        found = messages.show(store, message_id=id).message
        assert (found.subject, found.body) == (subject, body)
        assert json.dumps(found.context, sort_keys=True) == json.dumps(context, sort_keys=True)


@pytest.mark.parametrize(
    ("wrong", "error", "word"),
    [
        ({"from_project": "nobody"}, NotFound, "nobody"),
        ({"to_project": "nobody"}, NotFound, "nobody"),
        ({"to_project": ()}, Invalid, "nobody would receive"),
        ({"to_project": "@nobody"}, NotFound, "nobody"),
        ({"related": "uses"}, NotFound, "gone"),
        ({"to_project": (), "related": "likes"}, Invalid, "likes"),
        ({"subject": ""}, Invalid, "subject"),
        ({"subject": " \t"}, Invalid, "subject"),
        ({"subject": "a\nb"}, Invalid, "subject"),
        ({"subject": "x" * 1001}, Invalid, "subject"),
        ({"subject": "\udcff"}, Invalid, "surrogate"),
        ({"message": "\ud800"}, Invalid, "UTF-8"),
        ({"message": "x" * (1024 * 1024 + 1)}, Invalid, "1048577 bytes"),
        ({"priority": "asap"}, Invalid, "priority"),
        ({"message_type": "message"}, Invalid, "type"),
        ({"context": ["no", "mapping"]}, Invalid, "context"),
        ({"context": {"a": "\udcff"}}, Invalid, "surrogate"),
        ({"in_reply_to": "../../etc"}, Invalid, "in_reply_to"),
        ({"deliver_at": "2020-01-01"}, Invalid, "past"),
        ({"deliver_at": "when hell freezes"}, Invalid, "deliver_at"),
        ({"attach": ["no/such/file"]}, Failed, "no/such/file"),
    ],
)
def test_bad_input_changes_nothing_and_is_named(post, wrong, error, word):
    """A send that fails half-way, or an error that does not say what was wrong (AM-2, AM-11, promise 6)."""
    people(post, "gone")
    projects.relate(post, project="web", other="gone")
    projects.remove(post, project="gone")
    before = git(post.root, "rev-parse", "main"), snapshot(post.root)
    good = {"from_project": "web", "to_project": "api", "subject": "s", "message": "m"}
    with pytest.raises(error) as caught:
        messages.send(post, **{**good, **wrong})
    assert word in str(caught.value)
    assert before == (git(post.root, "rev-parse", "main"), snapshot(post.root))


def test_a_name_reaches_that_project_and_no_other(post):
    """ "crm" that reaches whatever ends in crm (AM-11): names are exact, near ones are only listed."""
    people(post, "sales-crm")
    for name, near in (("crm", True), ("sales-crn", True), ("sales", True), ("s", False)):
        with pytest.raises(NotFound) as caught:
            mail(post, to=name)
        assert caught.value.hint == ("did you mean sales-crm?" if near else "there are api, docs, ops, sales-crm, web")
    assert messages.count(post, project="sales-crm") == 0


def test_several_a_group_and_relations_are_one_commit_with_a_copy_each(post):
    """A send to many that is several commits, forgets one, doubles one, or reaches the sender itself."""
    projects.group_add(post, group="team", projects=["web", "api", "docs"])
    projects.relate(post, project="web", other="ops")
    projects.relate(post, project="web", other="api", type="extends")
    before = commits(post.root)
    sent = messages.send(
        post, from_project="web", to_project=["api", "@team"], related="uses", subject="All", message="hands"
    )
    assert [one.to_project for one in sent.messages] == ["api", "docs", "ops"]
    assert len({one.id for one in sent.messages}) == 3
    assert commits(post.root) == before + 1
    assert {name: received(post, name) for name in ("api", "docs", "ops")} == {
        one.to_project: [one.id] for one in sent.messages
    }
    assert received(post, "web") == []
    assert len(received(post, "web", box="outbox")) == 3


def test_the_limits_of_a_store_count(post, tmp_path):
    """Limits in sbfs.yaml that nobody reads, for bodies and attachments."""
    settings = (post.root / "sbfs.yaml").read_text()
    put(post, "sbfs.yaml", settings + "limits: {body: 10, attachment: 5}\n")
    assert worktree.save(post).invalid == ()
    mail(post, message="x" * 10)
    with pytest.raises(Invalid, match="more than 10"):
        mail(post, message="é" * 6)
    (tmp_path / "a.txt").write_text("123456")
    with pytest.raises(Invalid, match=r"larger than 5 bytes.*|a\.txt"):
        mail(post, attach=[tmp_path / "a.txt"])


def test_secrets_are_taken_out_of_every_text_and_reported(post):
    """A token that reaches Git through subject, body or context, keys included (SB-7, AM-18, promise 7)."""
    sent = messages.send(
        post, from_project="web", to_project="api", subject=f"key {SECRET}", message=f"Use {SECRET}!",
        context={SECRET: {"deep": [SECRET]}}, from_session=SECRET,
    )  # fmt: skip
    assert sent.redacted["github-token"] >= 5
    assert sent.messages[0].subject == "key [redacted:github-token:1]"
    everything = git(post.root, "log", "-p", "--format=fuller", "main")
    assert SECRET not in everything
    assert not any(SECRET.encode() in data for data in snapshot(post.root).values())


# -- lists -----------------------------------------------------------------------------------------


def test_lists_are_newest_first_and_page_without_a_gap(post, clock):
    """A page that repeats or skips a message, or a total that depends on the page (AM-8)."""
    sent = []
    for number in range(7):
        sent.insert(0, mail(post, subject=f"n{number}").id)
        clock.forward(hours=9)
    seen, cursor = [], None
    while True:
        page = messages.list(post, project="api", limit=3, cursor=cursor)
        assert page.total == 7
        seen += [one.message.id for one in page.items]
        if (cursor := page.next) is None:
            break
    assert seen == sent


def test_a_page_holds_its_place_while_mail_comes(post, clock):
    """A cursor that counts from the top: new mail would make it repeat what was shown."""
    first = [mail(post).id for _ in range(4) if clock.forward(seconds=1) is None]
    page = messages.list(post, project="api", limit=2)
    clock.forward(days=1)
    mail(post)
    assert received(post, cursor=page.next) == [first[1], first[0]]


def test_every_filter_filters(post, clock):
    """A filter of `list` that is ignored, or that filters what it should show."""
    old = mail(post, priority="low")
    clock.forward(days=2)
    new = mail(post, sender="docs", priority="urgent")
    messages.mark(post, message_ids=[new.id], status="read")
    moment = clock() - timedelta(days=1)
    cases = [
        ({"status": "unread"}, [old.id]),
        ({"status": "read"}, [new.id]),
        ({"status": "archived"}, []),
        ({"priority": "low"}, [old.id]),
        ({"sender": "docs"}, [new.id]),
        ({"since": moment}, [new.id]),
        ({"until": moment}, [old.id]),
        ({"since": moment, "until": moment}, []),
        ({"status": "read", "priority": "low"}, []),
    ]
    for filters, expected in cases:
        page = messages.list(post, project="api", **filters)
        assert ([one.message.id for one in page.items], page.total) == (expected, len(expected)), filters
    assert received(post, "web", box="outbox", status="unread") == [old.id]
    assert received(post, "docs", box="outbox", status="unread") == []
    for wrong in ({"status": "new"}, {"priority": "asap"}, {"box": "sent"}):
        with pytest.raises(Invalid):
            messages.list(post, project="api", **wrong)


def test_long_bodies_are_kept_whole_though_lists_cut_them(post):
    """A list's preview that is taken for the body."""
    id = mail(post, message="x" * 5000).id
    (listed,) = verbs.run("message.list", post, project="api")["messages"]
    assert (len(listed["content"]["message"]), listed["content"]["truncated"]) == (1000, True)
    assert len(messages.show(post, message_id=id).message.body) == 5000


def test_a_prefix_names_one_message_or_lists_them(post, clock):
    """An ambiguous or empty beginning of an id that picks some message (AM-11)."""
    first = mail(post)
    assert messages.show(post, message_id=first.id[:18]).message.id == first.id
    second = mail(post)
    with pytest.raises(Ambiguous) as caught:
        messages.show(post, message_id=first.id[:12])
    assert {first.id, second.id} == {*caught.value.details["candidates"]}
    for nothing in ("msg-99", "zzz"):
        with pytest.raises(NotFound):
            messages.show(post, message_id=nothing)


def test_an_empty_id_names_nothing_even_where_there_is_only_one(post):
    """`sbfs message remove "$UNSET"` would remove the only message of a store (AM-11)."""
    mail(post)
    for verb in (messages.show, messages.remove, messages.thread):
        with pytest.raises(NotFound):
            verb(post, message_id="")
    assert messages.count(post, project="api") == 1


# -- status ----------------------------------------------------------------------------------------


def test_every_status_can_be_listed_shown_and_set_back(post):
    """Archived mail that nobody can see again (AM-6)."""
    id = mail(post).id
    for status in ("archived", "unread", "read", "archived", "read"):
        messages.mark(post, message_ids=[id[:20]], status=status)
        assert received(post, status=status) == [id]
        assert messages.show(post, message_id=id).message.status == status
    messages.archive(post, message_ids=[id])
    assert messages.show(post, message_id=id).message.status == "archived"


def test_reading_marks_once_and_the_outbox_tells(post):
    """`read` that writes each time, `show` that marks, or an outbox that says more than is true (AM-14)."""
    id = mail(post).id
    messages.show(post, message_id=id)
    (sent,) = messages.list(post, project="web", box="outbox").items
    assert sent.delivery == "kept"
    assert messages.read(post, message_id=id).message.status == "read"
    before = commits(post.root)
    assert messages.read(post, message_id=id).message.status == "read"
    assert commits(post.root) == before
    (sent,) = messages.list(post, project="web", box="outbox").items
    assert (sent.delivery, sent.message.status) == ("read", "")
    messages.mark(post, message_ids=[id], status="archived")
    assert messages.read(post, message_id=id).message.status == "archived", "reading puts nothing back"


def test_pushed_is_said_when_the_remote_has_it(post, tmp_path):
    """ "pushed" before it is true, or not said where it is, from either side (AM-14)."""
    first = mail(post).id
    git(tmp_path, "init", "--bare", "-q", "remote.git")
    git(post.root, "remote", "add", "origin", str(tmp_path / "remote.git"))
    git(post.root, "push", "-q", "origin", "main")
    second = mail(post).id
    listed = {one.message.id: one.delivery for one in messages.list(post, project="web", box="outbox").items}
    assert listed == {first: "pushed", second: "kept"}
    assert {id: messages.show(post, message_id=id).delivery for id in (first, second)} == listed


def test_marking_many_is_one_commit_and_all_or_nothing(post):
    """Half of a list marked when one id is wrong."""
    ids = [mail(post).id for _ in range(3)]
    before = commits(post.root)
    with pytest.raises(NotFound):
        messages.mark(post, message_ids=[*ids, "msg-0000"], status="read")
    assert (commits(post.root), messages.count(post, project="api", unread=True)) == (before, 3)
    messages.mark(post, message_ids=ids, status="read")
    assert (commits(post.root), messages.count(post, project="api", unread=True)) == (before + 1, 0)
    for wrong in ({"message_ids": []}, {"status": "seen"}):
        with pytest.raises(Invalid):
            messages.mark(post, **{"message_ids": ids, "status": "read", **wrong})


def test_two_who_mark_at_once_both_count(post):
    """A status that is lost because another writer came in between (SB-2, AM-17)."""
    first, second = mail(post), mail(post)
    other = amid(post, lambda: messages.mark(post, message_ids=[first.id], status="read"))
    messages.mark(other, message_ids=[first.id, second.id], status="archived")
    assert [one.message.status for one in messages.list(post, project="api").items] == ["archived", "archived"]
    assert "marks as read" in history.log(post, limit=2).items[1].subject


# -- replies, threads, forwards --------------------------------------------------------------------


def test_a_thread_five_deep_is_one_thread_from_any_message_in_it(post, clock):
    """From the second reply on, a new thread (AM-13)."""
    ids = [mail(post, subject="Question").id]
    for number in range(5):
        clock.forward(days=number)
        ids.append(messages.reply(post, message_id=ids[-1], message=f"answer {number}").messages[0].id)
    clock.forward(hours=1)
    side = messages.reply(post, message_id=ids[0], message="another answer").messages[0].id
    for id in (*ids, side):
        tree = messages.thread(post, message_id=id)
        assert [(one.id, depth) for one, depth in tree] == [(one, n) for n, one in enumerate(ids)] + [(side, 1)]
        assert {one.thread for one, _ in tree} == {ids[0]}
    last = messages.show(post, message_id=ids[-1]).message
    assert (last.subject, last.type, last.from_project, last.to_project) == ("Re: Question", "response", "api", "web")


def test_a_follow_up_to_ones_own_message_goes_to_the_other_party(post):
    """A reply by the sender that lands in the sender's own inbox, also after a rename or by a former name."""
    original = mail(post)
    projects.rename(post, project="web", name="site")
    for name in ("site", "web"):
        follow = messages.reply(post, message_id=original.id, message="P.S.", from_project=name).messages[0]
        assert (follow.from_project, follow.to_project) == ("site", "api")
    answer = messages.reply(post, message_id=original.id, message="thanks").messages[0]
    assert (answer.from_project, answer.to_project) == ("api", "site")


def test_a_thread_survives_renames(post):
    """Half of a thread is gone once a party has another name: nobody rewrites the others' records."""
    first = mail(post)
    second = messages.reply(post, message_id=first.id, message="one").messages[0]
    third = messages.forward(post, original_message_id=second.id, to_project="docs").messages[0]
    projects.rename(post, project="web", name="site")
    projects.rename(post, project="api", name="server")
    fourth = messages.reply(post, message_id=second.id, message="two").messages[0]
    expected = [first.id, second.id, fourth.id]
    assert [[one.id for one, _ in messages.thread(post, message_id=id)] for id in expected] == [expected] * 3
    assert [one.id for one, _ in messages.thread(post, message_id=third.id)] == [third.id]


def test_a_thread_without_its_beginning_is_still_shown(post):
    """An answer to mail that is not held here is refused, or its thread loses what is here."""
    message = mail(post, in_reply_to="msg-from-elsewhere")
    answer = messages.reply(post, message_id=message.id, message="yes").messages[0]
    assert (message.thread, answer.thread) == ("msg-from-elsewhere", "msg-from-elsewhere")
    assert [(one.id, depth) for one, depth in messages.thread(post, message_id=answer.id)] == [
        (message.id, 0),
        (answer.id, 1),
    ]


def test_mail_that_answers_itself_is_still_in_its_thread(post):
    """A circle of answers, written by hand, that makes its messages invisible or never ends."""
    for id, parent in (("m-1", "m-2"), ("m-2", "m-1"), ("m-3", "m-3")):
        put(
            post,
            f"projects/web/outbox/{id}.yaml",
            f"id: {id}\nto_project: api\nsubject: s\ncontent: x\nin_reply_to: {parent}\nthread: t\n",
        )
    assert worktree.save(post).invalid == ()
    assert sorted(one.id for one, _ in messages.thread(post, message_id="m-1")) == ["m-1", "m-2", "m-3"]


def test_a_held_back_message_keeps_its_thread_whole(post, clock):
    """A thread that begins with held-back mail, brought forward: its beginning may be earlier than its id says."""
    first = mail(post, deliver_at=clock() + timedelta(days=10))
    messages.edit(post, message_id=first.id, deliver_at=clock() + timedelta(days=5))
    before = messages.reply(post, message_id=first.id, message="P.S., sent first", from_project="web").messages[0]
    clock.forward(days=6)
    second = messages.reply(post, message_id=first.id, message="early").messages[0]
    clock.forward(days=6)
    third = messages.reply(post, message_id=second.id, message="late").messages[0]
    expected = [first.id, before.id, second.id, third.id]
    assert [[one.id for one, _ in messages.thread(post, message_id=id)] for id in expected] == [expected] * 4


def test_a_chain_of_forwards_keeps_where_it_came_from_and_what_it_carried(post, tmp_path, clock):
    """A forward that loses its origin, the note, the attachment or the context (AM-5, AM-12)."""
    file = tmp_path / "report.html"
    file.write_bytes(b"<b>report</b>\0")
    original = mail(post, priority="urgent", context={"endpoint": "/api"}, attach=[file], message="line 1\n\nline 2\n")
    clock.forward(hours=1)
    once = messages.forward(post, original_message_id=original.id, to_project="docs", forward_note="Look.").messages[0]
    clock.forward(hours=1)
    twice = messages.forward(post, original_message_id=once.id, to_project=["ops", "web"]).messages[0]
    assert once.id != original.id
    assert (once.from_project, once.to_project, once.priority, once.type) == ("api", "docs", "urgent", "notification")
    assert (once.subject, twice.subject) == ("Fwd: Build is red", "Fwd: Build is red")
    assert (once.context, twice.context) == ({"endpoint": "/api"}, {"endpoint": "/api"})
    assert once.body.startswith("Look.\n\n> From: web\n> To: api\n")
    assert once.body.endswith("> line 1\n>\n> line 2\n")
    assert once.forwarded_from == {
        "original_message_id": original.id,
        "original_from": "web",
        "original_to": "api",
        "original_timestamp": "2026-11-22T14:03:07.123Z",
        "forwarded_by": "api",
        "forwarded_at": "2026-11-22T15:03:07.123Z",
        "forward_note": "Look.",
    }
    kept = messages.show(post, message_id=twice.id).message
    assert kept.forwarded_from["forwarded_from"] == once.forwarded_from
    assert kept.forwarded_from["original_message_id"] == once.id
    for project in ("web", "api", "docs", "ops"):
        (attached,) = kept.attachments
        assert (post.root / "projects" / project / attached.path).read_bytes() == file.read_bytes()
    assert messages.show(post, message_id=twice.id).trouble == {}


def test_a_forward_says_in_the_history_who_forwards(post):
    """The log names nobody where the project that received the mail passes it on."""
    messages.forward(post, original_message_id=mail(post).id, to_project="docs")
    assert history.log(post, limit=1).items[0].actor == "api"


# -- attachments -----------------------------------------------------------------------------------


def test_attachments_are_checked_when_they_are_read(post, tmp_path):
    """A file that is not what was sent is shown, or passed on, as if it were (AM-12)."""
    file = tmp_path / "data.bin"
    file.write_bytes(b"\0\1\2")
    message = mail(post, attach=[file])
    (attached,) = message.attachments
    sum = hashlib.sha256(b"\0\1\2").hexdigest()
    assert (attached.name, attached.size, attached.sha256) == ("data.bin", 3, sum)
    assert attached.path == f"attachments/{sum}/data.bin"
    put(post, f"projects/api/{attached.path}", b"other")
    git(post.root, "commit", "-aqm", "tamper")
    assert "sum differs" in messages.show(post, message_id=message.id).trouble["data.bin"]
    with pytest.raises(Invalid, match="sum differs"):
        messages.forward(post, original_message_id=message.id, to_project="docs")
    git(post.root, "rm", "-q", f"projects/api/{attached.path}")
    git(post.root, "commit", "-qm", "lose")
    assert "missing" in messages.show(post, message_id=message.id).trouble["data.bin"]


def test_an_attachment_with_a_secret_is_refused_unless_told(post, tmp_path):
    """A key file goes into Git, which forgets nothing (promise 7)."""
    file = tmp_path / "env.txt"
    file.write_text(f"one\nTOKEN={SECRET}\n")
    with pytest.raises(Invalid, match=r"env\.txt:2 .*github-token"):
        mail(post, attach=[file])
    assert messages.count(post, project="api") == 0
    assert mail(post, attach=[file], allow_secret=True).attachments[0].name == "env.txt"


@pytest.mark.parametrize("name", ["a b.txt", "ünïcode.txt", "$(touch x).txt", "-rf", "a;b"])
def test_odd_names_of_attachments_travel(post, tmp_path, name):
    """A file name that a shell or a path would take for something else (AM-1, AM-9)."""
    (tmp_path / name).write_text("x")
    message = mail(post, attach=[tmp_path / name])
    assert messages.show(post, message_id=message.id).trouble == {}
    assert (post.root / "projects/api" / message.attachments[0].path).read_text() == "x"
    assert_sound(post.root)


def test_bad_attachments_change_nothing(post, tmp_path):
    """A folder, a name that other systems cannot hold, or a file over the limit, that leaves half a send."""
    (tmp_path / "a:b").write_text("x")
    before = commits(post.root)
    for wrong in (tmp_path, tmp_path / "a:b"):
        with pytest.raises(Error):
            mail(post, attach=[wrong])
    assert commits(post.root) == before


# -- later -----------------------------------------------------------------------------------------


def test_held_back_mail_is_in_no_list_until_its_time(post, clock):
    """Scheduled mail that is seen early, never, or counted otherwise than it is listed (AM-10, AM-15)."""
    message = mail(post, deliver_at="tomorrow at 9:30")
    assert message.deliver_at == datetime(2026, 11, 23, 9, 30, tzinfo=UTC)

    def seen() -> tuple[bool, ...]:
        counts = (messages.count(post, project="api"), messages.count(post, project="api", unread=True))
        lists = (received(post), received(post, "web", box="outbox"), received(post, status="unread"),
                 received(post, since=datetime(2026, 11, 1, tzinfo=UTC)))  # fmt: skip
        assert len({*map(len, lists), *counts}) == 1
        return tuple(map(bool, lists))

    assert not any(seen())
    clock.now = datetime(2026, 11, 23, 9, 29, 59, tzinfo=UTC)
    assert not any(seen())
    clock.now = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
    assert all(seen())
    messages.read(post, message_id=message.id)
    assert received(post, status="read") == [message.id]


def test_held_back_mail_can_be_changed_and_then_no_more(post, clock):
    """An edit that reaches only one copy, or changes mail that was delivered."""
    message = mail(post, deliver_at=clock() + timedelta(days=3), context={"a": 1})
    changed = messages.edit(
        post, message_id=message.id, subject="Later", message="new", priority="low", message_type="update",
        context={"b": 2}, deliver_at="2026-11-30T08:00",
    )  # fmt: skip
    assert changed.id == message.id
    copies = [
        Record.parse("a.yaml", (post.root / path_of(changed, box)).read_bytes()).data for box in ("inbox", "outbox")
    ]
    assert copies[0].pop("status") == "unread"
    assert copies[0] == copies[1]
    assert (copies[1]["subject"], copies[1]["content"]["message"], copies[1]["priority"]) == ("Later", "new", "low")
    assert not (post.root / path_of(message)).exists()
    assert_sound(post.root)
    clock.now = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)
    with pytest.raises(Invalid, match="was delivered"):
        messages.edit(post, message_id=message.id, subject="Too late")
    with pytest.raises(Invalid, match="was delivered"):
        messages.edit(post, message_id=mail(post).id, subject="no")


def test_held_back_mail_can_be_changed_after_a_rename(post, clock):
    """An edit that says success and changes nothing, because a party has another name now (promise 2)."""
    message = mail(post, deliver_at=clock() + timedelta(days=3))
    projects.rename(post, project="web", name="site")
    projects.rename(post, project="api", name="server")
    messages.edit(post, message_id=message.id, subject="New words")
    assert messages.show(post, message_id=message.id).message.subject == "New words"
    for path in (path_of(message, "outbox", "site"), path_of(message, "inbox", "server")):
        assert b"New words" in (post.root / path).read_bytes()


# -- removing, parties that are gone or renamed ------------------------------------------------------


def test_removing_leaves_tombstones_and_says_so(post):
    """A removed message that is found again, or that an old clone could bring back (GP-8)."""
    message, other = mail(post), mail(post)
    messages.remove(post, message_id=message.id)
    for box in ("inbox", "outbox"):
        data = Record.parse("a.yaml", (post.root / path_of(message, box)).read_bytes()).data
        assert set(data) == {"id", "removed"}
    assert received(post) == [other.id]
    with pytest.raises(NotFound, match="in this store") as caught:
        messages.show(post, message_id=message.id)
    assert "removed" in caught.value.hint
    for again in (messages.remove, messages.read, messages.thread):
        with pytest.raises(NotFound):
            again(post, message_id=message.id)
    with pytest.raises(NotFound):
        messages.mark(post, message_ids=[message.id], status="read")


def test_one_copy_can_be_removed(post):
    """`--box` that removes both, or the other one."""
    message = mail(post)
    messages.remove(post, message_id=message.id, box="inbox")
    assert (received(post), received(post, "web", box="outbox")) == ([], [message.id])
    assert messages.show(post, message_id=message.id).box == "outbox"
    with pytest.raises(NotFound):
        messages.remove(post, message_id=message.id, box="inbox")
    with pytest.raises(Invalid):
        messages.remove(post, message_id=message.id, box="sent")


def test_mail_of_a_removed_project_can_be_read_and_removed(post):
    """Mail that is stuck because its other party is gone."""
    first, second = mail(post), mail(post)
    third = mail(post, sender="api", to="web")
    projects.remove(post, project="web")
    assert messages.read(post, message_id=first.id).message.status == "read"
    messages.archive(post, message_ids=[second.id])
    assert [one.id for one, _ in messages.thread(post, message_id=first.id)] == [first.id]
    assert messages.list(post, project="api", box="outbox").items[0].delivery == "kept"
    messages.forward(post, original_message_id=first.id, to_project="docs")
    for message in (first, second, third):
        messages.remove(post, message_id=message.id)
    assert messages.list(post, project="api", box="outbox").total == 1
    assert received(post) == []


def test_lists_know_a_sender_by_any_name_it_had(post):
    """`--from NEW` that hides what the project sent under its former name, or the other way round."""
    before = mail(post)
    projects.rename(post, project="web", name="site")
    after = mail(post, sender="site")
    mail(post, sender="docs")
    for name in ("web", "site"):
        assert {*received(post, sender=name)} == {before.id, after.id}
        assert {*received(post, name, box="outbox")} == {before.id, after.id}


# -- people's edits --------------------------------------------------------------------------------


def test_show_gives_the_unsaved_edit_and_says_so(post):
    """An edit that is hidden from `show`, or that counts in lists before it is saved."""
    message = mail(post)
    file = post.root / path_of(message)
    file.write_text(file.read_text().replace("status: unread", "status: archived  # done"))
    shown = messages.show(post, message_id=message.id)
    assert (shown.edited, shown.message.status) == (True, "archived")
    assert received(post, status="unread") == [message.id]
    assert messages.show(post, message_id=message.id, at="HEAD").message.status == "unread"
    messages.mark(post, message_ids=[message.id], status="read")
    assert "status: read  # done" in file.read_text(), "the edit was overwritten unseen"
    assert [one.operation for one in history.log(post, limit=2).items] == ["message.mark", "save"]


def test_what_was_sent_does_not_change_by_hand(post):
    """A person who rewrites what was sent: refused, named with the line, and the file left alone."""
    message = mail(post)
    for box in ("inbox", "outbox"):
        file = post.root / path_of(message, box)
        file.write_text(file.read_text().replace("See the log.", "I never said that."))
    (first, second) = worktree.save(post).invalid
    for edit in (first, second):
        line = (post.root / edit.path).read_text().splitlines()[edit.line - 1]
        assert line == "content:"
        assert "was sent and does not change" in edit.error
    assert messages.list(post, project="api").items[0].message.body == "See the log.\n"


def test_listing_the_past_gives_the_past(post, clock):
    """`at` that mixes what was with what is."""
    first = mail(post)
    clock.forward(days=1)
    then = post.head()
    mail(post)
    messages.mark(post, message_ids=[first.id], status="archived")
    assert received(post, at=then, status="unread") == [first.id]
    assert messages.count(post, project="api", unread=True, at=then) == 1
    assert messages.show(post, message_id=first.id, at=then).message.status == "unread"
    assert len(messages.thread(post, message_id=first.id, at=then)) == 1


# -- nothing is run --------------------------------------------------------------------------------

METACHARACTERS = [
    "$(touch {})", "`touch {}`", "'; touch {}; '", '"; touch {}; "', "| touch {} #", "!touch {}", "%0atouch {}",
]  # fmt: skip


def test_shell_characters_in_any_text_start_nothing(post, tmp_path):
    """A text that a shell runs on its way through a commit, an attachment or a hook (AM-1)."""
    mark = tmp_path / "pwned"
    for number, text in enumerate(METACHARACTERS):
        evil = text.format(mark)
        name = f"n{number} {evil.replace('/', '_').replace('|', '').replace(chr(34), '')}!"
        (tmp_path / name).write_text("x")
        projects.set(post, project="web", alias=evil, description=evil, host=evil, source_path=evil, add_tags=[evil])
        id = mail(
            post, subject=evil, message=evil + "\n" + evil, context={evil: evil}, from_session=evil,
            attach=[tmp_path / name],
        ).id  # fmt: skip
        messages.forward(post, original_message_id=id, to_project="docs", forward_note=evil)
        messages.archive(post, message_ids=[id], actor=evil)
    assert not mark.exists()
    assert not list(tmp_path.rglob("pwned*"))
    assert_sound(post.root)


def test_ids_and_names_cannot_leave_the_store(post):
    """A name or an id that becomes a path outside the store (AM-9)."""
    outside = snapshot(post.root.parent)
    for wrong in ("../x", "..", "a/b", ".git", "/etc/passwd", "x\0y", "CON", "ünï", "", "a" * 65, "A"):
        with pytest.raises(Error):
            projects.add(post, name=wrong)
        with pytest.raises(Error):
            mail(post, to=wrong)
        with pytest.raises(Error):
            messages.show(post, message_id=wrong or "nothing")
        with pytest.raises(Error):
            messages.list(post, project=wrong)
    assert snapshot(post.root.parent) == outside


def test_times_that_no_clock_holds_are_refused(post):
    """A time that is none, as a crash or as another time, instead of a sentence (SB-9)."""
    now = post.clock()
    for text in ("99999999999999d", "999999999w", "0001-01-01T00:00+14:00"):
        with pytest.raises(Invalid):
            times.since(text, now=now)
    for text in ("9999-12-31T23:59:59-12:00", "2027-13-01", "2027-02-30", "every 2 days", "", "x" * 300):
        with pytest.raises(Invalid):
            times.later(text, now=now)
