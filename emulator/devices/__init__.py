"""Simulated hardware: one file for each kind, each a `core.device.Device`."""
