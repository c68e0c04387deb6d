"""Promises P1, P2 and P3 over crashes: rounds of load, kill, power cut, restart, check."""

import random

from instance import binary
from rounds import campaign


def test_rounds(tmp_path, seed, round_count, totals):
    campaign(tmp_path, random.Random(seed), round_count, binary(), totals=totals)
    assert totals.rounds == round_count
    assert totals.acknowledged > 100 * round_count, "the load was too small to prove anything"
