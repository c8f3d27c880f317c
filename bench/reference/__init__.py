"""Published numbers: the paper, the 2022 project, reproductions by others. No torch."""
