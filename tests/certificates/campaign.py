"""A campaign against the checkers: `python tests/certificates/campaign.py 1000 [FIRST]`.

Certificates of so many networks on segments and polygons must be accepted by both, and ten mutations of each rejected.
"""
import json
import sys
from pathlib import Path

import numpy as np
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).parents[1]))

from certificates import both
from certificates.mutations import mutated

MUTATIONS, CHUNK = 10, 50


def asked(k, mutations=MUTATIONS):
    """A certificate and what must be said of it; then its mutations, which must be rejected."""
    text, right = both.made(*both.problem(k))
    yield text, right
    rng, data = np.random.default_rng([11, k]), json.loads(text)
    for _ in range(mutations):
        yield json.dumps(mutated(data, rng)), "rejected: "


def failures(numbers, mutations=MUTATIONS):
    """Where one of the checkers says something else."""
    questions = [question for k in numbers for question in asked(k, mutations)]
    for (text, right), pair in zip(questions, both.verdicts([text for text, _ in questions]), strict=True):
        if not all(said.startswith(right) for said in pair):
            yield text, right, pair


def main(count, first=0):
    """Run them; returns how many went wrong."""
    wrong, numbers = [], range(first, first + count)
    for i in tqdm(range(0, count, CHUNK), disable=None):
        wrong += failures(numbers[i:i + CHUNK])
    for text, right, pair in wrong[:20]:
        print(right, pair, text[:300])
    polygons = sum(k % 2 for k in numbers)
    print(f"{count - polygons} certificates on segments, {polygons} on polygons, {MUTATIONS * count} mutations: "
          f"{len(wrong)} wrong")
    return len(wrong)


if __name__ == "__main__":
    sys.exit(bool(main(*map(int, sys.argv[1:]))))
