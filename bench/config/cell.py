"""The unit that is trained, measured and reported. No torch here."""

from typing import Self

from pydantic import Field, model_validator

from bench.config.recipes import Frozen
from resnet_models import MODELS, Definition, define
from resnet_models.spec import Lineage, Shortcut, Stem


class NamedNetwork(Frozen):
    """A network of the catalog, but for its input channels and classes."""

    model: str
    lineage: Lineage
    stem: Stem
    shortcut: Shortcut

    @property
    def name(self) -> str:
        """The model's, with the shortcut where it is not the published one."""
        published = self.shortcut == MODELS[self.model].shortcuts[0]
        return self.model if published else f"{self.model}_option{self.shortcut}"

    @property
    def depth(self) -> int:
        return MODELS[self.model].depth

    @property
    def network(self) -> str:
        """The model's name without its depth: ``cifar_resnet`` for ``cifar_resnet110``."""
        return MODELS[self.model].network

    def define(self, *, in_channels: int = 3, num_classes: int | None = None) -> Definition:
        return define(
            self.model,
            lineage=self.lineage,
            stem=self.stem,
            shortcut=self.shortcut,
            in_channels=in_channels,
            num_classes=num_classes,
        )

    @model_validator(mode="after")
    def _exists(self) -> Self:
        self.define()
        return self


class Cell(NamedNetwork):
    """Its names form a folder name."""

    dataset: str = Field(pattern=r"^[a-z0-9]+$")
    recipe: str = Field(pattern=r"^[a-z0-9_]+$")
    seed: int = Field(ge=0)

    @property
    def id(self) -> str:
        variant = f"{self.name}-{self.lineage}-{self.stem}"
        return f"{variant}-{self.dataset}-{self.recipe}-seed{self.seed}"
