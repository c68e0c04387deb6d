"""The rounds find defects that are known to be there."""

import random

import pytest

from instance import binary, tool
from rounds import Found, campaign

pytestmark = pytest.mark.folder("the defects are of the store in the data folder")

ROUNDS = 20  # a defect is found within two or three


def find(tmp_path, seed, program, arguments=(), cuts=1.0):
    """The kinds of violations that the rounds find."""
    with pytest.raises(Found) as caught:
        campaign(tmp_path, random.Random(seed), ROUNDS, program, arguments, cuts, aimed=1.0 - cuts)
    return set(caught.value.kinds)


def test_answers_before_the_sync_lose_customers_at_a_power_cut(tmp_path, seed):
    assert "LOST" in find(tmp_path, seed, binary(), ["--unsafe-no-sync"])


def test_answers_before_the_sync_survive_a_kill(tmp_path, seed):
    """The counterpart: without a power cut this defect can't be seen."""
    campaign(tmp_path, random.Random(seed), 2, binary(), ["--unsafe-no-sync"], cuts=0)


@pytest.mark.parametrize("cuts", [0.0, 1.0], ids=["killed", "power-cut"])
def test_index_entries_outside_of_the_commit(tmp_path, seed, cuts):
    kinds = find(tmp_path, seed, tool("muster_plant_index"), cuts=cuts)
    assert kinds & {"VERIFY", "NOT_FOUND", "WRONG_ID", "DOUBLED"}
