"""Benchmark-and-report harness for the ResNets of He et al., 2015 (arXiv:1512.03385)."""

import os

__version__ = "0.1.0"

# GNU OpenMP, which torch uses on Linux, lets waiting threads spin. Where another process wants the
# same cores, that makes a training step 2 to 20 times slower (measured: 2 cores, one busy process,
# ResNet-50 at 32x32: 1.4 s a step against 0.78 s); alone on the machine it gains about 2 %.
# It is read when torch is first imported, and a value set by the user stays.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")
