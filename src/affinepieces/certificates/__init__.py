"""Certificates: what was counted, in a file, and a checker of a hundred lines that shares no code with the counters."""
