"""A small campaign, and what larger ones have found."""
import pytest

import campaign
from affinepieces.pieces import level


@pytest.mark.parametrize("family", campaign.FAMILIES, ids=lambda family: family.__name__)
def test_every_answer_equals_rational_arithmetic(family, monkeypatch):
    monkeypatch.setattr(level, "LIMIT", level.LIMIT)  # the campaign varies it
    for seed in range(40):
        assert campaign.compare(family, seed) is None


@pytest.mark.parametrize(("family", "seed"), [
    (campaign.through_origin, 1144),  # parts narrower than the errors of their ends: a zone reaches across many
    (campaign.extreme_weight, 1051),
    (campaign.extreme_weight, 1679),  # a tiny norm times a tiny error underflows
])
def test_what_campaigns_found(family, seed, monkeypatch):
    monkeypatch.setattr(level, "LIMIT", level.LIMIT)
    for limit in (level.LIMIT, 200, 40, 8):
        monkeypatch.setattr(campaign, "LIMITS", [limit])
        assert campaign.compare(family, seed) is None
