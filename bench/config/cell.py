"""The unit that is trained, measured and reported. No torch here."""

from typing import Literal, Self

from pydantic import Field, PositiveInt, model_validator

from bench.config.recipe import LARGEST_COUNT, Frozen, Recipe
from bench.data.datasets import find
from bench.errors import UsageError
from resnet_models import MODELS, Definition, define
from resnet_models.custom import PREFIX, Factory
from resnet_models.spec import Lineage, Shortcut, Stem


class NamedNetwork(Frozen):
    """A network of the catalog, but for its input channels and classes."""

    model: str
    # "custom": of a network of a user's own, only its module knows
    lineage: Literal[Lineage, "custom"]
    stem: Literal[Stem, "custom"]
    shortcut: Literal[Shortcut, "custom"]

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
        """Of the catalog; a ValueError where it has no such network."""
        if "custom" in (self.lineage, self.stem, self.shortcut):
            raise ValueError(f"{self.model} is not in the catalog: nothing else is custom there")
        assert self.lineage != "custom"
        assert self.stem != "custom"
        assert self.shortcut != "custom"
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


class CustomNetwork(Frozen):
    """Where a network of a user's own comes from, for a record that is read without its module."""

    factory: str  # package.module:callable
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")  # of the module's file
    layers: PositiveInt  # its convolutions and fully connected layers


class Cell(NamedNetwork):
    """Its names form a folder name."""

    model: str = Field(pattern=r"^[a-z0-9_]+$")
    dataset: str = Field(pattern=r"^[a-z0-9]+$")
    recipe: str = Field(pattern=r"^[a-z0-9_]+$")
    seed: int = Field(ge=0, lt=LARGEST_COUNT)
    custom: CustomNetwork | None = None  # None: the network is of the catalog

    @property
    def depth(self) -> int:
        """Layers with weights; of a custom network also projections, if it has any."""
        return self.custom.layers if self.custom else super().depth

    @property
    def network(self) -> str:
        """A custom network is the only one of its name."""
        return self.model if self.custom else super().network

    @property
    def id(self) -> str:
        variant = self.model if self.custom else f"{self.name}-{self.lineage}-{self.stem}"
        return f"{variant}-{self.dataset}-{self.recipe}-seed{self.seed}"

    @model_validator(mode="after")
    def _exists(self) -> Self:
        if self.custom is None:
            self.define()
        elif not self.model.startswith(PREFIX) or {self.lineage, self.stem, self.shortcut} != {
            "custom"
        }:
            raise ValueError(f"{self.model}: a custom network has a name with {PREFIX} only")
        return self


def custom_cell(factory: Factory, dataset: str, recipe: Recipe) -> Cell:
    """The cell of a network of a user's own, seed 0; it is built once to see that it fits.

    Raises:
        UsageError: it does not; the message says why.
    """
    spec = find(dataset)
    channels, resolution = spec.channels, spec.resolution
    try:
        layers = factory.layers(
            in_channels=channels, num_classes=spec.classes, resolution=resolution
        )
    except ValueError as error:
        raise UsageError(f"--network {error}") from None
    return Cell(
        model=factory.model, lineage="custom", stem="custom", shortcut="custom",
        dataset=dataset, recipe=recipe.name, seed=0,
        custom=CustomNetwork(factory=factory.path, sha256=factory.sha256, layers=layers),
    )  # fmt: skip
