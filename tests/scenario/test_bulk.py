"""Ten thousand realistic customers of either shape in one request, through a restart."""

import concurrent.futures
import json

import pytest

import people
from muster import SANITIZED, UUID, Server

COUNT = 10_000
PEAK_MIB = 400


class Cyrexa:
    make = staticmethod(people.cyrexa)
    pages = 1000

    @staticmethod
    def send(server, items):
        answer = server.cyrexa(json.dumps(items, ensure_ascii=False))
        return [entry["customerId"] for entry in answer.good()["customerIds"]]

    @staticmethod
    def shown(item):
        """The document as it is shown: without its secrets."""
        return {**item, "person": {name: value for name, value in item["person"].items() if name != "password"}}

    @staticmethod
    def external_id(item):
        return item["id"]


class Nexera:
    make = staticmethod(people.nexera)
    pages = 333

    @staticmethod
    def send(server, items):
        return server.nexera(json.dumps(server.nexera_body(items), ensure_ascii=False)).good()

    @staticmethod
    def shown(item):
        return item

    @staticmethod
    def external_id(item):
        return item["customerClaims"]["sub"]


def assert_readable(server, shape, items, ids):
    assert server.all_ids(shape.pages) == ids
    for at in [0, 1, 999, 1000, 1001, len(items) // 2, len(items) - 1, *range(0, len(items), len(items) // 40)]:
        assert server.customer(ids[at])["document"] == shape.shown(items[at])
        assert server.find(externalId=shape.external_id(items[at])) == [ids[at]]


@pytest.mark.parametrize("shape", [Cyrexa, Nexera])
def test_ten_thousand(own_server, shape):
    items = [shape.make(number) for number in range(COUNT)]
    ids = shape.send(own_server, items)
    assert len(ids) == COUNT == len(set(ids))
    assert all(UUID.fullmatch(one) for one in ids)
    assert ids == sorted(ids)
    assert_readable(own_server, shape, items, ids)
    own_server.restart()
    assert_readable(own_server, shape, items, ids)
    assert shape.send(own_server, items) == ids
    assert own_server.all_ids() == ids
    newest, first = own_server.imports()
    assert (newest["counts"]["created"], newest["counts"]["existing"]) == (0, COUNT)
    assert (first["counts"]["created"], first["counts"]["existing"]) == (COUNT, 0)
    if not SANITIZED:
        assert own_server.peak_mib() < PEAK_MIB
    own_server.stop()
    verified = own_server.run("verify", "--data", own_server.data, "--json")
    counts = json.loads(verified.stdout)
    assert (verified.returncode, counts["customers"], counts["problems"], counts["imports"]) == (0, COUNT, 0, 2)


def test_ten_thousand_and_one_fault_keep_nothing(own_server):
    items = [people.cyrexa(number, "fault-") for number in range(COUNT)]
    items[COUNT - 1]["categorization"] = "category4"
    problem = own_server.cyrexa(items).problem(422, "faults")
    assert [(error["index"], error["pointer"]) for error in problem["errors"]] == [(COUNT - 1, "/categorization")]
    assert own_server.all_ids() == []
    items[COUNT - 1]["categorization"] = "category3"
    assert len(own_server.keep(items)) == COUNT


def test_several_large_batches_at_once(own_server):
    batches = [[people.nexera(number, f"batch{batch}-") for number in range(2000)] for batch in range(6)]
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda items: Nexera.send(own_server, items), batches))
    assert sorted(own_server.all_ids()) == sorted(one for ids in answers for one in ids)
    for items, ids in zip(batches, answers):
        assert ids == sorted(ids)
        for at in range(0, 2000, 199):
            assert own_server.customer(ids[at])["document"] == items[at]


def test_a_body_of_many_megabytes_in_little_memory(tmp_path):
    """Items of half a MiB: what is under way is bounded by bytes too, not by items alone."""
    running = Server(tmp_path)
    picture = "iVBORw0KGgo" * 47_000
    items = [{"customerClaims": {"sub": f"large-{number}", "pictureBase64": picture}} for number in range(200)]
    ids = running.keep_nexera(items)
    assert running.customer(ids[199])["document"] == items[199]
    if not SANITIZED:
        assert running.peak_mib() < PEAK_MIB
    running.end()


@pytest.mark.full
def test_a_hundred_thousand(own_server):
    body = (b"[" + b",".join(json.dumps(people.cyrexa(number), ensure_ascii=False).encode()
                             for number in range(100_000)) + b"]")
    ids = [entry["customerId"] for entry in own_server.cyrexa(body).good()["customerIds"]]
    assert len(set(ids)) == 100_000
    assert own_server.all_ids() == ids == sorted(ids)
    if not SANITIZED:
        assert own_server.peak_mib() < PEAK_MIB
