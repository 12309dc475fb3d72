"""Where machines are kept: in memory, or in a database."""
