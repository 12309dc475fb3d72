"""The command line: `jobfish`."""
