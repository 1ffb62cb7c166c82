# ruff: noqa: E501 - what a file of another system holds is read best on one line
"""Mail and memory of other systems: what can be carried comes in once, and what cannot is named."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from domain_helpers import SECRET, Shell, mail, people
from helpers import assert_sound
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sbfs import bundles, configs, context, history, messages, projects, quality, reflections
from sbfs.errors import Invalid, NotFound, Usage, WrongFormat
from sbfs.store import Store

WEB, API = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"


def take(store: Store, path: Path, strategy: str = "merge") -> bundles.Imported:
    """Import, with a preview before that must say the same."""
    seen = bundles.import_(store, path=path)
    done = bundles.import_(store, path=path, strategy=strategy)
    assert (seen.items, seen.left_out) == (done.items, done.left_out)
    assert bundles.import_(store, path=path, strategy=strategy).revision == ""
    assert_sound(store.root)
    return done


def put(file: Path, value: Any) -> Path:
    """Write JSON, or bytes as they are."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(value if isinstance(value, bytes) else json.dumps(value, indent=2).encode())
    return file


def left(done: bundles.Imported) -> str:
    """All that was left out, as one text."""
    return "\n".join(f"{one.name}: {one.why}" for one in done.left_out)


# -- AI Maestro ------------------------------------------------------------------------------------


def letter(id: str, **keys: Any) -> dict[str, Any]:
    """A message as v0.19.0 writes it."""
    return {
        "id": id, "from": WEB, "fromAlias": "Web App", "to": API, "toAlias": "api", "timestamp": "2026-01-02T03:04:05.678Z",
        "subject": "Hello", "priority": "high", "status": "unread",
        "content": {"type": "request", "message": "text", "context": {"branch": "main"}}, **keys,
    }  # fmt: skip


def maestro(folder: Path) -> Path:
    """A folder of v0.19.0 with one of each trouble that is known."""
    box = folder / "messages"
    put(box / f"inbox/{API}/msg-1.json", letter("msg-1"))
    put(box / f"sent/{WEB}/msg-1.json", letter("msg-1"))
    put(box / f"archived/{API}/msg-2.json", letter("msg-2", status="archived", inReplyTo="msg-1"))
    put(box / f"inbox/{API}/msg-2.json", letter("msg-2", status="read", inReplyTo="msg-1"))
    put(box / "inbox/api/msg-1.json", letter("msg-1", status="archived", subject="older"))
    forwarded = {"originalMessageId": "msg-1", "originalFrom": "web-app", "originalTo": "api", "forwardedBy": "api"}
    put(box / f"sent/{API}/fwd_msg-3.json", letter("msg-3", to="docs", toAlias="docs", forwardedFrom=forwarded))
    put(box / f"inbox/{API}/msg-4.json", letter("msg-4", priority="asap", inReplyTo="msg-gone", custom={"kept": [1]}))
    odd = {
        "type": "message",
        "message": "x",
        "attachments": [{"name": "a.txt", "path": "/tmp/a.txt", "type": "text/plain"}],
    }
    put(box / f"inbox/{API}/msg-5.json", letter("msg-5", content=odd))
    put(box / f"inbox/{API}/broken.json", b"{")
    put(
        box / f"inbox/{API}/msg-6.json",
        letter("msg-6", fromAlias=None, **{"from": "33333333-3333-4333-8333-333333333333"}),
    )
    put(box / f"inbox/{API}/msg-7.json", letter("../../escape"))
    put(
        box / f"inbox/{API}/msg-8.json",
        letter("msg-8", fromAlias="web-app", **{"from": "44444444-4444-4444-8444-444444444444"}),
    )
    registry = [
        {
            "id": WEB,
            "name": "web-app",
            "label": "The web",
            "taskDescription": "The app",
            "tags": ["ui"],
            "hostId": "mac",
        }
    ]
    put(folder / "agents/registry.json", registry)
    (box / "inbox/linked").symlink_to("/etc")
    return folder


def test_message_folders_of_ai_maestro(store, tmp_path):
    """AM-16: folders by UUID and by name hide mail; AM-8: a broken file is skipped in silence."""
    done = take(store, maestro(tmp_path / "aimaestro"))
    assert done.format == "ai-maestro"
    inbox = {one.message.id: one.message for one in messages.list(store, project="api").items}
    assert {id: one.status for id, one in inbox.items()} == {
        "msg-1": "unread", "msg-2": "archived", "msg-4": "unread", "msg-5": "unread"
    }  # fmt: skip
    assert (inbox["msg-1"].from_project, inbox["msg-1"].subject) == ("web-app", "Hello")
    assert inbox["msg-1"].context == {"branch": "main"}
    with pytest.raises(NotFound):
        context.context(store, agent_id="33333333-3333-4333-8333-333333333333", query="Hello")
    assert context.context(store, agent_id=WEB, query="Hello").project == "web-app"
    assert (inbox["msg-2"].thread, inbox["msg-4"].thread) == ("msg-1", "msg-gone")
    assert (inbox["msg-4"].priority, inbox["msg-4"].context["original_priority"]) == ("normal", "asap")
    assert inbox["msg-4"].extra["custom"] == {"kept": [1]}
    assert (inbox["msg-5"].type, inbox["msg-5"].context["original_type"]) == ("notification", "message")
    assert inbox["msg-5"].content_extra["attached_elsewhere"][0]["name"] == "a.txt"
    forwarded = messages.show(store, message_id="msg-3").message
    assert forwarded.forwarded_from["original_message_id"] == "msg-1"
    web = projects.show(store, project="web-app")
    assert (web.alias, web.description, web.host, web.tags) == ("The web", "The app", "mac", ("ui",))
    told = left(done)
    for word in ("broken.json", "asap", "a.txt", "33333333", "escape", "44444444", "'message' became"):
        assert word in told, word
    assert not list(store.root.rglob("*passwd*"))


def test_what_is_here_of_a_project_stays(store, tmp_path):
    """A description that hearsay overwrites; one import is one commit and undone as one."""
    projects.add(store, name="web-app", description="ours")
    before = store.view().commit.tree
    take(store, maestro(tmp_path / "aimaestro"))
    assert projects.show(store, project="web-app").description == "ours"
    history.undo(store)
    assert store.view().commit.tree == before
    with pytest.raises(Usage):
        bundles.import_(store, path=tmp_path / "aimaestro", strategy="replace")


def agent_zip(path: Path, version: str = "1.2.0", **more: bytes) -> Path:
    """An agent's export of HEAD, with what must not travel."""
    agent = {
        "id": API,
        "name": "api",
        "taskDescription": "The API",
        "sessions": [{"index": 0}],
        "createdAt": "2026-01-01T00:00:00Z",
    }
    members = {
        "manifest.json": json.dumps({"version": version, "agent": {"name": "api"}}).encode(),
        "registry.json": json.dumps(agent).encode(),
        "messages/inbox/msg-1.json": json.dumps(letter("msg-1")).encode(),
        "messages/sent/msg-2.json": json.dumps(letter("msg-2", **{"from": API, "to": "docs", "fromAlias": "", "toAlias": ""})).encode(),
        "skills/custom/deploy/SKILL.md": b"# Deploy\n", "hooks/hooks.json": b"{}\n", "hooks/run.sh": b"touch /tmp/sbfs-was-here\n",
        "keys/private.pem": b"-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY-----\n", "agent.db": b"\0\1",
        **more,
    }  # fmt: skip
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def test_an_exported_agent(store, tmp_path):
    """AM-35: a private key in the export, hooks that are enabled; AM-37: an unknown version only warns."""
    done = take(store, agent_zip(tmp_path / "api.zip"))
    assert {one.message.id for one in messages.list(store, project="api").items} == {"msg-1"}
    assert messages.show(store, message_id="msg-2").message.to_project == "docs"
    assert projects.show(store, project="api").description == "The API"
    told = left(done)
    assert "keys/private.pem: private keys do not travel" in told
    assert "agent.db" in told
    assert "registry.json: sessions" in told
    assert not Path("/tmp/sbfs-was-here").exists()
    names = {one.name for one in configs.list(store, project="api").items}
    assert names == {"skills-custom-deploy-skill.md", "hooks-hooks.json", "hooks-run-sh.md"}
    everything = b"".join(file.read_bytes() for file in store.root.rglob("*") if file.is_file())
    assert b"PRIVATE KEY" not in everything
    odd = {"hooks/hooks.json": b"[1]\n", "skills/custom/a/SKILL.md": f"use {SECRET}\n".encode()}
    told = left(bundles.import_(store, path=agent_zip(tmp_path / "odd.zip", **odd)))
    assert "hooks/hooks.json: is no configuration" in told
    assert "looks like a github-token" in told
    with pytest.raises(WrongFormat):
        bundles.import_(store, path=agent_zip(tmp_path / "new.zip", "9.0.0"))
    with pytest.raises(Invalid):
        bundles.import_(store, path=agent_zip(tmp_path / "bad.zip", **{"../x": b"x"}))


def test_envelopes_of_agent_messaging(store, tmp_path):
    """AM-13: a thread id that is ignored; both spellings of an id; attachments by their sum."""
    agent = tmp_path / "amp/agents" / API
    envelope = {
        "version": "amp/0.1", "id": "msg_17_ab", "from": "web@acme.example", "to": "api@acme.example", "subject": "Hi",
        "priority": "normal", "timestamp": "2026-01-02T03:04:05Z", "thread_id": "msg_16_aa", "in_reply_to": "msg-16-aa",
    }  # fmt: skip
    sum = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    payload = {
        "type": "handoff", "message": "x", "context": None,
        "attachments": [
            {"id": "att_1", "filename": "x.txt", "content_type": "text/plain", "digest": f"sha256:{sum}"},
            {"id": "../../..", "filename": "passwd", "content_type": "text/plain"},
        ],
    }  # fmt: skip
    put(agent / "attachments/att_1/x.txt", b"x")
    mail_ = {"envelope": envelope, "payload": payload, "metadata": {"status": "read"}, "local": {"status": "unread"}}
    put(agent / "messages/inbox/web_acmeexample/msg_17_ab.json", mail_)
    put(
        tmp_path / "amp/agents" / WEB / "messages/sent/api_acmeexample/msg-17-ab.json",
        {"envelope": envelope, "payload": payload},
    )
    put(agent / "messages/inbox/msg-old.json", letter("msg_old_1"))
    put(agent / "keys/private.pem", b"secret")
    done = take(store, tmp_path / "amp")
    inbox = {one.message.id: one.message for one in messages.list(store, project="api").items}
    assert set(inbox) == {"msg-17-ab", "msg-old-1"}
    one = inbox["msg-17-ab"]
    assert (one.status, one.thread, one.in_reply_to, one.context) == (
        "read",
        "msg-16-aa",
        "msg-16-aa",
        {"original_type": "handoff"},
    )
    assert [attached.name for attached in one.attachments] == ["x.txt"]
    assert (store.root / "projects/api" / one.attachments[0].path).read_bytes() == b"x"
    assert "keys" in left(done)
    assert "passwd" in left(done)


# -- Session Buddy ---------------------------------------------------------------------------------


def test_a_zip_of_session_buddys_design(store, tmp_path):
    """What the design says can be carried, and what is none of it is named."""
    members = {
        "config.json": {"session_id": "/home/pat/My App", "exported_at": "2026-01-02T03:04:05Z", "version": "1"},
        "reflections.json": [
            {"id": "r1", "content": "Lock the table\nat night", "tags": ["db"], "created_at": "2026-01-01T00:00:00", "importance_score": 0.5},
            {"content": "legacy"}, {"tags": ["none"]},
        ],
        "quality_history.json": {"history": [{"score": 71.5, "timestamp": 1767322800}, {"score": 130}, {"score": None, "breakdown": {"lint": 10}}]},
        "project_groups.json": {
            "groups": [{"id": "g", "name": "Team", "projects": ["My App", "Other"], "description": "d", "created_at": "2026-01-01"}],
            "dependencies": [{"source_project": "My App", "target_project": "Other", "dependency_type": "uses"}, {"source_project": "a"}],
        },
        "extra.json": [],
    }  # fmt: skip
    with zipfile.ZipFile(tmp_path / "buddy.zip", "w") as archive:
        for name, data in members.items():
            archive.writestr(name, json.dumps(data))
    done = take(store, tmp_path / "buddy.zip")
    found = {one.title: one for one in reflections.list(store, project="my-app").items}
    assert set(found) == {"Lock the table", "legacy"}
    assert (found["Lock the table"].id, found["Lock the table"].tags) == ("r1", ("db",))
    assert found["Lock the table"].extra["importance_score"] == 0.5
    assert sorted(one.score or 0 for one in quality.list(store, project="my-app").items) == [0, 71.5]
    assert projects.group_show(store, group="team").projects == ("my-app", "other")
    assert projects.show(store, project="my-app").relations == {"uses": ("other",)}
    told = left(done)
    for word in ("reflections.json: entry 3", "130", "extra.json", "project_groups.json: entry 3"):
        assert word in told, told


# -- mail of the world -----------------------------------------------------------------------------

MBOX = b"""From pat@example.org Fri Jan  2 03:04:05 2026
From: Pat <Pat.Person@example.org>
To: api@example.org, Docs <docs@example.org>
Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=
Date: Fri, 02 Jan 2026 03:04:05 +0100
Message-ID: <one@example.org>
X-Priority: 1
Status: RO
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

caf=E9
--b
Content-Type: application/pdf
Content-Disposition: attachment; filename="../../x.pdf"
Content-Transfer-Encoding: base64

eA==
--b--

From x Fri Jan  2 03:04:05 2026
From: a@x
To: api@x
Subject: no text
In-Reply-To: <one@example.org>
Content-Type: text/html

<p>hi <script>x()</script>&amp; bye</p>

From y Fri Jan  2 03:04:05 2026
Subject: nobody

x
"""


def test_an_mbox(store, tmp_path):
    """Headers of the world: encoded words, zones, several recipients, attachments whose names lead out."""
    (tmp_path / "mail.mbox").write_bytes(MBOX)
    done = take(store, tmp_path / "mail.mbox")
    inbox = {one.message.subject: one.message for one in messages.list(store, project="api").items}
    assert set(inbox) == {"Grüße", "no text"}
    one = inbox["Grüße"]
    assert (one.from_project, one.body.strip(), one.priority, one.status) == ("pat.person", "café", "urgent", "read")
    assert one.timestamp.isoformat() == "2026-01-02T02:04:05+00:00"
    assert one.attachments[0].name == "-..-x.pdf" or "/" not in one.attachments[0].name
    assert inbox["no text"].body == "hi & bye\n"
    assert {one.message.subject for one in messages.list(store, project="docs").items} == {"Grüße"}
    assert "message 3: has no sender" in left(done)
    assert "HTML only" in left(done)


def test_a_maildir(store, tmp_path):
    """Read by its flags."""
    for folder in ("cur", "new", "tmp"):
        (tmp_path / "Maildir" / folder).mkdir(parents=True)
    text = b"From: a@x\nTo: b@x\nSubject: %b\nMessage-ID: <%b@x>\nDate: Fri, 02 Jan 2026 03:04:05 +0000\n\nhello\n"
    (tmp_path / "Maildir/cur/1.host:2,S").write_bytes(text % (b"seen", b"1"))
    (tmp_path / "Maildir/new/2.host").write_bytes(text % (b"fresh", b"2"))
    take(store, tmp_path / "Maildir")
    found = {one.message.subject: one.message.status for one in messages.list(store, project="b").items}
    assert found == {"seen": "read", "fresh": "unread"}


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.text(st.characters(codec="utf-8"), min_size=1, max_size=300).filter(str.strip),
    subject=st.text(
        st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=80
    ).filter(str.strip),
)
def test_mail_goes_out_and_comes_back(tmp_path_factory, body, subject):
    """Locked in: a message that does not come back from the file that it was written to, `From ` at a line's beginning too."""
    folder = tmp_path_factory.mktemp("mail")
    (folder / "a.txt").write_bytes(b"From here\r\n\0")
    with Store.init(folder / "one") as one, Store.init(folder / "two") as two:
        people(one, "web", "api")
        first = mail(
            one, subject=subject, message=f"From here\n{body}", context={"k": [1, "\u2028"]}, attach=[folder / "a.txt"]
        )
        messages.reply(one, message_id=first.id, message=body)
        messages.export(one, project="api", output=folder / "in.mbox")
        messages.export(one, project="web", output=folder / "web.mbox")
        for name in ("in", "web"):
            bundles.import_(two, path=folder / f"{name}.mbox", strategy="merge")
        for project in ("web", "api"):
            mine, theirs = (
                [entry.message for entry in messages.list(store, project=project).items] for store in (one, two)
            )
            assert theirs == mine


def test_mail_as_json(store, tmp_path):
    """A file that is no JSON, or that others may read."""
    people(store, "web", "api")
    mail(store)
    mail(store, subject="two")
    shell = Shell(store.root)
    said = shell.json("message", "export", "api", "--format", "json", "-o", str(tmp_path / "x.json"))
    assert said["count"] == 2
    found = json.loads((tmp_path / "x.json").read_text())["messages"]
    assert sorted(one["subject"] for one in found) == ["Build is red", "two"]
    assert (tmp_path / "x.json").stat().st_mode & 0o777 == 0o600
    shell.fails(4, "exists", "message", "export", "api", "-o", str(tmp_path / "x.json"))
