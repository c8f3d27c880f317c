"""Everything to one HTML page and its summaries. No torch."""
