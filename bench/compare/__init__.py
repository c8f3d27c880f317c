"""Two results folders side by side. No torch."""
