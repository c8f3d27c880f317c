"""Speed as a quantity of its own: workloads, their raw samples, and the machine's limits."""
