"""One small, pure function for each kind of test: from samples to what they show. No torch here."""
