"""jobfish: a management controller you can run on a laptop, whose jobs really move."""

__version__ = "0.1.0"
