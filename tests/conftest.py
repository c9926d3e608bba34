"""One thread each.  Hypothesis: no time limits (kernels compile on first use), the same examples in every CI run."""
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is loaded: the tests themselves run side by side

from hypothesis import settings

settings.register_profile("default", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("default")
