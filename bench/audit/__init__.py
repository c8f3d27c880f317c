"""What the logs of a reference show. No torch."""
