"""The networks of He et al., "Deep Residual Learning for Image Recognition" (arXiv:1512.03385)."""

from resnet_models.catalog import MODELS, ModelSpec, build
from resnet_models.resnet import ResNet

__all__ = ["MODELS", "ModelSpec", "ResNet", "build"]
