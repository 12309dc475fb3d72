"""What the benchmarks share: child processes, load, tables and reference servers."""
