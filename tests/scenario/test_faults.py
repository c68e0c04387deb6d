"""Items that can't be taken: every fault is told with its place, and nothing of the batch is kept."""

import json

import pytest

from muster import MARK, private

STATUS = ("customers:create", "customers:read", "customers:status")


@pytest.fixture(scope="module")
def plain(server):
    """A token that may create and read, and not set a status."""
    return server.with_scopes("customers:create", "customers:read")


@pytest.fixture(autouse=True)
def numbers_stay_the_same(server, request):
    """No test of this module that refuses may keep; those that keep say so by name."""
    if "kept" in request.node.name:
        yield
        return
    with server.nothing_kept():
        yield


def places(problem):
    return [(error["index"], error["pointer"], error["code"]) for error in problem["errors"]]


def refused(answer, status=422, code="faults"):
    problem = answer.problem(status, code)
    assert problem["errors"], answer
    for error in problem["errors"]:
        assert error["detail"].endswith((".", "?")) or " " in error["detail"]
    assert MARK.encode() not in answer.body
    return problem



# One bad item: (the item, pointer, code, hint or None)
CYREXA_FAULTS = [
    ({"customerType": "person"}, "/customerType", "enum", "Person"),
    ({"customerType": "Persn"}, "/customerType", "enum", "Person"),
    ({"customerType": 1}, "/customerType", "type", None),
    ({"customerStatus": "verfied"}, "/customerStatus", "enum", "verified"),
    ({"customerStatus": None}, "/customerStatus", "type", None),
    ({"categorization": "category4"}, "/categorization", "enum", "category1"),
    ({"id": 12}, "/id", "type", None),
    ({"id": ["x"]}, "/id", "type", None),
    ({"notifications": {}}, "/notifications", "type", None),
    ({"notifications": [{"isEnabled": "true"}]}, "/notifications/0/isEnabled", "type", None),
    ({"person": []}, "/person", "type", None),
    ({"person": {"firstName": {"order": "1"}}}, "/person/firstName/order", "type", None),
    ({"person": {"email": 5}}, "/person/email", "type", None),
    ({"person": {"password": 123456}}, "/person/password", "type", None),
    ({"person": {"telephoneNumbers": [{}, {"number": 123}]}}, "/person/telephoneNumbers/1/number", "type", None),
    ({"person": {"addresses": [{"address": {"geoPosition": {"latitude": "1"}}}]}},
     "/person/addresses/0/address/geoPosition/latitude", "type", None),
    ({"person": {"addresses": [{"address": {"streetNumber": ["1", 2]}}]}},
     "/person/addresses/0/address/streetNumber/1", "type", None),
    ({"person": {"documents": [{"purpose": "KYCC"}]}}, "/person/documents/0/purpose", "enum", "KYC"),
    ({"person": {"documents": [{"documentType": "passport"}]}}, "/person/documents/0/documentType", "enum",
     "Passport"),
    ({"person": {"documents": [{"status": "underVerification"}]}}, "/person/documents/0/status", "enum",
     "underverification"),
    ({"person": {"SecretQuestion": [{"answer": False}]}}, "/person/SecretQuestion/0/answer", "type", None),
    ({"twofa": {"targetCode": "1", "inputCode": "2", "codematch": True}}, "/twofa/codematch", "code-mismatch", None),
    ("text", "", "type", None),
    (None, "", "type", None),
    ([], "", "type", None),
]


@pytest.mark.parametrize("item, pointer, code, hint", CYREXA_FAULTS, ids=lambda value: str(value)[:40])
def test_cyrexa_fault(server, item, pointer, code, hint):
    problem = refused(server.cyrexa([{"id": private()}, item, {"id": private()}]))
    assert places(problem) == [(1, pointer, code)]
    assert problem["errorsTotal"] == 1
    assert problem["errors"][0].get("hint") == hint
    assert problem["message"] == problem["detail"]


NEXERA_FAULTS = [
    ({"customerWallet": {"blockchainNamespace": "Tezos"}}, "/customerWallet/blockchainNamespace", "enum", "tezos"),
    ({"customerWallet": {"blockchainNamespace": "eip-155"}}, "/customerWallet/blockchainNamespace", "enum", "eip155"),
    ({"customerWallet": {"verified": "true"}}, "/customerWallet/verified", "type", None),
    ({"customerWallet": "0x"}, "/customerWallet", "type", None),
    ({"customerClaims": {"nationality": "afg"}}, "/customerClaims/nationality", "enum", "AFG"),
    ({"customerClaims": {"countryOfResidence": "DE"}}, "/customerClaims/countryOfResidence", "enum", None),
    ({"customerClaims": {"sub": 5}}, "/customerClaims/sub", "type", None),
    ({"customerDid": {"did": {}}}, "/customerDid/did", "type", None),
]


@pytest.mark.parametrize("item, pointer, code, hint", NEXERA_FAULTS, ids=lambda value: str(value)[:40])
def test_nexera_fault(server, item, pointer, code, hint):
    problem = refused(server.nexera([{}, {}, item]))
    assert places(problem) == [(2, pointer, code)]
    assert problem["error"] == problem["detail"]
    if hint:
        assert problem["errors"][0]["hint"] == hint


ENVELOPE_FAULTS = [
    ({"customerType": "individual"}, "/customerType", "enum"),
    ({"customerType": None}, "/customerType", "type"),
    ({"cmsProjectId": 1}, "/cmsProjectId", "type"),
]


@pytest.mark.parametrize("envelope, pointer, code", ENVELOPE_FAULTS, ids=str)
def test_envelope_fault(server, envelope, pointer, code):
    problem = refused(server.nexera([{}, {}], envelope=envelope))
    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [(pointer, code)]
    assert "index" not in problem["errors"][0]


@pytest.mark.parametrize("left_out", ["customerType", "cmsProjectId", "customerData"])
def test_envelope_member_is_required(server, left_out):
    body = server.nexera_body([{}])
    del body[left_out]
    answer = server.call("POST", "/customers/batch", json.dumps(body).encode(), server.nexera_headers())
    problem = refused(answer)
    assert [error["code"] for error in problem["errors"]] == ["required"]
    assert left_out in problem["errors"][0]["detail"]


def test_all_faults_in_order(server):
    items = [{"id": private()} for _ in range(2200)]
    items[3] = {"customerType": "x", "id": 7, "person": {"email": 5, "documents": [{"purpose": "no"}]}}
    items[1500] = {"categorization": "category9"}
    items[2199] = None
    problem = refused(server.cyrexa(items))
    assert places(problem) == [
        (3, "/customerType", "enum"), (3, "/id", "type"), (3, "/person/email", "type"),
        (3, "/person/documents/0/purpose", "enum"), (1500, "/categorization", "enum"), (2199, "", "type")]
    assert problem["errorsTotal"] == 6


@pytest.mark.parametrize("count, listed", [(999, 999), (1000, 1000), (1001, 1000), (3456, 1000)])
def test_faults_are_listed_up_to_a_thousand_and_counted_all(server, count, listed):
    problem = refused(server.cyrexa([{"id": i} for i in range(count)]))
    assert places(problem) == [(i, "/id", "type") for i in range(listed)]
    assert problem["errorsTotal"] == count


def test_a_single_item_with_very_many_faults(server):
    problem = refused(server.cyrexa([{"notifications": [{"isEnabled": 1}] * 5000}]))
    assert len(problem["errors"]) == 1000
    assert problem["errors"][999]["pointer"] == "/notifications/999/isEnabled"
    assert problem["errorsTotal"] == 5000


def test_an_allowed_list_names_its_values(server):
    detail = refused(server.cyrexa([{"customerType": "Robot"}]))["errors"][0]["detail"]
    assert '"Person"' in detail and '"Organization"' in detail and '"Robot"' in detail


def test_what_is_personal_is_not_repeated(server):
    item = {"person": {"email": {private(): private()}, "fullName": [private()], "dateOfBirth": 5,
                       "password": [private()], "SecretQuestion": private()}, "customerName": {"x": private()}}
    assert len(refused(server.cyrexa([item]))["errors"]) == 6
    refused(server.nexera([{"customerClaims": {"nationality": private(), "birthdate": 1}}]))


# ---- privileged values ----

PRIVILEGED = [
    ({"customerStatus": "verified"}, "/customerStatus"),
    ({"customerStatus": "blacklisted"}, "/customerStatus"),
    ({"customerStatus": "bankrupt"}, "/customerStatus"),
    ({"person": {"documents": [{"status": "incomplete"}, {"status": "verified"}]}}, "/person/documents/1/status"),
    ({"person": {"documents": [{"status": "declined"}]}}, "/person/documents/0/status"),
    ({"twofa": {"codematch": True}}, "/twofa/codematch"),
    ({"twofa": {"codematch": True, "targetCode": "1"}}, "/twofa/codematch"),
]


@pytest.mark.parametrize("item, pointer", PRIVILEGED, ids=str)
def test_a_privileged_value_needs_its_scope(server, plain, item, pointer):
    problem = refused(plain.cyrexa([{}, item]), 403, "scope-missing")
    assert places(problem) == [(1, pointer, "scope-missing")]
    assert "customers:status" in problem["errors"][0]["detail"]
    assert "customers:status" in problem["detail"]


@pytest.mark.parametrize("item, pointer", PRIVILEGED, ids=str)
def test_a_privileged_value_is_kept_with_its_scope(server, item, pointer):
    assert len(server.with_scopes(*STATUS).keep([{**item, "id": private()}])) == 1


def test_a_verified_wallet_needs_its_scope(server, plain):
    problem = refused(plain.nexera([{"customerWallet": {"verified": True}}]), 403, "scope-missing")
    assert places(problem) == [(0, "/customerWallet/verified", "scope-missing")]


def test_values_that_need_no_scope_are_kept(plain):
    items = [{"customerStatus": "new"}, {"customerStatus": "under_verificaiton"}, {"twofa": {"codematch": False}},
             {"person": {"documents": [{"status": "expired"}]}}]
    assert len(plain.keep(items)) == 4
    assert len(plain.keep_nexera([{"customerWallet": {"verified": False}}])) == 1


def test_a_missing_scope_among_other_faults(server, plain):
    problem = refused(plain.cyrexa([{"customerStatus": "verified"}, {"id": 1}]))
    assert places(problem) == [(0, "/customerStatus", "scope-missing"), (1, "/id", "type")]


# ---- other spellings ----

@pytest.mark.parametrize("sent, documented", [("under_verification", "under_verificaiton"),
                                              ("bankrupted", "bancrupted"), ("bankrupt", "bancrupted")])
def test_an_other_spelling_is_kept_as_documented(server, sent, documented):
    customer = server.customer(server.keep([{"id": private(), "customerStatus": sent}])[0])
    assert customer["document"]["customerStatus"] == documented
    assert customer["status"] == documented


def test_other_spellings_are_the_same_content_kept_once(server):
    name = private()
    first = server.keep([{"id": name, "customerStatus": "bankrupt"}])
    assert server.keep([{"id": name, "customerStatus": "bancrupted"}]) == first


# ---- one-time codes: what the client says, what the codes say, what is kept ----

A, B = private("code-a-"), private("code-b-")
TWOFA = [  # (codes, codematch sent, codematch kept or the fault)
    ((A, A), None, True), ((A, A), True, True), ((A, A), False, True),
    ((A, B), None, False), ((A, B), False, False), ((A, B), True, "code-mismatch"),
    ((A, None), None, None), ((A, None), False, False), ((A, None), True, "scope-missing"),
    ((None, A), None, None), ((None, None), True, "scope-missing"), ((None, None), False, False),
    (("", ""), True, "scope-missing"), ((A, ""), None, None),
]


@pytest.mark.parametrize("codes, said, expected", TWOFA, ids=lambda value: str(value)[:30])
def test_codes_are_compared_and_not_kept(server, plain, codes, said, expected):
    twofa = {"targetType": "SMS", "targetCode": codes[0], "inputCode": codes[1], "codematch": said}
    twofa = {name: value for name, value in twofa.items() if value is not None}
    answer = plain.cyrexa([{"twofa": twofa}])
    if isinstance(expected, str):
        status = 403 if expected == "scope-missing" else 422
        problem = refused(answer, status, "scope-missing" if status == 403 else "faults")
        assert places(problem) == [(0, "/twofa/codematch", expected)]
        return
    kept = plain.customer(answer.good()["customerIds"][0]["customerId"])
    assert kept["document"]["twofa"] == {"targetType": "SMS",
                                         **({} if expected is None else {"codematch": expected})}
    assert kept["secrets"] == []


# ---- findings ----

def test_an_unnamed_member_is_kept_and_found(server):
    item = {"id": private(), "customerNmae": private(), "person": {"hobby": {"deep": [private(), 1.5, None]}}}
    answer = server.cyrexa([item])
    customer = server.customer(answer.good()["customerIds"][0]["customerId"])
    assert customer["document"] == item
    assert sorted((f["pointer"], f["code"]) for f in customer["findings"]) == [
        ("/customerNmae", "unnamed-member"), ("/person/hobby", "unnamed-member")]
    counts = server.get(f"/v1/imports/{answer.headers['Muster-Import']}").good()["counts"]
    assert counts["findings"] == {"unnamed-member": 2}


FINDINGS = [
    ({"person": {"email": "no address"}}, "/person/email", "format"),
    ({"person": {"dateOfBirth": "31.12.1999"}}, "/person/dateOfBirth", "format"),
    ({"person": {"dateOfBirth": "1999-02-30"}}, "/person/dateOfBirth", "format"),
    ({"person": {"telephoneNumbers": [{"number": "none"}]}}, "/person/telephoneNumbers/0/number", "format"),
    ({"shoeSize": 42}, "/shoeSize", "unnamed-member"),
]


@pytest.mark.parametrize("item, pointer, code", FINDINGS, ids=lambda value: str(value)[:40])
def test_a_finding_is_kept_by_default_and_a_fault_when_strict(server, item, pointer, code):
    item = {**item, "id": private()}
    with server.nothing_kept():
        answer = server.cyrexa([{}, item], Prefer="validation=strict")
        assert places(refused(answer)) == [(1, pointer, code)]
        assert answer.headers["Preference-Applied"] == "validation=strict"
    answer = server.cyrexa([item])
    assert answer.headers["Preference-Applied"] is None
    customer = server.customer(answer.good()["customerIds"][0]["customerId"])
    assert [(finding["pointer"], finding["code"]) for finding in customer["findings"]] == [(pointer, code)]
    assert customer["document"] == item


NEXERA_FINDINGS = [
    ({"customerWallet": {"wallet": "0x12", "blockchainNamespace": "eip155"}}, "/customerWallet/wallet"),
    ({"customerWallet": {"wallet": "0x52908400098527886E0F7030069857D2E4169Ee7", "blockchainNamespace": "eip155"}},
     "/customerWallet/wallet"),  # EIP-55: the checksum of the last letters is wrong
    ({"customerClaims": {"birthdate": "yesterday"}}, "/customerClaims/birthdate"),
    ({"customerClaims": {"zoneinfo": "Europe/Atlantis"}}, "/customerClaims/zoneinfo"),
    ({"customerClaims": {"locale": "en us"}}, "/customerClaims/locale"),
    ({"customerClaims": {"website": "not a url"}}, "/customerClaims/website"),
    ({"customerDid": {"did": "did:"}}, "/customerDid/did"),
]


@pytest.mark.parametrize("item, pointer", NEXERA_FINDINGS, ids=lambda value: str(value)[:40])
def test_a_nexera_finding_is_kept_and_strict_refuses(server, item, pointer):
    with server.nothing_kept():
        problem = refused(server.nexera([item], Prefer="handling=lenient, validation=strict"))
        assert places(problem) == [(0, pointer, "format")]
    customer = server.customer(server.keep_nexera([item])[0])
    assert [finding["pointer"] for finding in customer["findings"]] == [pointer]


def test_what_is_good_is_kept_when_strict(server):
    item = {"id": private(), "person": {"email": f"{private()}@example.org", "dateOfBirth": "1999-12-31"}}
    answer = server.cyrexa([item], prefer="Validation=STRICT")
    assert len(answer.good()["customerIds"]) == 1
    assert answer.headers["Preference-Applied"] == "validation=strict"
    server.customer(answer.json["customerIds"][0]["customerId"])


def test_a_strict_tenant_is_strict_without_asking(server):
    strict = server.other_tenant("strict-one", strict=True)
    answer = strict.cyrexa([{"person": {"email": "no address"}}])
    assert places(refused(answer)) == [(0, "/person/email", "format")]
    assert answer.headers["Preference-Applied"] is None
    assert strict.all_ids() == []
