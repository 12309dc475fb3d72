"""Measurements of the emulator on this machine: `python -m benchmarks [NAME...] [--rounds N] [--quick]`."""
