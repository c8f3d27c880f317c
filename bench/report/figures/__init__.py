"""DataFrames to inline SVG."""
