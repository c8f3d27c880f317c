"""Get, check and batch the datasets."""
