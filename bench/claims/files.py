"""Claims from a TOML file: `claims.toml` of the references, or one of a user. No torch here."""

import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from bench.claims.methods import Margin
from bench.claims.schema import Claim
from bench.errors import BenchError, UsageError

T = TypeVar("T", bound=BaseModel)


@cache
def load_claims() -> tuple[Claim, ...]:
    text = files("bench.reference").joinpath("claims.toml").read_text(encoding="utf-8")
    return parse(text)


def read(path: Path) -> tuple[Claim, ...]:
    """The claims in the file at ``path``; ``{here}`` in it stands for its folder.

    Raises:
        UsageError: it cannot be read, holds no claim, or one that cannot be tested.
    """
    try:
        text = path.read_text(encoding="utf-8")
        _refuse_other_shapes(tomllib.loads(text))
        return parse(text, str(path.parent), origin="own")
    except OSError as error:
        why = error.strerror or str(error)
    except (BenchError, ValueError) as error:  # of a claim; TOML or UTF-8
        why = str(error)
    raise UsageError(f"--file {path}: {why}")


def _refuse_other_shapes(content: dict[str, Any]) -> None:
    """Where a table stands where a list of them should, or the other way round."""
    if others := set(content) - {"claim", "margins"}:
        raise BenchError(f"{min(others)}: there are [[claim]] and [margins.NAME] only")
    claims, margins = content.get("claim"), content.get("margins", {})
    if not (_is_tables(claims) and claims):
        raise BenchError("a claim starts with [[claim]], and there is none")
    if not (isinstance(margins, dict) and _is_tables(list(margins.values()))):
        raise BenchError("a margin starts with [margins.NAME]")
    for claim in claims:
        if not isinstance(claim.get("test", {}), dict) or not _is_tables(claim.get("each", [])):
            raise BenchError(f"claim {claim.get('id')}: test is a table, each a list of tables")


def _is_tables(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict) for each in value)


def parse(text: str, here: str = "", **defaults: str) -> tuple[Claim, ...]:
    """The claims in ``text``, a TOML document; ``{here}`` in it stands for ``here``, its folder.

    ``defaults`` are of fields that a claim leaves out.

    Raises:
        BenchError: it is no TOML, or a claim cannot be tested; the message names the claim.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BenchError(f"the claims are not valid TOML: {error}") from error
    margins = {name: _checked(name, Margin, m) for name, m in content.get("margins", {}).items()}
    claims = tuple(
        _claim(defaults | entry, margins)
        for each in content.get("claim", [])
        for entry in _expanded(each, here)
    )
    ids = [claim.id for claim in claims]
    if twice := sorted({name for name in ids if ids.count(name) > 1}):
        raise BenchError(f"two claims have the id {twice[0]!r}")
    return claims


def _expanded(entry: dict[str, Any], here: str) -> Iterator[dict[str, Any]]:
    """One entry for each row of ``each``, whose values replace their names in braces."""
    rows = entry.get("each", [{}])
    rest = {key: value for key, value in entry.items() if key != "each"}
    for row in rows:
        yield _filled(rest, {"here": here} | row)


def _filled(value: Any, row: dict[str, Any]) -> Any:
    if isinstance(value, str):
        for name, text in row.items():
            value = value.replace(f"{{{name}}}", str(text))
        return value
    if isinstance(value, dict):
        return {key: _filled(item, row) for key, item in value.items()}
    return [_filled(item, row) for item in value] if isinstance(value, list) else value


def _claim(entry: dict[str, Any], margins: dict[str, Margin]) -> Claim:
    name = str(entry.get("id", "without an id"))
    wanted = entry.get("test", {}).get("margin")
    if wanted is not None and wanted not in margins:
        known = ", ".join(margins) or "none"
        raise BenchError(f"claim {name}: no margin {wanted!r}; there are {known}")
    return _checked(name, Claim, entry | {"margin": margins.get(wanted)})


def _checked(name: str, kind: type[T], value: Any) -> T:
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BenchError(f"claim {name}: {where or 'it'}: {first['msg']}") from error
