"""The unit that is trained, measured and reported. No torch here."""

from typing import Self

from pydantic import Field, model_validator

from bench.config.recipes import Frozen
from resnet_models import MODELS, define
from resnet_models.spec import Lineage, Shortcut, Stem


class Cell(Frozen):
    """The unit that is trained, measured and reported. Its names form a folder name."""

    model: str
    lineage: Lineage
    stem: Stem
    shortcut: Shortcut
    dataset: str = Field(pattern=r"^[a-z0-9]+$")
    recipe: str = Field(pattern=r"^[a-z0-9_]+$")
    seed: int = Field(ge=0)

    @property
    def id(self) -> str:
        """Folder name of the record; unique among all cells."""
        published = self.shortcut == MODELS[self.model].shortcuts[0]
        model = self.model if published else f"{self.model}_option{self.shortcut}"
        return f"{model}-{self.lineage}-{self.stem}-{self.dataset}-{self.recipe}-seed{self.seed}"

    @property
    def depth(self) -> int:
        """Number of weighted layers: 50 for ``resnet50``."""
        return MODELS[self.model].depth

    @property
    def network(self) -> str:
        """The model's name without its depth: ``cifar_resnet`` for ``cifar_resnet110``."""
        return MODELS[self.model].network

    @model_validator(mode="after")
    def _exists(self) -> Self:
        define(self.model, lineage=self.lineage, stem=self.stem, shortcut=self.shortcut)
        return self
