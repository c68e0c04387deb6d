"""Killed during streams: rounds as tests/crash has them, whose clients send bodies of several chunks, most with an
Idempotency-Key, half of those without external ids. Behind the restart each is sent again with its key and goes on:
each customer ends up there once."""

import os
import random

from instance import LEVEL, SANITIZED, binary
from load import STREAMS
from rounds import Totals, campaign

ROUNDS = int(os.environ.get("MUSTER_FAULTS_ROUNDS", 1000 if LEVEL in ("full", "soak") else 4 if SANITIZED else 30))


def test_killed_during_streams(tmp_path, faults_seed, note):
    totals = Totals()
    campaign(tmp_path, random.Random(faults_seed), ROUNDS, binary(), cuts=0.3, aimed=0.2, totals=totals,
             manner=STREAMS)
    note(f"streams: {totals!r}")
    assert totals.unanswered >= ROUNDS // 2, "too few streams were under way at a kill"
