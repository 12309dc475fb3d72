"""What XML can hold."""

from __future__ import annotations

import re

UNWRITABLE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""A character that XML 1.0 has no way to write, not even as a reference."""
