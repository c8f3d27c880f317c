"""Two results folders side by side: what is faster, slower, better or worse. No torch here."""
