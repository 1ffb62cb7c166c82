"""What models cost: a dated table that ships with sbfs, and what users put over it.

A table is a mapping: `models`, a name → its price, or a list of prices with the day from which each
holds; `currency` (USD unless told), `date`, `sources`. A price gives money per million tokens of each
sort. A model without a price has none: nothing is guessed from a name that is alike.
"""

from __future__ import annotations

import fnmatch
import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sbfs import files, shared
from sbfs.errors import Invalid, NotFound
from sbfs.fetching import pattern
from sbfs.record import Record
from sbfs.store import SETTINGS, Store

SHIPPED = "templates/prices/prices.json"
"""JSON, since reading the same as YAML would take longer than counting a thousand conversations."""

SORTS = ("input", "output", "cache_creation", "cache_read", "cache_creation_hour")
"""Sorts of tokens, as `Tokens` orders them. `cache_creation_hour` is the part of `cache_creation` that is
kept for an hour."""

UNIT = 10**12
"""Money is summed as whole numbers of this part of the currency's unit, so that any order of adding up
and any split gives the same sum. A price has at most six decimals and is for a million tokens."""

_DATED = pattern(r"(.+?)[-@](?:20\d{6}|20\d\d-\d\d-\d\d|latest)")
_DAY = pattern(r"\d{4}-\d\d-\d\d")
_HINT = "give `input` and `output`, money per million tokens, and what else differs from `input`"


@dataclass(frozen=True)
class Price:
    """A model's price from a day on (`2026-10-07`, UTC; "": from the beginning). rates: millionths of the
    currency's unit per million tokens, as SORTS orders them; None: from that day on it is not known."""

    since: str
    rates: tuple[int, ...] | None

    def of(self, tokens: Sequence[int]) -> int:
        """What tokens cost, in parts of UNIT. tokens: how many, as SORTS orders them."""
        assert self.rates is not None
        input, output, creation, read, hour = tokens
        hour = min(hour, creation)
        counts = (input, output, creation - hour, read, hour)
        return sum(count * rate for count, rate in zip(counts, self.rates, strict=True))


@dataclass(frozen=True)
class Table:
    """Prices by model. date: as of which day. sources: where they come from, for people. origin: the
    file that says so, for people and errors."""

    models: Mapping[str, tuple[Price, ...]]
    currency: str = "USD"
    date: str = ""
    sources: tuple[str, ...] = ()
    origin: str = ""

    def find(self, model: str) -> tuple[Price, ...] | None:
        """A model's prices, oldest first: by its name, its name without the date behind it, or by the
        longest pattern with `*` that fits. None where there are none."""
        dated = _DATED.fullmatch(model)
        for name in (model, dated[1] if dated else ""):
            if name in self.models:
                return self.models[name]
        patterns = [name for name in self.models if "*" in name and fnmatch.fnmatchcase(model, name)]
        return self.models[max(patterns, key=len)] if patterns else None


class Prices:
    """Tables of one currency; the first that knows a model counts."""

    def __init__(self, tables: tuple[Table, ...]):
        self.tables = tables
        self._known: dict[str, tuple[Price, ...]] = {}
        self._by_day: dict[tuple[str, str], Price | None] = {}

    @property
    def currency(self) -> str:
        """What the money is counted in."""
        return self.tables[0].currency

    def at(self, model: str, day: str) -> Price | None:
        """A model's price on a day (`2026-02-11`, UTC; "": unknown, the newest counts)."""
        if (model, day) not in self._by_day:
            price = next((one for one in reversed(self._periods(model)) if not day or one.since <= day), None)
            self._by_day[model, day] = price if price and price.rates else None
        return self._by_day[model, day]

    def is_steady(self, model: str) -> bool:
        """Whether a model has one price for all days, or none."""
        return all(price.since == "" for price in self._periods(model))

    def _periods(self, model: str) -> tuple[Price, ...]:
        if model not in self._known:
            self._known[model] = next((found for one in self.tables if (found := one.find(model))), ())
        return self._known[model]


def of(store: Store, given: str | Path = "") -> Prices:
    """The prices that count for a store: of a file, of `prices` in sbfs.yaml, of the table that ships.

    given: path of a file like the shipped one. A table of another currency than the first one's is
    left out, since sums would mix them. Raises NotFound, or Invalid with file and field.
    """
    tables = [_of_file(Path(given))] if given else []
    tables += [*_of_settings(store), _shipped()]
    return Prices(tuple(one for one in tables if one.currency == tables[0].currency))


def _of_file(path: Path) -> Table:
    raw = files.read(path)
    if raw is None:
        raise NotFound("price file", str(path), hint="name a YAML or JSON file with `models`")
    record = Record.parse(str(path), raw)
    try:
        return load(record.data, origin=str(path))
    except Invalid as error:
        raise error.at(str(path), record.line_of(error.field)) from None


def _of_settings(store: Store) -> Iterator[Table]:
    raw = store.view().read(SETTINGS) or b""
    # Reading YAML is slow; most stores say nothing of prices.
    said = store.settings().get("prices") if b"prices" in raw else None
    if said is not None:
        try:
            yield load(said, origin=SETTINGS, field="prices.")
        except Invalid as error:
            raise error.at(SETTINGS) from None


@functools.cache
def _shipped() -> Table:
    return load(Record.parse(SHIPPED, shared.read(SHIPPED).encode()).data, origin="")


def load(data: Any, *, origin: str = "", field: str = "") -> Table:
    """A table from plain data. field: what its fields' names begin with in errors. Raises Invalid."""
    if not isinstance(data, Mapping) or not isinstance(data.get("models"), Mapping):
        raise Invalid("must be a mapping with `models`", field=f"{field}models", hint=_HINT)
    for name in ("currency", "date"):
        if not isinstance(data.get(name, ""), str):
            raise Invalid("must be text", field=field + name)
    if data.get("date") and not _DAY.fullmatch(data["date"]):
        raise Invalid(f"{data['date']!r} is no day", field=f"{field}date", hint="write it as 2026-11-22")
    sources = data.get("sources") or {}
    if not isinstance(sources, Mapping):
        raise Invalid("must be a mapping of names to addresses", field=f"{field}sources")
    return Table(
        {str(name): _prices(one, f"{field}models.{name}") for name, one in data["models"].items()},
        currency=data.get("currency") or "USD",
        date=data.get("date", ""),
        sources=tuple(map(str, sources.values())),
        origin=origin,
    )


def _prices(data: Any, field: str) -> tuple[Price, ...]:
    periods = data if isinstance(data, list) else [data]
    prices = tuple(_price(one, field) for one in periods)
    days = [one.since for one in prices]
    if not prices or days != sorted(set(days)):
        raise Invalid("must list its prices by the day from which they hold, oldest first", field=field)
    return prices


def _price(data: Any, field: str) -> Price:
    if not isinstance(data, Mapping):
        raise Invalid("must be a price", field=field, hint=_HINT)
    since = data.get("from", "")
    if since and (not isinstance(since, str) or not _DAY.fullmatch(since)):
        raise Invalid(f"{since!r} is no day", field=field, hint="write it as 2026-11-22")
    if unknown := {*data} - {*SORTS, "from"}:
        raise Invalid(f"{min(map(str, unknown))!r} is none of {', '.join(SORTS)}", field=field, hint=_HINT)
    if {*data} == {"from"}:
        return Price(since, None)
    if "input" not in data or "output" not in data:
        raise Invalid("needs `input` and `output`", field=field, hint=_HINT)
    # What the cache takes is input: where a table says no more, it costs what input costs.
    creation = data.get("cache_creation", data["input"])
    said = {**dict.fromkeys(SORTS, data["input"]), "cache_creation": creation, "cache_creation_hour": creation, **data}
    return Price(since, tuple(_rate(said[sort], field) for sort in SORTS))


def _rate(value: Any, field: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e6:
        raise Invalid(f"{value!r} is no price", field=field, hint=_HINT)
    return round(value * 10**6)
