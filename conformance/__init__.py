"""DMTF's own validators against this service: `python -m conformance` runs them and prints their figures."""
