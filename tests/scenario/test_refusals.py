"""Requests that are refused as a whole: status, code and place; the server goes on, and nothing was kept."""

import json

import pytest

from muster import MARK, private

CYREXA = "/customer/1.0.0/createBulk"
NEXERA = "/customers/batch"


@pytest.fixture(autouse=True)
def goes_on_and_keeps_nothing(server):
    yield
    assert server.call("GET", "/readyz").good()["status"] == "ready"
    assert server.all_ids() == []
    assert server.call("GET", "/healthz").good() == {"status": "alive"}


# ---- malformed JSON: (body, byte offset of what is wrong) ----

GOOD = '{"id": "a"}'
MALFORMED = {
    "empty": ("", 0),
    "white space only": (" \n ", 3),
    "no JSON": ("hello", 0),
    "ended early": ('[{"id": "a"', None),
    "ended in a string": ('[{"id": "a', None),
    "ended before the bracket": (f"[{GOOD}", None),
    "ended after a comma": (f"[{GOOD},", None),
    "two commas": (f"[{GOOD},,{GOOD}]", 13),
    "a comma at the end": (f"[{GOOD},]", 13),
    "no comma": (f"[{GOOD} {GOOD}]", 13),
    "text behind": (f"[{GOOD}] x", 14),
    "a second value behind": (f"[{GOOD}][]", 13),
    "a bracket too many": (f"[{GOOD}]]", 13),
    "the wrong bracket": (f"[{GOOD}}}", 12),
    "no colon": ('[{"id" "a"}]', 7),
    "a name without quotes": ('[{id: "a"}]', 2),
    "single quotes": ("[{'id': 'a'}]", 2),
    "a comment": ('[{"id": "a"} /* a */]', 13),
    "a word": ('[{"id": tru}]', 11),
    "NaN": ('[{"person": {"firstName": {"order": NaN}}}]', 36),
    "a leading zero": ('[{"person": {"firstName": {"order": 012}}}]', 37),
    "a number beyond doubles": ('[{"person": {"firstName": {"order": 1e999}}}]', 36),
    "a line feed in a string": ('[{"id": "a\nb"}]', 10),
    "a NUL in a string": ('[{"id": "a\x00b"}]', 10),
    "a bad escape": ('[{"id": "a\\xb"}]', 10),
    "a lone high surrogate": ('[{"id": "a\\ud800b"}]', 10),
    "a lone low surrogate": ('[{"id": "a\\udc00b"}]', 10),
    "a duplicate member": ('[{"id": "a", "id": "b"}]', 13),
    "a duplicate in an escape": ('[{"id": "a", "\\u0069d": "b"}]', 13),
    "a duplicate deep inside": ('[{"x": [{"y": {"z": 1, "z": 1}}]}]', 23),
    "a duplicate in the second item": (f'[{GOOD}, {{"id": 1, "id": 1}}]', 24),
    "bad UTF-8": (b'[{"id": "a\xffb"}]', 10),
    "overlong UTF-8": (b'[{"id": "a\xc0\xafb"}]', 10),
    "a surrogate in UTF-8": (b'[{"id": "a\xed\xa0\x80b"}]', 10),
    "a cut UTF-8 character": (b'[{"id": "a\xe2\x82"}]', 10),
    "UTF-16": ('[{"id": "a"}]'.encode("utf-16"), 0),
    "on the third line": ('[\n {"id": "a"},\n  {"id": "b" "c"}\n]', 29),
    "on a late line of a late item": ('[{}, {},\n{}, {\n"id":\n"a"\n,}]', 26),
    "behind characters of several bytes": ('[{"id": "é€😀"},\n{"id": "é€😀"},,]', None),
}


def line_and_column(body, offset):
    before = body[:offset]
    return before.count(b"\n") + 1, offset - (before.rfind(b"\n") + 1) + 1


@pytest.mark.parametrize("body, offset", MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed_json_has_its_place(server, body, offset):
    body = body if isinstance(body, bytes) else body.encode()
    if offset is None:
        offset = body.index(b",,") + 1 if b",," in body else len(body)
    problem = server.cyrexa(body).problem(400, "malformed-json")
    assert (problem["offset"], problem["line"], problem["column"]) == (offset, *line_and_column(body, offset))
    assert problem["message"] == problem["detail"]


@pytest.mark.parametrize("items_before", [1, 998, 999, 1000, 1001, 2500])
def test_the_place_is_that_of_the_body_whatever_stands_before(server, items_before):
    body = ("[" + ',\n'.join(json.dumps({"id": private("place-")}) for _ in range(items_before)) + ',\n')
    offset = len(body) + len('{"id": "x", ')
    body = (body + '{"id": "x", "id": "y"}]').encode()
    problem = server.cyrexa(body).problem(400, "malformed-json")
    assert (problem["offset"], problem["line"], problem["column"]) == (offset, *line_and_column(body, offset))


ENVELOPES = {
    "a name twice": ('{"customerType": "Individual", "customerData": [], "cmsProjectId": "demo", "customerType": "Company"}',
                     75),
    "the array twice": ('{"customerData": [{}], "customerData": [{}], "customerType": "Individual", "cmsProjectId": "demo"}',
                        23),
    "text behind": ('{"customerType": "Individual", "customerData": [], "cmsProjectId": "demo"}}', 74),
    "a comma at the end": ('{"customerType": "Individual", "customerData": [],}', 50),
    "bad UTF-8": (b'{"customerType": "Indi\xffvidual", "customerData": [], "cmsProjectId": "demo"}', 22),
    "ended early": ('{"customerType": "Individual", "customerData": [{}]', 51),
}


@pytest.mark.parametrize("body, offset", ENVELOPES.values(), ids=ENVELOPES.keys())
def test_malformed_envelope_has_its_place(server, body, offset):
    body = body if isinstance(body, bytes) else body.encode()
    answer = server.nexera(body)
    assert answer.json["code"] in ("malformed-json", "malformed-envelope")
    problem = answer.problem(400, answer.json["code"])
    assert (problem["offset"], problem["line"], problem["column"]) == (offset, *line_and_column(body, offset))
    assert problem["error"] == problem["detail"]


SHAPES = [("cyrexa", "{}"), ("cyrexa", '"text"'), ("cyrexa", "1"), ("cyrexa", "null"), ("cyrexa", '{"customers": []}'),
          ("nexera", "[]"), ("nexera", "null"), ("nexera", '"text"'), ("nexera", "[[]]"),
          ("nexera", '{"customerType": "Individual", "customerData": {}, "cmsProjectId": "demo"}'),
          ("nexera", '{"customerType": "Individual", "customerData": null, "cmsProjectId": "demo"}')]


@pytest.mark.parametrize("contract, body", SHAPES)
def test_a_body_of_another_shape(server, contract, body):
    answer = getattr(server, contract)(body)
    assert answer.status in (400, 422), answer
    problem = answer.problem(answer.status, "malformed-envelope" if answer.status == 400 else "faults")
    assert problem["error" if contract == "nexera" else "message"] == problem["detail"]


def nested(depth):
    """An item with that many arrays and objects in one another."""
    return '[{"x": ' + "[" * (depth - 1) + "]" * (depth - 1) + "}]"


def test_depth(server):
    server.cyrexa(nested(65)).problem(400, "malformed-json")
    server.cyrexa(nested(100_000)).problem(400, "malformed-json")
    answer = server.cyrexa(nested(64), Prefer="validation=strict")
    assert answer.problem(422, "faults")["errors"][0]["code"] == "unnamed-member"


def test_members_of_one_object(server):
    body = json.dumps([{f"m{i}": 1 for i in range(1025)}])
    assert server.cyrexa(body).problem(400, "malformed-json")["offset"] > 0


def test_an_item_that_is_too_large(server):
    large = json.dumps([{"id": "small"}, {"customerName": MARK * 220_000}])
    problem = server.cyrexa(large).problem(413, "item-too-large")
    assert problem["offset"] == large.index('{"customerName"')
    server.nexera([{}, {"customerClaims": {"pictureBase64": "A" * (1 << 20)}}]).problem(413, "item-too-large")


def test_a_string_that_is_too_long(server):
    problem = server.cyrexa([{"customerName": "x" * 262145}]).problem(422, "faults")
    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [("/customerName", "length")]


# ---- who ----

def tampered(token):
    head, payload, signature = token.split(".")
    other = "A" if payload[10] != "A" else "B"
    return f"{head}.{payload[:10]}{other}{payload[11:]}.{signature}"


NOBODY = {
    "nothing": (None, "token-missing", "Bearer"),
    "an empty header": ("", "token-missing", "Bearer"),
    "no token": ("Bearer", None, None),
    "another scheme": ("Basic ZGVtbzpkZW1v", "token-invalid", None),
    "garbage": ("Bearer garbage", "token-invalid", None),
    "garbage with dots": ("Bearer a.b.c", "token-invalid", None),
    "a key that never was": ("Bearer mk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "token-invalid", None),
    "very long": ("Bearer " + "x" * 8000, "token-invalid", None),
    "bytes beyond ASCII": ("Bearer \xff\xfe", "token-invalid", None),
}


@pytest.mark.parametrize("path", [CYREXA, NEXERA, "/v1/customers", "/v1/imports"])
@pytest.mark.parametrize("authorization, code, challenge", NOBODY.values(), ids=NOBODY.keys())
def test_without_a_good_token(server, path, authorization, code, challenge):
    method = "POST" if path in (CYREXA, NEXERA) else "GET"
    headers = server.cyrexa_headers(Authorization=authorization)
    answer = server.call(method, path, b"[]" if method == "POST" else None, headers)
    answer.problem(401, code or answer.json["code"])
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    if challenge:
        assert answer.headers["WWW-Authenticate"] == challenge
    elif code:
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_a_token_that_was_changed(server):
    for token in (tampered(server.token), server.token[:-4] + "AAAA", server.token + "A",
                  server.credentials["tenantToken"], server.credentials["operatorKey"],
                  server.credentials["clientSecret"]):
        server.cyrexa([{}], Authorization=f"Bearer {token}").problem(401, "token-invalid")


@pytest.mark.parametrize("scopes", [["customers:read"], ["customers:status", "imports:read"]], ids=str)
def test_without_the_scope_to_create(server, scopes):
    party = server.with_scopes(*scopes)
    for answer in (party.cyrexa([{}]), party.nexera([{}])):
        assert "customers:create" in answer.problem(403, "scope-missing")["detail"]
        assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]


def test_without_the_scope_to_read(server):
    party = server.with_scopes("customers:create")
    assert "customers:read" in party.get("/v1/customers").problem(403, "scope-missing")["detail"]
    assert "imports:read" in party.get("/v1/imports").problem(403, "scope-missing")["detail"]


# ---- which tenant ----

def test_another_tenant_is_refused(server):
    other = server.other_tenant("other-one")
    server.cyrexa([{}], tenantId="other-one").problem(403, "tenant-mismatch")
    server.cyrexa([{}], tenantId="nobody").problem(403, "tenant-mismatch")
    server.cyrexa([{}], token=other.tenant_token).problem(403, "tenant-mismatch")
    other.cyrexa([{}], tenantId=server.tenant).problem(403, "tenant-mismatch")
    other.cyrexa([{}], token=server.tenant_token).problem(403, "tenant-mismatch")
    server.nexera([{}], tenantId="other-one").problem(403, "tenant-mismatch")
    answer = server.call("GET", "/v1/customers", headers=server.bearer(tenantId="other-one"))
    answer.problem(403, "tenant-mismatch")
    assert other.all_ids() == []


def test_headers_that_cyrexa_requires(server):
    assert "tenantId" in server.cyrexa([{}], tenantId=None).problem(400, "bad-parameter")["detail"]
    assert "token" in server.cyrexa([{}], token=None).problem(401, "token-missing")["detail"]
    for wrong in ("x", "mt_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", server.token, server.credentials["apiKey"]):
        server.cyrexa([{}], token=wrong).problem(401, "token-invalid")


def test_a_project_of_somebody_else(server):
    strict = server.other_tenant("no-new-projects", createProjects=False)
    for project in ("demo", "", "x" * 100):
        strict.nexera([{}], envelope={"cmsProjectId": project}).problem(403, "project-unknown")
    server.admin("POST", "/no-new-projects/projects", {"name": "mine"}).good(201)
    assert strict.nexera([], envelope={"cmsProjectId": "mine"}).good() == []
    bound = server.with_scopes("customers:create", project="bound-one")
    bound.nexera([{}], envelope={"cmsProjectId": "demo"}).problem(403, "project-unknown")
    bound.nexera([{}], envelope={"cmsProjectId": "unheard-of"}).problem(403, "project-unknown")


# ---- what ----

@pytest.mark.parametrize("content_type", [None, "text/plain", "application/xml", "application/jsonp",
                                          "multipart/form-data", "application/x-www-form-urlencoded", ""])
def test_content_type(server, content_type):
    headers = {"Content-Type": content_type}
    server.cyrexa([{}], **headers).problem(415, "media-type-unsupported")
    server.nexera([{}], **headers).problem(415, "media-type-unsupported")


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON",
                                          "application/json;charset=UTF-8"])
def test_content_type_as_clients_write_it(server, content_type):
    assert server.cyrexa([], **{"Content-Type": content_type}).good()["customerIds"] == []


@pytest.mark.parametrize("encoding", ["br", "x-unknown", "gzip, br"])
def test_content_encoding(server, encoding):
    server.cyrexa([{}], **{"Content-Encoding": encoding}).problem(415, "media-type-unsupported")


@pytest.mark.parametrize("accept, taken", [
    ("text/html", False), ("application/xml, text/*", False), ("image/*;q=0.8", False),
    ("*/*", True), ("application/json, text/plain, */*", True), ("application/*;q=0.5", True),
    ("text/html, application/json;q=0.9", True), ("", True), ("APPLICATION/JSON", True)])
def test_accept(server, accept, taken):
    answer = server.cyrexa([], Accept=accept)
    if taken:
        answer.good()
    else:
        answer.problem(406, "not-acceptable")


@pytest.mark.parametrize("query", ["?x=1", "?dryrun=true", "?tenantId=demo", "?%00=1"])
def test_an_unknown_query_parameter(server, query):
    server.cyrexa([{}], query).problem(400, "bad-parameter")
    server.nexera([{}], query).problem(400, "bad-parameter")
    answer = server.call("GET", "/v1/customers" + query, headers=server.bearer())
    answer.problem(400, "bad-parameter")


# ---- where ----

@pytest.mark.parametrize("method, path, allow", [
    ("GET", CYREXA, "POST"), ("PUT", CYREXA, "POST"), ("DELETE", NEXERA, "POST"), ("PATCH", NEXERA, "POST"),
    ("HEAD", CYREXA, "POST"), ("OPTIONS", NEXERA, "POST"), ("PUT", "/v1/customers", "POST, GET, HEAD"),
    ("DELETE", "/v1/imports", "GET, HEAD"), ("GET", "/oauth2/token", "POST"), ("POST", "/healthz", "GET, HEAD"),
    ("PUT", "/v1/admin/tenants", "POST, GET, HEAD"), ("BREW", "/healthz", "GET, HEAD")])
def test_method(server, method, path, allow):
    with server.connection() as connection:
        answer = connection.call(method, path, headers=server.cyrexa_headers())
        if method != "HEAD":
            answer.problem(405, "method-not-allowed")
        assert (answer.status, answer.headers["Allow"]) == (405, allow)


@pytest.mark.parametrize("method, path", [
    ("GET", "/"), ("GET", "/nothing"), ("POST", "/customer/1.0.0/createbulk"), ("POST", "/customers/batch/"),
    ("POST", "//customers/batch"), ("GET", "/v1/customers/:id"), ("GET", "/customers/:id"), ("GET", "/v1/customers/"),
    ("GET", "/v1/customers/%3Aid"), ("GET", "/v1/customers/01a1fe15-286a-74bc-a3ab-593b93bc8fb7"),
    ("GET", "/v1/customers/01A1FE15-286A-74BC-A3AB-593B93BC8FB"), ("GET", "/v1/imports/:id"),
    ("GET", "/v1/imports/01a1fe15-286a-74bc-a3ab-593b93bc8fb7"), ("GET", "/v1/customers/%zz"),
    ("GET", "/v1/customers/a%00b"), ("GET", "/v1/customers/..%2f..%2fetc"), ("GET", "/v1/../healthz"), ("GET", "/healthz%00x"),
    ("DELETE", "/customers/:id"), ("GET", "/" + "x" * 4000)])
def test_address(server, method, path):
    answer = server.call(method, path, headers=server.bearer())
    answer.problem(404, "not-found")


def test_verify_of_a_literal_id(server):
    answer = server.call("POST", "/v1/customers/:id/verify", b'{"kind":"pin","value":"1"}', server.bearer())
    answer.problem(404, "not-found")


def test_a_problem_of_another_address_has_no_siblings_members(server):
    problem = server.call("GET", "/nothing").problem(404, "not-found")
    assert set(problem) == {"type", "title", "status", "detail", "instance", "code"}


def test_a_large_body_that_nobody_wants(server):
    large = b"[" + b" " * (4 << 20) + b"]"
    server.call("POST", CYREXA, large, {"Content-Type": "application/json"}).problem(401, "token-missing")
    server.call("POST", "/nothing", large).problem(404, "not-found")
    server.call("POST", "/oauth2/token", large).problem(413, "body-too-large")
    answer = server.call("POST", "/v1/admin/tenants", large, server.bearer())
    assert answer.status in (401, 413)


def test_a_refused_import_is_aborted(server):
    answer = server.cyrexa([{"id": private()}] * 1500 + [{"id": 5}])
    answer.problem(422, "faults")
    shown = server.get(f"/v1/imports/{answer.headers['Muster-Import']}").good()
    assert (shown["state"], shown["code"], shown["contract"]) == ("aborted", "faults", "cyrexa")
    counts = shown["counts"]
    assert (counts["received"], counts["created"], counts["existing"], counts["faults"]) == (1501, 0, 0, 1)
