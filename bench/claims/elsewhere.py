"""Claims that nothing run here can test: the printed number, and what others got."""

from bench.claims.methods import Elsewhere
from bench.claims.outcome import Outcome
from bench.claims.schema import Claim
from bench.formats import number
from bench.reference.printed import look_up


def elsewhere(claim: Claim, test: Elsewhere) -> Outcome:
    """Never run; the reason says what it needs and what others got."""
    told = f"needs {test.needs}; printed {look_up(test.reference).value:g}{test.unit}"
    values = [each.value for each in claim.others]
    if values:
        span = " to ".join(number(value, 1) for value in sorted({min(values), max(values)}))
        told = f"{told}; others got {span} % ({len(values)} results, tested in other ways too)"
    return Outcome(verdict="not run", reason=told, test="none here")
