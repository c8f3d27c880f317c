"""DataFrames -> figures of the page: one module for each kind. No torch here."""
