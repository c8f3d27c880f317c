"""Schema and storage of everything that is measured. No torch."""
