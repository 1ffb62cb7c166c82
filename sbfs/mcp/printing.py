"""What to paste into an agent's program so that it starts the server."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence

PROGRAMS = ("claude-code", "claude-desktop", "cursor", "vscode", "codex", "gemini")


def entry(program: str, command: Sequence[str]) -> tuple[str, str]:
    """(where it belongs, the text) for one of PROGRAMS. command: how the server is started."""
    start = {"command": command[0], "args": [*command[1:]]}
    if program == "claude-code":
        return "a shell, in the project's folder", f"claude mcp add sbfs -- {shlex.join(command)}"
    if program == "codex":
        args = json.dumps(start["args"], ensure_ascii=False)
        text = f"[mcp_servers.sbfs]\ncommand = {json.dumps(command[0], ensure_ascii=False)}\nargs = {args}"
        return "~/.codex/config.toml", text
    place, above = {
        "claude-desktop": ("claude_desktop_config.json", "mcpServers"),
        "cursor": (".cursor/mcp.json", "mcpServers"),
        "vscode": (".vscode/mcp.json", "servers"),
        "gemini": (".gemini/settings.json", "mcpServers"),
    }[program]
    return place, json.dumps({above: {"sbfs": start}}, ensure_ascii=False, indent=2)
