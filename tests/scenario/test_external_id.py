"""The client's own id: the same content answers the same customer again, other content is refused."""

import concurrent.futures
import json

import pytest

from muster import UUID, private


def conflict(answer, *expected):
    """The answer must name these items as (index, id of the existing customer)."""
    problem = answer.problem(409, "external-id-conflict")
    assert [(error["index"], error.get("customerId")) for error in problem["errors"]] == list(expected)
    assert {error["code"] for error in problem["errors"]} == {"external-id-conflict"}
    assert problem["errorsTotal"] == len(expected)
    return problem


def full_item(name):
    return {"id": name, "customerType": "Person", "customerName": private("Ann "),
            "person": {"email": f"{private()}@example.org", "password": private("pw-"), "pinCode": private("pin-"),
                       "telephoneNumbers": [{"number": "+4930901820"}, {"number": "+4930901821"}]}}


def test_the_same_content_is_the_same_customer(server):
    items = [full_item(private()) for _ in range(3)]
    ids = server.keep(items)
    with server.nothing_kept():
        assert server.keep(items) == ids
        assert server.keep([items[2], items[0]]) == [ids[2], ids[0]]
    counts = server.imports()[0]["counts"]
    assert (counts["created"], counts["existing"]) == (0, 2)


def test_old_and_new_in_one_request(server):
    old, new = [full_item(private()) for _ in range(2)], [full_item(private()) for _ in range(2)]
    ids = server.keep(old)
    answered = server.keep([new[0], old[1], new[1], old[0]])
    assert answered[1::2] == [ids[1], ids[0]]
    assert not set(answered[::2]) & set(ids)
    assert server.find(externalId=new[0]["id"]) == [answered[0]]


def test_other_content_is_a_conflict_and_nothing_is_kept(server):
    item = full_item(private())
    kept = server.keep([item])[0]
    changed = {**item, "customerName": private()}
    with server.nothing_kept():
        conflict(server.cyrexa([full_item(private()), changed, full_item(private())]), (1, kept))
        assert server.customer(kept)["document"]["customerName"] == item["customerName"]


CHANGES = {
    "a member more": lambda item: {**item, "categorization": "category1"},
    "a member less": lambda item: {name: value for name, value in item.items() if name != "customerType"},
    "another password": lambda item: {**item, "person": {**item["person"], "password": private("pw-")}},
    "another PIN": lambda item: {**item, "person": {**item["person"], "pinCode": private("pin-")}},
    "another order of an array": lambda item: {**item, "person": {
        **item["person"], "telephoneNumbers": item["person"]["telephoneNumbers"][::-1]}},
    "upper case in an e-mail": lambda item: {**item, "person": {
        **item["person"], "email": item["person"]["email"].upper()}},
    "an unnamed member": lambda item: {**item, "x": 1},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_what_counts_as_other_content(server, change):
    item = full_item(private())
    kept = server.keep([item])[0]
    with server.nothing_kept():
        conflict(server.cyrexa([change(item)]), (0, kept))


def reversed_members(value):
    if isinstance(value, dict):
        return {name: reversed_members(value[name]) for name in reversed(value)}
    return [reversed_members(one) for one in value] if isinstance(value, list) else value


def escaped(text):
    """Every letter of a JSON text's strings as \\u00xx."""
    inside, out = False, []
    for char in text:
        if char == '"':
            inside = not inside
        out.append(f"\\u{ord(char):04x}" if inside and char.isalpha() else char)
        assert char != "\\"
    return "".join(out)


SPELLINGS = {
    "members in another order": lambda item: json.dumps([reversed_members(item)]),
    "white space": lambda item: json.dumps([item], indent=8).replace("\n", "\r\n\t"),
    "no white space": lambda item: json.dumps([item], separators=(",", ":")),
    "escapes": lambda item: escaped(json.dumps([item])),
    "everything": lambda item: escaped(json.dumps([reversed_members(item)], indent=1)),
}


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS.keys())
def test_what_counts_as_the_same_content(server, spell):
    item = full_item(private())
    kept = server.keep([item])
    with server.nothing_kept():
        answer = server.cyrexa(spell(item)).good()
    assert [entry["customerId"] for entry in answer["customerIds"]] == kept


def test_one_time_codes_do_not_count_as_content(server):
    name = private()
    ids = {server.keep([{"id": name, "twofa": {"targetCode": code, "inputCode": code}}])[0]
           for code in (private(), private())}
    assert len(ids) == 1


def test_numbers_written_in_another_way_are_the_same_content(server):
    name = private()
    texts = [f'[{{"id": "{name}", "person": {{"firstName": {{"order": {number}}}}}}}]' for number in ("1", "1.0", "1e0")]
    ids = {server.cyrexa(text).good()["customerIds"][0]["customerId"] for text in texts}
    assert len(ids) == 1


def test_duplicates_in_one_body(server):
    item = full_item(private())
    ids = server.keep([item, full_item(private()), item])
    assert ids[0] == ids[2] != ids[1]
    assert server.find(externalId=item["id"]) == [ids[0]]
    with server.nothing_kept():
        assert server.keep([item, item]) == [ids[0], ids[0]]


def test_duplicates_in_one_body_across_chunks(server):
    items = [{"id": private()} for _ in range(3000)]
    items[2999] = items[0]
    items[1500] = items[1499]
    ids = server.keep(items)
    assert ids[2999] == ids[0] and ids[1500] == ids[1499]
    assert len(set(ids)) == 2998


@pytest.mark.parametrize("first, second, count", [(0, 2, 3), (999, 1000, 1001), (0, 2100, 2200)])
def test_duplicates_with_other_content_in_one_body(server, first, second, count):
    items = [{"id": private()} for _ in range(count)]
    items[second] = {**items[first], "customerName": private()}
    with server.nothing_kept():
        problem = server.cyrexa(items).problem(409, "external-id-conflict")
        assert [error["index"] for error in problem["errors"]] == [second]
    del items[second]
    assert len(server.keep(items)) == count - 1, "the id is free again after the refusal"


def test_several_conflicts_in_order(server):
    items = [full_item(private()) for _ in range(3)]
    kept = server.keep(items)
    changed = [{**item, "customerName": private()} for item in items]
    with server.nothing_kept():
        conflict(server.cyrexa([changed[2], items[1], {}, changed[0]]), (0, kept[2]), (3, kept[0]))


def test_an_id_of_a_refused_batch_is_free(server):
    item = full_item(private())
    with server.nothing_kept():
        server.cyrexa([item, {"id": 5}]).problem(422, "faults")
    assert UUID.fullmatch(server.keep([{**item, "customerName": private()}])[0])


def test_without_an_external_id_every_item_is_new(server):
    item = {"customerName": private()}
    ids = server.keep([item, item]) + server.keep([item])
    assert len(set(ids)) == 3
    empty = server.keep([{"id": "", "customerName": private()}, {"id": "", "customerName": private()}])
    assert len(set(empty)) == 2


def test_external_ids_are_told_apart_exactly(server):
    name = private("Case-")
    ids = server.keep([{"id": one} for one in (name, name.lower(), f" {name}", f"{name} ", name + "\u0000", name + "é")])
    assert len(set(ids)) == 6
    assert server.find(externalId=name) == [ids[0]]
    assert server.find(externalId=name.lower()) == [ids[1]]
    assert server.find(externalId=name + "é") == [ids[5]]


def test_an_external_id_belongs_to_a_contract(server):
    name = private()
    one = server.keep([{"id": name}])[0]
    other = server.keep_nexera([{"customerClaims": {"sub": name}}])[0]
    assert one != other
    assert server.find(externalId=name) == sorted([one, other])


def test_an_external_id_belongs_to_a_tenant(server):
    other = server.other_tenant("neighbour")
    item = {"id": private()}
    changed = {**item, "customerName": private()}
    ids = server.keep([item]) + other.keep([changed])
    assert ids[0] != ids[1]
    assert server.find(externalId=item["id"]) == [ids[0]]
    assert other.find(externalId=item["id"]) == [ids[1]]


def test_nexera_content(server):
    item = {"customerClaims": {"sub": private(), "name": private()}}
    kept = server.keep_nexera([item])
    with server.nothing_kept():
        assert server.keep_nexera([item]) == kept
        changed = {"customerClaims": {**item["customerClaims"], "name": private()}}
        conflict(server.nexera([changed]), (0, kept[0]))


@pytest.mark.parametrize("envelope", [{"customerType": "Company"}, {"cmsProjectId": "another"}], ids=str)
def test_what_the_envelope_says_of_a_customer_is_content(server, envelope):
    """Type and project are shown with the customer: answering its id would drop what was sent in silence."""
    item = {"customerClaims": {"sub": private()}}
    kept = server.keep_nexera([item])
    conflict(server.nexera([item], envelope=envelope), (0, kept[0]))


def test_sixteen_at_once_make_one_customer(server):
    items = [full_item(private()) for _ in range(5)]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: server.keep(items), range(64)))
    assert len({tuple(ids) for ids in answers}) == 1
    for item, kept in zip(items, answers[0]):
        assert server.find(externalId=item["id"]) == [kept]


def test_sixteen_at_once_with_other_contents_make_one_customer(server):
    name = private()
    bodies = [[{"id": name, "customerName": private()}] for _ in range(64)]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(server.cyrexa, bodies))
    good = [answer for answer in answers if answer.status == 200]
    assert len(good) == 1
    kept = good[0].json["customerIds"][0]["customerId"]
    for answer in answers:
        if answer.status != 200:
            problem = answer.problem(409, answer.json["code"])
            assert problem["code"] in ("external-id-conflict", "busy")
    assert server.find(externalId=name) == [kept]
    assert server.customer(kept)["document"] in [body[0] for body in bodies]
