"""Records to tables. No torch."""
