"""Defects that are known to be there are found by the suites that are for them; the same runs find nothing on the
program itself (test_postgres_cuts.py, test_postgres_nodes.py)."""

import pytest

import wire
from instance import ROOT, binary
from rounds import Found
from test_postgres_cuts import Line, Plans, cut_many
from test_postgres_nodes import contend, nodes, winners_of

CUTS = 60
CREATES = 2000
TRIES = 6


def plant(name):
    """What tests/postgres/meson.build makes, beside the program or in build."""
    for folder in (binary().parent, ROOT / "build"):
        path = folder / "tests" / "postgres" / f"muster_plant_{name}"
        if path.is_file():
            return path
    raise RuntimeError(f"{name} is not built: ninja -C build")


class Commits(Plans):
    """Plans for commits only, of these actions."""

    def __init__(self, luck, *actions):
        super().__init__(luck, every=(1, 4), commits=1.0)
        self.actions = actions

    def _action(self):
        return self.luck.choice(self.actions)


def find(tmp_path, luck, name, *actions, sizes=(76, 20, 4)):
    """What a campaign over a line that does this to commits finds, as text."""
    with Line(tmp_path, luck, plant(name)) as line, pytest.raises((Found, AssertionError)) as caught:
        cut_many(line, luck, CUTS, Commits(luck, *actions), sizes)
        line.registry.finish_check(line.rows)
    return str(caught.value)


def test_an_unknown_commit_counts_as_one(tmp_path, luck):
    """Batches of one chunk: one of several, whose import was never written, is not even taken to its end."""
    said = find(tmp_path, luck, "unknown_yes", wire.Cut(wire.BEFORE), wire.Cut(wire.INSIDE), sizes=(80, 20, 0))
    assert "LOST" in said or "IMPORT" in said or "NOT_FOUND" in said, said


def test_an_unknown_commit_is_done_again(tmp_path, luck):
    assert find(tmp_path, luck, "unknown_again", wire.Cut(wire.DROPPED), wire.Cut(wire.READY))


def test_a_commit_that_comes_late_is_not_waited_for(tmp_path, luck):
    assert find(tmp_path, luck, "settle_looks", wire.Late(0.3), wire.Late(1.0))


@pytest.mark.parametrize("name", ["read_committed", "blind_replaces"])
def test_two_have_one_id(tmp_path, luck, name):
    """An index is decided without its lock; or what was not looked for takes the place of what is there. Two nodes must
    meet within a moment for it: in most of the tries they do."""
    for number in range(TRIES):
        with nodes(tmp_path / str(number), luck, plant(name)) as pair:
            try:
                winners_of(*contend(pair, CREATES))
            except AssertionError as error:
                assert "without one winner" in str(error), error
                return
    pytest.fail(f"nothing is found in {TRIES} tries")
