"""The playground against Python: `make campaign`, or python tests/playground/campaign.py [runs] [steps].

1000 runs of 200 steps in four formats, ordinary and degenerate starts: all parameters at the end to the last bit, and
the counts at every step.  Some minutes; exit status 1 where something differs.
"""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from playground.runs import difference, run

CHUNK = 50


def main(runs: int = 1000, steps: int = 200) -> int:
    found = []
    for first in range(0, runs, CHUNK):
        found += difference([run(seed, steps) for seed in range(first, min(first + CHUNK, runs))])
        print(f"{min(first + CHUNK, runs)} runs of {steps} steps: {len(found)} differences", flush=True)
    print(*found, sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
