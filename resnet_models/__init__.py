"""The networks of He et al., "Deep Residual Learning for Image Recognition" (arXiv:1512.03385)."""

from resnet_models.catalog import MODELS
from resnet_models.definition import Definition, build, define
from resnet_models.spec import ModelSpec

__all__ = ["MODELS", "Definition", "ModelSpec", "build", "define"]
