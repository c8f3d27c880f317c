"""Train one network, resumably."""
