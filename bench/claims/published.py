"""What the published records show, kept with the package: no page needs a training to tell it.

``python -m bench.claims.published`` judges all of ``reports/published`` together and writes the
file again; a test holds the two in step. No torch here.
"""

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter

from bench.claims.evidence import Sample
from bench.claims.ledger import judge_observed
from bench.claims.measures import Observed, observe
from bench.claims.verdict import Word
from bench.config.recipe import Frozen
from bench.records import store
from bench.records.store import RUNS

FOLDER: Final = Path(__file__).parents[2] / "reports" / "published"
"""In a checkout; an installed package has the file alone."""


class Published(Frozen):
    """The verdict of one claim on all published records.

    Attributes:
        reason: why, one sentence.
        records: the folders of those it rests on, within ``reports/published``.
    """

    word: Word
    reason: str
    records: tuple[str, ...]


_FILE: Final = TypeAdapter(dict[str, Published])


@cache
def load_published() -> dict[str, Published]:
    """By the id of the claim; those that were not run are left out."""
    return _FILE.validate_json(files("bench.reference").joinpath("published.json").read_bytes())


def judge_published(folder: Path = FOLDER) -> dict[str, Published]:
    """The verdicts that rest on a record of any folder in ``folder``.

    Raises:
        BenchError: one of them cannot be read.
    """
    places: dict[tuple[str, str], str] = {}
    observed: list[Observed] = []
    paths = [path.parent for path in folder.glob(f"*/{RUNS}/*/{store.RECORD_FILE}")]
    records = [(path, store.load(path)) for path in paths]
    for path, record in sorted(records, key=lambda each: each[1].finished_at):
        # The newest of a cell, as the ledger takes it.
        places[record.cell.id, record.engine.precision] = path.relative_to(folder).as_posix()
        observed.append(observe(record))
    return {
        verdict.claim.id: Published(
            word=verdict.word,
            reason=verdict.reason,
            records=tuple(place for sample in verdict.samples for place in _of(sample, places)),
        )
        for verdict in judge_observed(observed)
        if verdict.samples
    }


def _of(sample: Sample, places: dict[tuple[str, str], str]) -> list[str]:
    """The folders of a sample, which is of one precision where that matters."""
    by_cell = {cell: place for (cell, _), place in places.items()}
    return [places.get((cell, sample.engine), by_cell[cell]) for cell in sample.records]


if __name__ == "__main__":
    found = {name: each.model_dump() for name, each in judge_published().items()}
    content = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
    Path(str(files("bench.reference").joinpath("published.json"))).write_text(content, "utf-8")
    words = [each["word"] for each in found.values()]
    print(
        f"{len(words)} verdicts: " + ", ".join(f"{words.count(w)} {w}" for w in sorted(set(words)))
    )
