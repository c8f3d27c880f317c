"""Reference numbers: the paper, others who repeated it, and the 2022 project, as JSON files.

``loader`` reads them; the other modules are the types that they have to fit. No number of a
reference stands outside these files.
"""
