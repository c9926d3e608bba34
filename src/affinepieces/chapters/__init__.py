"""What the chapters compute: one module for the experiments of a chapter; `affinepieces.figures` draws the results."""
