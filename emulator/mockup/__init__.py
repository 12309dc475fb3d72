"""Resource trees: reading them, finding what in them can live, and giving every controller its own identity."""
