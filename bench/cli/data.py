"""``data``: the images, before anything is trained."""

from bench.cli.shared import DataDir, DataSource, Names, load, names
from bench.config.profiles import DATASETS


def data(
    *, datasets: Names = "", data_dir: DataDir = None, data_source: DataSource = "auto"
) -> None:
    """Fetch and verify the datasets; train nothing."""
    load(names(datasets) or list(DATASETS), data_dir, data_source)
