"""File formats: read and written, nothing decided."""
