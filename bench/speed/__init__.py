"""Time networks and workloads."""
