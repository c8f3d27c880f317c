"""The ledger at a glance: how many claims of each kind have which verdict."""

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from bench.claims.verdict import WORDS, Verdict, Word
from bench.report.claims import by_title
from bench.report.figures import findings
from bench.report.figures.chart import Chart, make_chart
from bench.report.figures.readings import Reading, tell
from bench.report.figures.svg import DOWN, PAGE, SIZE, SOFT, TEXT, UP

MARKS: Final[dict[Word, str]] = {
    "reproduced": "✓",
    "refuted": "✗",
    "inconclusive": "?",
    "not run": "–",
}
# Face and text of a segment; a mark tells verdicts apart without colour.
_COLOURS: Final[dict[Word, tuple[str, str]]] = {
    "reproduced": (UP, PAGE),
    "refuted": (DOWN, PAGE),
    "inconclusive": (SOFT, PAGE),
    "not run": (PAGE, TEXT),
}
_ROW_INCHES: Final = 0.42
_LEGEND_INCHES: Final = 0.36


def verdict_chart(verdicts: Sequence[Verdict]) -> Chart:
    """One stacked bar for each kind of claim, as long as there are claims."""
    counts = {
        title: Counter(each.word for each in found) for title, found in by_title(verdicts).items()
    }
    listed = "; ".join(
        f"{title}: " + ", ".join(f"{words[word]} {word}" for word in WORDS if words[word])
        for title, words in counts.items()
    )
    data = pd.DataFrame(
        {"kind": title, **{word: words[word] for word in WORDS}} for title, words in counts.items()
    )
    return make_chart(
        "verdicts",
        "",
        "Verdicts by kind of claim",
        f"Number of claims of each kind by verdict. {listed}",
        partial(_draw, counts=counts),
        data,
        finding=findings.ledger(Counter(each.word for each in verdicts)),
        size=(SIZE[0], _LEGEND_INCHES + _ROW_INCHES * len(counts)),
    )


def _draw(axes: Axes, counts: dict[str, Counter[Word]]) -> None:
    longest = max(words.total() for words in counts.values())
    for place, (title, words) in enumerate(counts.items()):
        axes.annotate(
            f"{title} · {words.total()}", (0, place), xytext=(0, 13), textcoords="offset points",
            va="center", fontsize=8.5,
        )  # fmt: skip
        start = 0
        for word in WORDS:
            count = words[word]
            if not count:
                continue
            face, text = _COLOURS[word]
            (bar,) = axes.barh(place, count, left=start, height=0.42, color=face, edgecolor=TEXT,
                               linewidth=0.6)  # fmt: skip
            tell(bar, Reading(who=f"{title}, {word}", value=count, unit="", write=str))
            # A mark alone where the segment has no room for its number.
            label = MARKS[word] if count == 1 else f"{MARKS[word]}\u2009{count}"
            axes.annotate(label, (start + count / 2, place), ha="center", va="center",
                          color=text, fontsize=8)  # fmt: skip
            start += count
    axes.set_xlim(0, longest)
    axes.set_ylim(len(counts) - 0.6, -0.6)
    axes.set_axis_off()
    height = _LEGEND_INCHES + _ROW_INCHES * len(counts)
    axes.set_position((0.005, 0.0, 0.99, 1 - _LEGEND_INCHES / height))
    axes.legend(
        handles=[
            Patch(facecolor=_COLOURS[word][0], edgecolor=TEXT, linewidth=0.6,
                  label=f"{MARKS[word]} {word}")
            for word in WORDS
        ],
        loc="lower left", ncol=4, fontsize=8.5, frameon=False, bbox_to_anchor=(0, 1),
        borderaxespad=0.5, borderpad=0, handlelength=1, handleheight=1, columnspacing=1.2,
    )  # fmt: skip
