"""Reference numbers: the paper and the 2022 project, as JSON files and their typed loader."""
