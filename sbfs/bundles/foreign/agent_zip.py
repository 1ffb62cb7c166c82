"""AI Maestro's exported agent: `manifest.json` and `registry.json` (one agent), mail, skills and hooks.

Keys, registrations and the database stay out. Skills and hooks become configurations, as text: none is enabled.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sbfs.bundles.foreign.found import Found, Letter, deliver, load_json, project_name
from sbfs.bundles.foreign.maestro import BOXES, Names, letter_of, put_agent
from sbfs.bundles.zips import Archive
from sbfs.configs.value import loaded
from sbfs.errors import Invalid, WrongFormat
from sbfs.record import Record

_VERSIONS = ("1.0.", "1.1.", "1.2.")
_KEPT_OUT = {
    "keys/": "private keys do not travel",
    "registrations/": "registrations do not travel",
    "agent.db": "is a database of another program",
}


def is_it(archive: Archive) -> bool:
    """Whether a zip is an exported agent."""
    return {"manifest.json", "registry.json"} <= archive.members.keys()


def read(archive: Archive) -> Found:
    """Read an agent's export. Raises WrongFormat for a version that is not known."""
    manifest, agent = archive.json("manifest.json"), archive.json("registry.json")
    if not isinstance(manifest, dict) or not isinstance(agent, dict):
        raise Invalid("is no agent's export", path=archive.name)
    if not str(manifest.get("version", "")).startswith(_VERSIONS):
        raise WrongFormat(manifest.get("version"), 1)
    name = project_name(str(agent.get("name") or agent.get("alias") or ""))
    if not name:
        raise Invalid("names its agent by nothing that can be a project", path=f"{archive.name}: registry.json")
    found = Found("ai-maestro-agent")
    names = Names(found, {str(agent.get("id")): agent})
    letters: dict[str, Letter] = {}
    for box in BOXES:
        for member in archive.members:
            if member.startswith(f"messages/{box}/"):
                _take(found, names, archive, member, box, letters)
    deliver(found, letters.values())
    put_agent(found, name, agent)
    _configurations(found, archive, name)
    _keep_out(found, archive, agent)
    return found


def _take(found: Found, names: Names, archive: Archive, member: str, box: str, letters: dict[str, Letter]) -> None:
    try:
        letter = letter_of(found, names, load_json(archive.read(member)), box, member)
    except Invalid as error:
        found.leave(member, error.why)
        return
    if letter is not None:
        letters.setdefault(letter.id, letter)


def _configurations(found: Found, archive: Archive, project: str) -> None:
    for member in archive.members:
        parts = member.split("/")
        if parts[0] not in ("skills", "hooks"):
            continue
        try:
            text = archive.read(member).decode("utf-8-sig")
        except UnicodeDecodeError:
            found.leave(member, "is no text")
            continue
        stem, _, ending = "-".join(parts).rpartition(".")
        known = ending in ("yaml", "json", "toml", "md")
        name = project_name(stem if known else "-".join(parts).replace(".", "-"))
        if not name:
            found.leave(member, "has no name that can be a configuration's")
            continue
        target = f"projects/{project}/config/{name}.{ending if known else 'md'}"
        data = (text if known else f"# {member}\n\n```\n{text.rstrip()}\n```\n").encode()
        try:
            loaded(Record.parse(target, data))
        except Invalid as error:
            found.leave(member, f"is no configuration: {error.why}")
            continue
        found.files[target] = data


def _keep_out(found: Found, archive: Archive, agent: Mapping[str, Any]) -> None:
    for member in archive.members:
        for beginning, why in _KEPT_OUT.items():
            if member.startswith(beginning):
                found.leave(member, why)
        if member.startswith("messages/") and not member.startswith(tuple(f"messages/{box}/" for box in BOXES)):
            found.leave(member, "lies in no box of messages")
    for key in ("tools", "sessions", "preferences", "metrics", "documentation"):
        if agent.get(key):
            found.leave(f"registry.json: {key}", "is about that machine")
