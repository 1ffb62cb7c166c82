"""Rails' convention of names: which path a constant stands for."""

from __future__ import annotations

import re
from collections.abc import Iterable


def underscored(name: str, acronyms: Iterable[str] = ()) -> str:
    """The path of a constant: `Shop::TaxRate` is `shop/tax_rate`; with the acronym `RESTful`, `RESTfulApi` is
    `restful_api`.

    acronyms: what a project's inflections say is one word.
    """
    for acronym in sorted(acronyms, key=len, reverse=True):
        name = re.sub(rf"{re.escape(acronym)}(?=[A-Z\d:]|$)", acronym.capitalize(), name)
    name = re.sub(r"([A-Z\d]+)([A-Z][a-z])", r"\1_\2", name.replace("::", "/"))
    return re.sub(r"([a-z\d])([A-Z])", r"\1_\2", name).lower()
