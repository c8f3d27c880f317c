"""Claims of a user's own: a file in the words of ``reference/claims.toml``. No torch here."""

import tomllib
from pathlib import Path
from typing import Any

from bench.claims.schema import Claim, parse
from bench.errors import BenchError, UsageError


def read(path: Path) -> tuple[Claim, ...]:
    """The claims in the file at ``path``; ``{here}`` in it stands for its folder.

    Raises:
        UsageError: it cannot be read, holds no claim, or one that cannot be tested.
    """
    try:
        text = path.read_text(encoding="utf-8")
        _refuse_other_shapes(tomllib.loads(text))
        return parse(text, str(path.parent))
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
