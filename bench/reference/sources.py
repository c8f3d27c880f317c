"""What all reference files have in common: strict types, and a source for every number.

No torch here.
"""

from importlib.resources import files
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Percent = Annotated[float, Field(ge=0, le=100)]

# printed            stands so in the source, in a table, a text or a log
# read off a plot    measured in a figure
# computed           follows from definitions
# reported by others not a number of the authors
How = Literal["printed", "read off a plot", "computed", "reported by others"]


class Reference(BaseModel):
    """Part of a reference file: a field that is missing, misspelt or of another type is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Part(Reference):
    """What is read of an object of the file; its other fields are left alone."""

    model_config = ConfigDict(extra="ignore")


class Sourced(Reference):
    """Numbers and where they are from; that holds for objects inside without a source as well."""

    source: str = Field(min_length=1, description="table, section or figure; or repository, file")
    how: How
    verified: bool = Field(description="compared with the source, or computed")


def read(name: str) -> str:
    return files("bench.reference").joinpath(name).read_text(encoding="utf-8")
