"""How many pieces? Segments, exact enumeration, certified counts at float speed, combinatorial bounds."""
