"""What all commands share: finding the store, the common options, printing answers and errors."""

from __future__ import annotations

import importlib
import math
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

# json and pathlib are fetched where they are used: they are a sixth of what `sbfs --help` takes.
if TYPE_CHECKING:
    from pathlib import Path

    from sbfs.errors import Error
    from sbfs.store import Store

Document = dict[str, Any]


class App:
    """One call of the command line. json, quiet, verbose: what the options say."""

    def __init__(self) -> None:
        self.root: str | None = None
        self.json = False
        self.quiet = False
        self.verbose = False
        self._store: Store | None = None

    @property
    def store(self) -> Store:
        """The store that this call works on."""
        if self._store is None:
            from sbfs.store import Store

            self._store = Store.open(find_store(self.root), lock_wait=lock_wait())
        return self._store

    @property
    def actor(self) -> str:
        """Who acts where no project does: Git's user."""
        from sbfs.git.identity import user

        return user(self.store.repo, os.environ)

    def run(self, verb: str, show: Callable[[Document], None], **arguments: Any) -> None:
        """Call a verb and print its document: as JSON, or as `show` does for people."""
        from sbfs import verbs

        self.answer(verbs.run(verb, self.store, **arguments), show)

    def answer(self, document: Document, show: Callable[[Document], None]) -> None:
        """Print a document and leave with 1 where it is no success."""
        try:
            if self.json:
                print_json(document)
            elif not self.quiet:
                show(document)
                _tell_redacted(document)
            sys.stdout.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            if error.filename is not None:
                raise
            from sbfs.errors import Failed

            why = f"the answer cannot be written: {(error.strerror or str(error)).lower()}"
            raise Failed(why, hint="what was asked for is done") from None
        if not document["success"]:
            raise click.exceptions.Exit(1)


def print_json(document: Document) -> None:
    """One JSON document on standard output."""
    import json

    indent = 2 if sys.stdout.isatty() else None
    try:
        text = json.dumps(document, ensure_ascii=False, indent=indent, default=str, allow_nan=False)
    except ValueError:
        text = json.dumps(_finite(document), ensure_ascii=False, indent=indent, default=str)
    click.echo(text.encode("utf-8", "replace").decode())


def _finite(value: Any) -> Any:
    """The same with null for what JSON has no number for: YAML's .nan and .inf."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _tell_redacted(document: Document) -> None:
    if taken := document.get("redacted"):
        what = ", ".join(f"{count} {type}" for type, count in sorted(taken.items()))
        click.echo(f"taken out before it reached Git: {what}", err=True)


# -- finding the store -----------------------------------------------------------------------------


def find_store(given: str | None) -> Path:
    """The folder of the store: the option, $SBFS_STORE, the nearest parent that is one, the default."""
    from pathlib import Path

    if named := given or os.environ.get("SBFS_STORE"):
        return Path(named).expanduser()
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "sbfs.yaml").is_file() and (folder / ".git").exists():
            return folder
    default = default_store()
    if default.is_dir():
        return default
    from sbfs.errors import NotAStore

    raise NotAStore(
        str(here), why="neither is a parent of it", hint="make one with 'sbfs init DIR', or name one with --store"
    )


def default_store() -> Path:
    """The store in the user's data folder."""
    from pathlib import Path

    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "sbfs"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "sbfs"


def exports_folder() -> Path:
    """Where exports go that are given no name: beside the default store, in the user's data folder."""
    return default_store().with_name("sbfs-exports")


def lock_wait() -> float:
    """Seconds to wait for another writer: $SBFS_LOCK_WAIT, else 30."""
    try:
        return float(os.environ.get("SBFS_LOCK_WAIT", "30"))
    except ValueError:
        return 30.0


# -- commands --------------------------------------------------------------------------------------


def _set(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def callback(context: click.Context, _: click.Parameter, value: Any) -> None:
        if value not in (None, False):
            setattr(context.ensure_object(App), name, value)

    return callback


def _common_options() -> list[click.Parameter]:
    def flag(names: Sequence[str], target: str, help: str) -> click.Option:
        return click.Option(names, is_flag=True, expose_value=False, callback=_set(target), is_eager=True, help=help)

    store = click.Option(
        ["--store"], metavar="DIR", expose_value=False, callback=_set("root"), is_eager=True, help="The store's folder."
    )
    return [
        store,
        flag(["--json"], "json", "Answer with one JSON document."),
        flag(["-q", "--quiet"], "quiet", "Print nothing but errors."),
        flag(["-v", "--verbose"], "verbose", "Say more, also of errors."),
    ]


class Command(click.Command):
    """A command that takes the common options behind its own name, too."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        # Docstrings are raw; click looks for the character that stands before lines that are not to be joined.
        self.help = self.help and self.help.replace("\\b\n", "\b\n")
        self.context_settings.setdefault("help_option_names", ["-h", "--help"])
        _add_common_options(self)


def _add_common_options(command: click.Command) -> None:
    taken = {name for parameter in command.params for name in parameter.opts}
    command.params += [one for one in _common_options() if not taken & set(one.opts)]


class Group(click.Group):
    """A noun: its commands are verbs."""

    command_class = Command
    group_class = type

    def __init__(self, *args: Any, **kwargs: Any):
        kwargs.setdefault("context_settings", {"help_option_names": ["-h", "--help"]})
        super().__init__(*args, **kwargs)
        _add_common_options(self)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with near names where there is none."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            raise _with_near_names(error, args[0], self.list_commands(ctx)) from None


def _with_near_names(error: click.UsageError, name: str, known: Sequence[str]) -> click.UsageError:
    import difflib

    near = difflib.get_close_matches(name, known, n=3)
    if near and "Did you mean" not in error.message:
        return click.UsageError(f"{error.message} Did you mean {', '.join(near)}?", error.ctx)
    return error


class LazyGroup(Group):
    """The root: it knows its commands' names and help lines, and loads one when it is called."""

    def __init__(self, *args: Any, table: Mapping[str, tuple[str, str]], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names in the order of the table."""
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command by its name."""
        if cmd_name not in self.table:
            return None
        module = importlib.import_module(self.table[cmd_name][0])
        command: click.Command = getattr(module, f"{cmd_name.replace('-', '_')}_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, help) for name, (_, help) in self.table.items()])


def root_options(
    cls: type[LazyGroup], table: Mapping[str, tuple[str, str]]
) -> Callable[[Callable[..., None]], LazyGroup]:
    """Make the root group of a function."""

    def decorate(function: Callable[..., None]) -> LazyGroup:
        group = cls(
            name="sbfs",
            callback=click.pass_obj(function),
            help=function.__doc__,
            params=[_version_option()],
            table=table,
        )
        group.no_args_is_help = True
        return group

    return decorate


def _version_option() -> click.Option:
    def show(context: click.Context, _: click.Parameter, value: bool) -> None:
        if value:
            from sbfs import __version__

            click.echo(f"sbfs {__version__}")
            context.exit()

    return click.Option(
        ["--version"], is_flag=True, expose_value=False, is_eager=True, callback=show, help="Show the version."
    )


def pass_app(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command's function the App as its first argument."""
    return click.pass_obj(function)


# -- running ---------------------------------------------------------------------------------------


def guarded(command: click.Command, arguments: Sequence[str]) -> int:
    """Run a command; whatever goes wrong becomes one sentence and an exit status."""
    app = App()
    try:
        result = command.main(args=list(arguments), prog_name="sbfs", standalone_mode=False, obj=app)
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except click.Abort:
        return _fail(app, "interrupted", "interrupted", "", 130)
    except click.UsageError as error:
        return _usage(app, error, "--json" in arguments)
    except click.ClickException as error:
        return _fail(app, error.format_message(), "failed", "", error.exit_code)
    except (BrokenPipeError, SystemExit):
        # The reader of a pipe went away (`sbfs log | head`), which is why alone click exits by itself: nothing is
        # left to be said.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except Exception as error:  # noqa: BLE001 - the last line of defence: no traceback reaches a user
        return _other(app, error)
    finally:
        if app._store is not None:
            app._store.close()


def _other(app: App, error: Exception) -> int:
    from sbfs.errors import Error

    if isinstance(error, Error):
        return _print_error(app, error)
    if app.verbose:
        import traceback

        traceback.print_exc()
    where = f" ({error.filename})" if isinstance(error, OSError) and error.filename else ""
    what = error.strerror if isinstance(error, OSError) and error.strerror else f"{type(error).__name__}: {error}"
    hint = "" if isinstance(error, OSError) else "this is a fault of sbfs; -v shows where"
    return _fail(app, f"{what}{where}", "failed", hint, 1)


def _print_error(app: App, error: Error) -> int:
    document: Document = {}
    if app.json:
        from sbfs.verbs import error_document

        document = error_document(error)
    _tell(app, document, error.sentence, error.hint)
    return error.exit_code


def _usage(app: App, error: click.UsageError, json_asked: bool) -> int:
    path = error.ctx.command_path if error.ctx else "sbfs"
    app.json = app.json or json_asked
    if isinstance(error, click.exceptions.NoArgsIsHelpError) and error.ctx:
        if not app.json:
            click.echo(error.ctx.get_help(), err=True)
            return 2
        error = click.UsageError("Missing command", error.ctx)
    return _fail(app, error.format_message().rstrip("."), "usage", f"see '{path} --help'", 2)


def _fail(app: App, sentence: str, code: str, hint: str, status: int) -> int:
    _tell(app, {"success": False, "error": sentence, "code": code, "hint": hint}, sentence, hint)
    return status


def _tell(app: App, document: Document, sentence: str, hint: str) -> None:
    """Say an error: as JSON where that is asked for, and as long as anything can be written there."""
    if app.json:
        try:
            print_json(document)
            sys.stdout.flush()
        except BrokenPipeError:
            pass
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        else:
            return
    _say_error(sentence, hint)


def _say_error(sentence: str, hint: str) -> None:
    label = click.style("error:", fg="red", bold=True) if sys.stderr.isatty() else "error:"
    click.echo(f"{label} {printable(sentence)}", err=True)
    if hint:
        click.echo(f"  {printable(hint)}", err=True)


def printable(text: str) -> str:
    """A text without what a terminal would take for commands; line ends and tabs stay."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in _HARMLESS else repr(char)[1:-1] for char in text)


# Line ends, tabs, the spaces of all scripts, and what joins or parts letters and emoji.
_HARMLESS = "\n\t\u00a0\u1680\u202f\u205f\u3000\u200c\u200d" + "".join(map(chr, range(0x2000, 0x200B)))
