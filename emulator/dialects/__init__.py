"""Vendors' words, ids and habits: one folder each, listed in `app.py`."""
