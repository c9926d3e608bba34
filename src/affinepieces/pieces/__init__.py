"""How many pieces? Segments, exact enumeration, counts and combinatorial bounds."""
