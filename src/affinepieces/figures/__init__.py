"""Drawing for the book: one module for each chapter, functions that take data and compute nothing heavy."""
from affinepieces._extras import wanted

with wanted("book"):
    from affinepieces.figures.style import use_style

__all__ = ["use_style"]
