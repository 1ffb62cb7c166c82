"""Where flow says nothing: what is guessed, each with the variables that it depends on being empty.

All seeds are asked whether they are wanted before any of them acts, and only what flow alone says counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from sbfs.linking.values import GUESSED

if TYPE_CHECKING:
    from sbfs.linking.rules import Call, Hint, Load
    from sbfs.linking.solver import Solver
    from sbfs.linking.tables import File


class Seed(Protocol):
    """Something that is guessed if variables hold nothing."""

    @property
    def place(self) -> tuple[str, str]:
        """The file and the symbol that it belongs to, ("", "") for none."""

    def asks(self) -> Iterable[int]:
        """The variables on which it depends."""

    def about(self) -> Iterable[str]:
        """Names, and paths of files, whose meaning it depends on when it acts."""

    def wanted(self, solver: Solver) -> bool:
        """Whether flow left them empty."""

    def act(self, solver: Solver) -> None:
        """Add it."""


class Grounds:
    """What seeds are made from: files, and the loads, calls and annotations in them. whole: these are all of a project;
    otherwise they are what is new."""

    __slots__ = ("calls", "files", "hints", "loads", "whole")

    def __init__(
        self,
        files: Sequence[File],
        loads: Sequence[Load],
        calls: Sequence[Call],
        hints: Sequence[tuple[int, list[Hint]]],
        *,
        whole: bool,
    ):
        self.files, self.loads, self.calls, self.hints, self.whole = files, loads, calls, hints, whole


def seeds(solver: Solver, grounds: Grounds) -> Iterator[Seed]:
    """All that may be guessed, in the order in which it acts."""
    for policy in solver.project.in_use:
        yield from policy.seeds(solver, grounds)
    for variable, told in grounds.hints:
        if told:
            yield Annotation(variable, told)
    for file in grounds.files:
        for function in file.functions.values():
            for default, variable in function.default_pairs():
                yield Default((file.path, file.around(function.symbol.name)), default, variable)


class Whole:
    """All that a policy guesses, as one."""

    __slots__ = ("guess",)
    place = ("", "")

    def __init__(self, guess: Callable[[Solver], None]):
        self.guess = guess

    def asks(self) -> Iterable[int]:
        """Whatever its policy looks at."""
        return ()

    def about(self) -> Iterable[str]:
        """Nothing that it does not say."""
        return ()

    def wanted(self, _solver: Solver) -> bool:
        """Always; the policy decides what."""
        return True

    def act(self, solver: Solver) -> None:
        """Let the policy seed."""
        self.guess(solver)


class Annotation:
    """What is written of a variable of which flow says nothing."""

    __slots__ = ("told", "variable")

    def __init__(self, variable: int, told: list[Hint]):
        self.variable, self.told = variable, told

    @property
    def place(self) -> tuple[str, str]:
        """Where it is written."""
        unit = self.told[0].unit
        return unit.file.path, unit.name

    def asks(self) -> Iterable[int]:
        """The variable."""
        return (self.variable,)

    def about(self) -> Iterable[str]:
        """Nothing that it does not say."""
        return ()

    def wanted(self, solver: Solver) -> bool:
        """Whether nothing is known of it."""
        return solver.is_blank(self.variable)

    def act(self, solver: Solver) -> None:
        """Let it hold what is written."""
        for hint in self.told:
            hint.tell(solver, self.variable)


class Default:
    """The default of a parameter to which nobody gives anything."""

    __slots__ = ("default", "place", "variable")

    def __init__(self, place: tuple[str, str], default: int, variable: int):
        self.place, self.default, self.variable = place, default, variable

    def asks(self) -> Iterable[int]:
        """The parameter."""
        return (self.variable,)

    def about(self) -> Iterable[str]:
        """Nothing that it does not say."""
        return ()

    def wanted(self, solver: Solver) -> bool:
        """Whether it is empty."""
        return solver.is_empty(self.variable)

    def act(self, solver: Solver) -> None:
        """Let it hold the default."""
        solver.copy(self.default, self.variable, GUESSED)
