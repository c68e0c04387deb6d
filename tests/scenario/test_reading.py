"""Getting, listing and finding: pages, identifiers in all their spellings, and nobody else's customers."""

import json
import re

import pytest

from muster import UUID, private

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.fixture(scope="module")
def shelf(server):
    """A tenant with 25 customers of its own that no test adds to."""
    party = server.other_tenant("shelf")
    party.ids = party.keep([{"id": f"shelf-{i:02d}", "customerName": private()} for i in range(25)])
    return party


# ---- one customer ----

def test_a_customer(server):
    item = {"id": private(), "customerType": "Person", "customerName": private("Ann "), "customerStatus": "on_hold",
            "categorization": "category2", "person": {"email": f"{private()}@example.org"}}
    answer = server.cyrexa([item])
    one = answer.good()["customerIds"][0]["customerId"]
    got = server.get(f"/v1/customers/{one}")
    assert got.headers["Content-Type"] == "application/json"
    customer = got.good()
    assert TIME.fullmatch(customer.pop("createdAt")) and TIME.fullmatch(customer.pop("updatedAt"))
    assert customer == {"id": one, "contract": "cyrexa", "name": item["customerName"], "type": "Person",
                        "status": "on_hold", "category": "category2", "import": answer.headers["Muster-Import"],
                        "secrets": [], "findings": [], "document": item}
    listed = server.get("/v1/customers", externalId=item["id"]).good()
    assert list(listed) == ["customers"]
    short = listed["customers"][0]
    assert short["card"] == {"name": item["customerName"], "type": "Person", "status": "on_hold",
                             "category": "category2"}
    assert (short["id"], short["contract"], short["import"]) == (one, "cyrexa", answer.headers["Muster-Import"])


@pytest.mark.parametrize("item, name", [
    ({"customerName": "A Name", "person": {"fullName": "B"}}, "A Name"),
    ({"person": {"fullName": "Full Name", "firstName": {"name": "F"}}}, "Full Name"),
    ({"person": {"firstName": {"name": "First"}, "lastName": {"name": "Last"}}}, "First Last"),
    ({"person": {"lastName": {"name": "Last"}}}, "Last"),
    ({"person": {}}, None)])
def test_the_name_on_the_card(server, item, name):
    customer = server.customer(server.keep([item])[0])
    assert customer.get("name") == name
    assert customer["status"] == "new"


@pytest.mark.parametrize("text", ["", "\u0000", "\"\\/\b\f\n\r\t", "\u007f\u0080\u2028\u2029\ufeff\uffff", "😀👨‍👩‍👧",
                                  "مرحبا", "e\u0301 é", "</script><!--", "%00%0a", "x" * 262_144])
def test_text_comes_back_as_it_was_sent(server, text):
    item = {"customerName": text, "person": {"placeOfBirth": text}, text[:100]: text[:100]}
    assert server.customer(server.keep([item])[0])["document"] == item


@pytest.mark.parametrize("number", ["0", "-0.0", "1", "1.5", "-9007199254740993", "18446744073709551615", "1e-7",
                                    "1.7976931348623157e308", "5e-324", "0.1", "123456789.125"])
def test_numbers_come_back_as_they_were_sent(server, number):
    one = server.cyrexa(f'[{{"person": {{"firstName": {{"order": {number}}}}}}}]').good()["customerIds"][0]
    kept = server.customer(one["customerId"])["document"]["person"]["firstName"]["order"]
    assert kept == json.loads(number)


def test_a_uuid_in_upper_case_is_the_same(server):
    one = server.keep([{"customerName": private()}])[0]
    assert server.customer(one.upper())["id"] == one


# ---- pages ----

@pytest.mark.parametrize("limit", [1, 2, 7, 24, 25, 26, 1000])
def test_pages(shelf, limit):
    assert shelf.all_ids(limit) == shelf.ids
    first = shelf.get("/v1/customers", limit=limit).good()
    assert len(first["customers"]) == min(limit, 25)
    assert ("next" in first) == (limit < 25)


def test_a_page_without_a_limit(server, shelf):
    assert len(shelf.find()) == 25
    server.keep([{} for _ in range(150)])
    page = server.get("/v1/customers").good()
    assert len(page["customers"]) == 100
    assert page["next"] == page["customers"][99]["id"]


def test_a_page_behind_the_end_is_empty(shelf):
    assert shelf.get("/v1/customers", cursor=shelf.ids[-1]).good() == {"customers": []}


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "1001"}, {"limit": "-1"}, {"limit": "x"}, {"limit": ""},
                                   {"limit": "1.0"}, {"limit": "99999999999999999999"}, {"cursor": "x"},
                                   {"cursor": ":id"}, {"externalId": ""}, {"email": ""},
                                   {"email": "a", "phone": "b"}, {"externalId": "a", "did": "b"}])
@pytest.mark.parametrize("path", ["/v1/customers"])
def test_bad_queries(shelf, path, query):
    shelf.get(path, **query).problem(400, "bad-parameter")


def test_a_cursor_within_what_is_found(server):
    name = private("same")
    ids = server.keep([{"person": {"email": f"{name}@example.org"}} for _ in range(7)])
    first = server.get("/v1/customers", email=f"{name}@example.org", limit=3).good()
    assert [customer["id"] for customer in first["customers"]] == ids[:3]
    assert server.find(email=f"{name}@example.org", limit=100, cursor=first["next"]) == ids[3:]


# ---- identifiers ----

def test_by_email(server):
    name = private("Mixed.Case+tag")
    one = server.keep([{"person": {"email": f"{name}@Example.ORG"}}])[0]
    for spelling in (f"{name}@Example.ORG", f"{name.lower()}@example.org", f" {name.upper()}@EXAMPLE.ORG "):
        assert server.find(email=spelling) == [one]
    assert server.find(email=f"x{name}@example.org") == []


def test_by_phone(server):
    one = server.keep([{"person": {"telephoneNumbers": [{"number": "+49 (30) 901820-77"}, {"number": "0170/5551234"}]}}])
    for spelling in ("+49 (30) 901820-77", "+493090182077", "0049 30 9018 2077", "+49.30.90.18.20.77"):
        assert server.find(phone=spelling) == one
    assert server.find(phone="0170 5551234") == one
    assert server.find(phone="+49309018207") == []


CHECKSUMMED = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"  # EIP-55's first example


def test_by_wallet(server):
    ids = server.keep_nexera([{"customerWallet": {"wallet": CHECKSUMMED, "blockchainNamespace": "eip155"}}])
    assert server.customer(ids[0])["findings"] == []
    for spelling in (CHECKSUMMED, CHECKSUMMED.lower(), f"eip155:{CHECKSUMMED}", f"eip155:{CHECKSUMMED.lower()}"):
        assert server.find(wallet=spelling) == ids
    assert server.find(wallet=f"tron:{CHECKSUMMED}") == []
    other = server.keep_nexera([{"customerWallet": {"wallet": CHECKSUMMED.lower(), "blockchainNamespace": "avax"}}])
    assert server.find(wallet=CHECKSUMMED) == ids + other
    assert server.find(wallet=f"avax:{CHECKSUMMED}") == other


def test_a_base58_wallet_keeps_its_case(server):
    wallet = "7S3P4HxJpyyigGzodYwHtCxZyUQe9JiBMHyRWXArAaKv"
    one = server.keep_nexera([{"customerWallet": {"wallet": wallet, "blockchainNamespace": "solana"}}])
    assert server.find(wallet=f"solana:{wallet}") == one
    assert server.find(wallet=wallet.lower()) == []


def test_by_did(server):
    did = f"did:example:{private()}"
    one = server.keep_nexera([{"customerDid": {"did": did}}])
    assert server.find(did=did) == one
    assert server.find(did=did + "x") == []


def test_identifiers_with_signs_that_mean_something_in_an_address(server):
    name = private("a&b=c+d%20e#f/g?h:é ")
    one = server.keep([{"id": name}])
    assert server.find(externalId=name) == one


def test_a_customer_with_one_identifier_twice_is_found_once(server):
    number = "+4930901820781"
    one = server.keep([{"person": {"telephoneNumbers": [{"number": number}, {"number": "+49 30 901820-781"}]}}])
    assert server.find(phone=number) == one


# ---- imports ----

def test_an_import(server):
    items = [{"id": private(), "shoeSize": 1}, {"id": private(), "person": {"email": "x"}}]
    answer = server.nexera([{"customerClaims": {"sub": private()}}, {"x": 1}])
    shown = server.get(f"/v1/imports/{answer.headers['Muster-Import']}").good()
    assert TIME.fullmatch(shown.pop("startedAt")) and TIME.fullmatch(shown.pop("endedAt"))
    shown.pop("itemsPerSecond", None)
    assert shown.pop("bytes") > 80
    assert set(shown.pop("links")) == {"results", "faults"}
    assert shown == {"id": answer.headers["Muster-Import"], "state": "committed", "mode": "atomic",
                     "contract": "nexera", "project": "demo", "type": "Individual", "format": "json",
                     "onExisting": "same", "validation": "standard", "dryRun": False, "resumable": False,
                     "counts": {"received": 2, "created": 2, "existing": 0, "updated": 0, "skipped": 0, "refused": 0,
                                "faults": 0, "faultsByCode": {}, "findings": {"unnamed-member": 1}},
                     "secretsPending": 0}
    answer = server.cyrexa(items)
    shown = server.get(f"/v1/imports/{answer.headers['Muster-Import']}").good()
    assert shown["counts"]["findings"] == {"unnamed-member": 1, "format": 1}
    assert "project" not in shown and "type" not in shown


def test_imports_are_listed_newest_first(server):
    party = server.other_tenant("many-imports")
    ids = [party.cyrexa([{}]).headers["Muster-Import"] for _ in range(7)]
    listed, query = [], {"limit": 3}
    while True:
        page = party.get("/v1/imports", **query).good()
        listed += [shown["id"] for shown in page["imports"]]
        if "next" not in page:
            break
        assert len(page["imports"]) == 3
        query["cursor"] = page["next"]
    assert listed == ids[::-1]


# ---- nobody else's (promise P7) ----

def test_another_tenant_sees_nothing(server, shelf):
    other = server.other_tenant("curious")
    customer = shelf.customer(shelf.ids[3])
    assert other.find() == [] and other.imports() == []
    assert other.find(externalId="shelf-03") == []
    other.get(f"/v1/customers/{shelf.ids[3]}").problem(404, "not-found")
    other.get(f"/v1/imports/{customer['import']}").problem(404, "not-found")
    assert other.get("/v1/customers", cursor=shelf.ids[3]).good() == {"customers": []}
    assert not set(server.all_ids()) & set(shelf.ids)
    answer = server.call("POST", f"/v1/customers/{shelf.ids[3]}/verify", b'{"kind":"pin","value":"1"}', other.bearer())
    answer.problem(404, "not-found")


def test_ids_of_customers_and_imports_are_no_addresses_of_each_other(shelf):
    customer = shelf.customer(shelf.ids[0])
    shelf.get(f"/v1/customers/{customer['import']}").problem(404, "not-found")
    shelf.get(f"/v1/imports/{customer['id']}").problem(404, "not-found")
    assert UUID.fullmatch(customer["import"])
