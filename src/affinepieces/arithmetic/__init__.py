"""What does rounding do? Formats, rounding, products with every operation rounded, exact arithmetic."""
