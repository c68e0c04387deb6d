"""Defects that are known to be there are found by the suite that is for them; the same runs find nothing on the
program itself (test_faults_world.py, tests/crash). The torn tail and the late claim stand beside their suites."""

import errno
import random

import pytest

import nth
import rounds
from instance import binary
from rounds import Found
from test_faults_world import counts, libraries  # noqa: F401, a fixture
from tools import fault_tool
from world import World

pytestmark = pytest.mark.folder("the defects are of the store in the data folder")

TRIES = 24


def test_answers_before_the_sync(tmp_path, faults_seed):
    """Found by power cuts; a kill alone can't show it (tests/crash)."""
    with pytest.raises(Found) as caught:
        rounds.campaign(tmp_path, random.Random(faults_seed), 20, fault_tool("muster_plant_no_sync"), cuts=1.0,
                        aimed=0.0)
    assert "LOST" in caught.value.kinds


def find_by_syncs(folder, program, count, luck):
    """Fails one sync after the other, drawn, until something is found: its kinds, or none."""
    for at in luck.sample(range(1, count + 1), min(count, TRIES)):
        world = World(folder / str(at), program, libraries(nth.SYNC), nth.Fault(nth.SYNC, at, errno.EIO))
        try:
            world.run()
        except Found as found:
            return found.kinds
        finally:
            world.store.server.kill()
    return []


def test_a_sync_error_is_ignored(tmp_path, faults_seed, counts):  # noqa: F811
    kinds = find_by_syncs(tmp_path, fault_tool("muster_plant_sync_error"), counts[nth.SYNC], random.Random(faults_seed))
    assert kinds  # whatever it is: the program itself shows nothing
