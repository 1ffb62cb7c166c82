"""The command line. Starting it loads click and the table below, and nothing else."""

from __future__ import annotations

import sys
from typing import NoReturn

from sbfs.cli.base import App, Group, LazyGroup, guarded, root_options

COMMANDS = {
    "init": ("sbfs.cli.store", "Make a store in a new or empty folder."),
    "status": ("sbfs.cli.store", "Show the store and people's unsaved edits."),
    "save": ("sbfs.cli.store", "Check and commit edits made by hand; send mail written by hand."),
    "log": ("sbfs.cli.store", "Show what happened, newest first."),
    "undo": ("sbfs.cli.store", "Take back the last operation, or a given one."),
    "check": ("sbfs.cli.store", "Look the store over; with --fix, mend it."),
    "redact": ("sbfs.cli.store", "Take a secret that slipped through out of every current record."),
    "clone": ("sbfs.cli.sync", "Make a store from another one's repository."),
    "sync": ("sbfs.cli.sync", "Meet a remote: save edits, fetch, merge by meaning, push."),
    "remote": ("sbfs.cli.sync", "The repositories that this store syncs with."),
    "conflicts": ("sbfs.cli.sync", "Values that lost a merge: list them, settle them."),
    "watch": ("sbfs.cli.sync", "Print new mail as it arrives, until interrupted."),
    "project": ("sbfs.cli.project", "The parties that send and receive, and groups of them."),
    "group": ("sbfs.cli.project", "Groups of projects (short for project group)."),
    "message": ("sbfs.cli.message", "Mail between projects."),
    "send": ("sbfs.cli.message", "Send a message (short for message send)."),
    "inbox": ("sbfs.cli.message", "List the mail a project received, newest first."),
    "outbox": ("sbfs.cli.message", "List the mail a project sent, and what became of it."),
    "reflection": ("sbfs.cli.reflection", "What was learnt, with where it came from."),
    "quality": ("sbfs.cli.quality", "What was measured of projects and conversations, and how it moved."),
    "config": ("sbfs.cli.config", "Settings, instructions and skills of agents, kept as they were written."),
    "search": ("sbfs.cli.search", "Find what a question asks for, in everything the store knows."),
    "context": ("sbfs.cli.context", "Gather what an agent should know for a question, within a budget of tokens."),
    "index": ("sbfs.cli.search", "The search index: a cache below .git/sbfs that follows the branch by itself."),
    "conversation": ("sbfs.cli.conversation", "Conversations with agents, imported from their transcripts."),
    "graph": ("sbfs.cli.graph", "The code graph of projects: who calls what, and what a change reaches."),
    "docs": ("sbfs.cli.docs", "What projects document: their code of itself, and their prose by section."),
    "stats": ("sbfs.cli.stats", "Count mail, conversations, quality and what was done, of a span."),
    "dashboard": ("sbfs.cli.stats", "Write one page on which people see how the team does."),
    "export": ("sbfs.cli.bundle", "Write projects, or all of the store, into one file that other stores import."),
    "import": ("sbfs.cli.bundle", "Bring in a bundle or zip of a store, or what another system left."),
    "backup": ("sbfs.cli.bundle", "Put what is new in the store since the last time into a folder, checked."),
    "restore": ("sbfs.cli.bundle", "Make a store from backups, in a new or empty folder."),
    "bundle": ("sbfs.cli.bundle", "Files that carry a part of a store."),
    "mcp": ("sbfs.cli.agents", "Serve the store to an agent over MCP, on standard input and output."),
    "hooks": ("sbfs.cli.hooks", "Tie the store to other programs: Git, Claude Code."),
    "hook": ("sbfs.cli.hooks", "Do what a hook is for."),
    "merge-driver": ("sbfs.cli.sync", "Merge one record for Git."),
    "upkeep": ("sbfs.cli.sync", "Do now what sbfs else does by itself in the background."),
    "tour": ("sbfs.cli.tour", "Build a store in a fresh folder and show what sbfs does."),
}
"""Name → the module that holds the command `<name>`, and its help line."""


@root_options(LazyGroup, COMMANDS)
def cli(app: App) -> None:
    """Keep what a team of coding agents knows as plain files in one Git repository.

    The store is --store, else $SBFS_STORE, else the nearest parent folder that is one, else the
    default in your data folder.
    """


def main() -> NoReturn:
    """Run the command line and exit."""
    sys.exit(guarded(cli, sys.argv[1:]))


__all__ = ["Group", "cli", "main"]
