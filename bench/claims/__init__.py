"""What the references claim, and a verdict for each claim. No torch."""
