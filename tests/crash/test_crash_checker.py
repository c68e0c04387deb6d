"""The checker reports each kind of violation, on made-up data; and nothing on data that is right."""

import copy
import json

import pytest

from checker import Seen, check, check_retry
from oracle import CYREXA, NEXERA, Oracle, Pen, Recipe

KEPT, OPEN, REFUSED = Recipe("kept", CYREXA, 3, secrets=True), Recipe("open", NEXERA, 2), Recipe("refused", CYREXA, 2)
KEPT_IDS, OPEN_IDS = ["id-a", "id-b", "id-c"], ["id-d", "id-e"]


@pytest.fixture
def oracle(tmp_path):
    """One acknowledged batch, one that was never answered, one that was refused."""
    pen = Pen(tmp_path / "oracle")
    pen.intent(KEPT)
    pen.acknowledged(KEPT, KEPT_IDS, "import-1")
    pen.intent(REFUSED, "refused")
    pen.intent(OPEN)
    pen.close()
    with open(tmp_path / "oracle", "ab") as file:
        file.write(b'{"acknowledged": "op')  # the client was cut off here
    oracle = Oracle()
    oracle.read(tmp_path / "oracle")
    return oracle


def row(created, existing=0, state="committed"):
    return {"state": state, "counts": {"received": created + existing, "created": created, "existing": existing}}


def right():
    """What a server shows that has done nothing wrong."""
    return {"customers": [(KEPT_IDS[i], KEPT.external_id(i), "import-1") for i in range(3)],
            "imports": {"import-1": row(3), "import-2": row(0, state="aborted")},
            "documents": {KEPT_IDS[i]: KEPT.document(i) for i in range(3)},
            "found": {KEPT.external_id(i): [KEPT_IDS[i]] for i in range(3)},
            "matches": {"id-a": True}}


def kinds(oracle, shown):
    return {violation.kind for violation in check(oracle, Seen(**shown))}


def test_nothing_wrong(oracle):
    assert kinds(oracle, right()) == set()


def test_unanswered_batch_may_be_there_as_a_whole(oracle):
    shown = right()
    shown["customers"] += [(OPEN_IDS[i], OPEN.external_id(i), "import-3") for i in range(2)]
    shown["imports"]["import-3"] = row(2)
    assert kinds(oracle, shown) == set()


def lose(shown):
    shown["customers"].pop(0)
    shown["imports"]["import-1"]["counts"].update(created=2, existing=1)


def give_other_id(shown):
    shown["customers"][0] = ("id-x", KEPT.external_id(0), "import-1")


def double(shown):
    shown["customers"].append(("id-x", KEPT.external_id(0), "import-9"))
    shown["imports"]["import-9"] = row(1)


def list_twice(shown):
    shown["customers"].append(shown["customers"][0])


def show_part(shown):
    shown["customers"].append((OPEN_IDS[0], OPEN.external_id(0), "import-3"))
    shown["imports"]["import-3"] = row(1)


def show_refused(shown):
    shown["customers"].append(("id-x", REFUSED.external_id(1), "import-3"))
    shown["imports"]["import-3"] = row(1)


def show_stranger(shown):
    shown["customers"].append(("id-x", "nobody-0", "import-3"))
    shown["imports"]["import-3"] = row(1)


def change(shown):
    shown["documents"]["id-b"] = copy.deepcopy(shown["documents"]["id-b"])
    shown["documents"]["id-b"]["person"]["email"] = "other@example.org"


def hide_from_get(shown):
    shown["documents"]["id-b"] = None


def hide_from_find(shown):
    shown["found"][KEPT.external_id(2)] = []


def find_two(shown):
    shown["found"][KEPT.external_id(2)].append("id-x")


def leave_open(shown):
    shown["imports"]["import-2"]["state"] = "open"


def miscount(shown):
    shown["imports"]["import-1"]["counts"].update(received=4, created=4)


def forget_import(shown):
    del shown["imports"]["import-1"]


def count_short(shown):
    shown["imports"]["import-1"]["counts"].update(received=2)


def abort(shown):
    shown["imports"]["import-1"]["state"] = "aborted"


def forget_password(shown):
    shown["matches"]["id-a"] = False


@pytest.mark.parametrize("spoil, kind", [
    (lose, "LOST"), (give_other_id, "WRONG_ID"), (double, "DOUBLED"), (list_twice, "DOUBLED"),
    (show_part, "PARTIAL"), (show_refused, "GHOST"), (show_stranger, "STRANGER"), (change, "CHANGED"),
    (hide_from_get, "NOT_FOUND"), (hide_from_find, "NOT_FOUND"), (find_two, "NOT_FOUND"), (leave_open, "IMPORT"),
    (miscount, "IMPORT"), (forget_import, "IMPORT"), (count_short, "IMPORT"), (abort, "IMPORT"),
    (forget_password, "SECRET")])
def test_each_kind_is_reported(oracle, spoil, kind):
    shown = right()
    spoil(shown)
    assert kind in kinds(oracle, shown)


def test_answers_that_should_not_have_been(oracle, tmp_path):
    """Another id for the same batch, too few ids, and what a client did not expect."""
    for number, (name, members) in enumerate([
            ("other", {"acknowledged": "kept", "ids": ["id-x", "id-b", "id-c"], "importId": "import-1"}),
            ("few", {"acknowledged": "kept", "ids": ["id-a"], "importId": "import-1"}),
            ("odd", {"unexpected": "503"})]):
        (tmp_path / name).write_text(json.dumps(members) + "\n")
        oracle.read(tmp_path / name)
        assert len(oracle.surprises) == number + 1
        assert "ANSWER" in kinds(oracle, right())


def test_a_retry_answers_what_was_visible(oracle):
    seen = Seen([(OPEN_IDS[i], OPEN.external_id(i), "import-3") for i in range(2)])
    batch = oracle.batches["open"]
    assert check_retry(batch, OPEN_IDS, seen) == []
    assert check_retry(batch, OPEN_IDS, Seen()) == []
    assert [violation.kind for violation in check_retry(batch, ["id-d", "id-x"], seen)] == ["WRONG_ID"]


def test_a_recipe_always_makes_the_same():
    assert KEPT.items() == Recipe(**KEPT.line()).items()
    assert KEPT.item(0)["person"]["password"] and "password" not in KEPT.document(0)["person"]
