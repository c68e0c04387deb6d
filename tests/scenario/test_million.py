"""A large body with faults of twenty kinds at random places: what is refused is told item by item, what is good is kept,
and what comes back is mended by a script and sent again.

The truth is known beforehand: which item has which fault, at which pointer, under which code.
"""

import json
import random

import pytest

from muster import private
from test_imports import import_of, results

LENIENT = {"Prefer": "handling=lenient"}
ADDED = {"_row", "_pointer", "_code", "_detail"}
GOOD = "customer"

# What is wrong, where, and how it is told. The rest of the item is good.
KINDS = [
    ({"id": 5}, "/id", "type"),
    ({"customerType": "Persn"}, "/customerType", "enum"),
    ({"customerType": 7}, "/customerType", "type"),
    ({"categorization": "category4"}, "/categorization", "enum"),
    ({"customerStatus": "nwe"}, "/customerStatus", "enum"),
    ({"notifications": {}}, "/notifications", "type"),
    ({"notifications": [5]}, "/notifications/0", "type"),
    ({"notifications": [{}, {"isEnabled": "yes"}]}, "/notifications/1/isEnabled", "type"),
    ({"person": []}, "/person", "type"),
    ({"person": {"email": 5}}, "/person/email", "type"),
    ({"person": {"password": ["x"]}}, "/person/password", "type"),
    ({"person": {"pinCode": 7}}, "/person/pinCode", "type"),
    ({"person": {"telephoneNumbers": [{"number": 7}]}}, "/person/telephoneNumbers/0/number", "type"),
    ({"person": {"addresses": [{"address": {"geoPosition": {"latitude": "x"}}}]}},
     "/person/addresses/0/address/geoPosition/latitude", "type"),
    ({"person": {"addresses": [{}, {"address": {"streetNumber": "5"}}]}}, "/person/addresses/1/address/streetNumber",
     "type"),
    ({"person": {"firstName": {"order": "1"}}}, "/person/firstName/order", "type"),
    ({"person": {"documents": [{"metadata": [{"value": 5}]}]}}, "/person/documents/0/metadata/0/value", "type"),
    ({"person": {"nationality": 49}}, "/person/nationality", "type"),
    ({"person": {"dateOfBirth": 19700101}}, "/person/dateOfBirth", "type"),
    ({"customerName": "x" * 262_145}, "/customerName", "length"),
]
assert len(KINDS) == 20


class Body:
    """So many items, of which one in a hundred has a fault; `truth` has the kind of each fault by index."""

    def __init__(self, count):
        luck = random.Random(count)
        self.count, self.prefix = count, private()
        self.truth = {index: luck.choice(KINDS) for index in luck.sample(range(count), count // 100)}
        for index, kind in zip(sorted(self.truth), KINDS):
            self.truth[index] = kind  # each kind at least once

    def good(self, index):
        return {"id": f"{self.prefix}-{index}", "customerName": f"{GOOD} {index}"}

    def item(self, index):
        return {**self.good(index), **(self.truth[index][0] if index in self.truth else {})}

    def json(self):
        return b"[" + b",".join(json.dumps(self.item(index)).encode() for index in range(self.count)) + b"]"

    def told(self, limit=None):
        """The faults in the order of the items."""
        return [(index, *self.truth[index][1:]) for index in sorted(self.truth)[:limit]]


def errors_of(told):
    return [(error["index"], error["pointer"], error["code"]) for error in told]


def mend(item, body):
    """What a client's script does: by the pointer, the member at its root is as it should be."""
    row, pointer = item["_row"], item["_pointer"]
    member = pointer.split("/")[1]
    mended = {name: value for name, value in item.items() if name not in ADDED and name != member}
    good = body.good(row)
    return {**mended, **({member: good[member]} if member in good else {})}


def check(server, count):
    body = Body(count)
    sent = body.json()
    # Atomic: nothing is kept, and the faults are told.
    atomic = server.cyrexa(sent)
    problem = atomic.problem(422, "faults")
    assert problem["errorsTotal"] == len(body.truth)
    assert errors_of(problem["errors"]) == body.told(limit=1000)
    assert server.get("/v1/customers", limit=1).good()["customers"] == []
    # Lenient: the rest is kept.
    partial = server.cyrexa(sent, **LENIENT)
    answer = partial.good()
    assert len(answer["customerIds"]) == count - len(body.truth)
    assert errors_of(answer["errors"]) == body.told(limit=1000)
    lines = results(server, import_of(partial))
    assert [line["index"] for line in lines] == list(range(count))
    assert [line["index"] for line in lines if line["outcome"] == "fault"] == sorted(body.truth)
    assert {line["outcome"] for line in lines} == {"created", "fault"}
    refused_lines = [(line["index"], error["pointer"], error["code"])
                     for line in lines if line["outcome"] == "fault" for error in line["errors"]]
    assert refused_lines == body.told()
    ids = {line["index"]: line["customerId"] for line in lines if line["outcome"] == "created"}
    assert [entry["customerId"] for entry in answer["customerIds"]] == list(ids.values())
    # The refused ones come back as they were sent, and are mended.
    report = server.get(f"/v1/imports/{import_of(partial)}/faults")
    assert report.status == 200
    refused = report.json
    assert [(item["_row"], item["_pointer"], item["_code"]) for item in refused] == body.told()
    for item in refused:
        assert set(item) - ADDED == set(body.item(item["_row"]))
    mended = server.cyrexa([mend(item, body) for item in refused])
    assert len(mended.good()["customerIds"]) == len(refused)
    ids.update(zip(sorted(body.truth), (entry["customerId"] for entry in mended.json["customerIds"])))
    # The whole again, as it should have been: every customer is there, once.
    whole = b"[" + b",".join(json.dumps(body.good(index)).encode() for index in range(count)) + b"]"
    again = server.cyrexa(whole)
    assert [entry["customerId"] for entry in again.good()["customerIds"]] == [ids[index] for index in range(count)]
    shown = server.get(f"/v1/imports/{import_of(again)}").good()
    assert (shown["counts"]["created"], shown["counts"]["existing"]) == (0, count)
    for index in random.Random(1).sample(sorted(ids), 50) + sorted(body.truth)[:20]:
        document = server.customer(ids[index])["document"]
        assert {name: document[name] for name in body.good(index)} == body.good(index)


def test_twenty_thousand(own_server):
    check(own_server, 20_000)


@pytest.mark.full
def test_a_million(own_server):
    check(own_server, 1_000_000)
