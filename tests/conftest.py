"""Hypothesis: no time limits (kernels compile on first use); the same examples in every CI run, new ones elsewhere."""
import os

from hypothesis import settings

settings.register_profile("default", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("default")
