"""Run grids, evaluations, the self-test, the doctor."""
