"""Who may: clients and their tokens, keys, tenants; what is revoked is refused at once."""

import base64
import json
import urllib.parse

import pytest

from muster import Party, Server, basic, free_port, private

GRANT = {"grant_type": "client_credentials"}


def token_of(server, client_id, secret, **form):
    return server.ask_token({**GRANT, **form}, basic(client_id, secret)).good()


def party(server, token, tenant="demo"):
    return Party(server, tenant, token, server.tenant_token)


def payload(token, part=1):
    text = token.split(".")[part]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def base64url(value):
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


# ---- the token endpoint ----

def test_by_basic_and_by_form(server):
    client_id, secret = server.client(server.tenant, "customers:create", "customers:read")
    by_basic = server.ask_token(GRANT, basic(client_id, secret))
    by_form = server.ask_token({**GRANT, "client_id": client_id, "client_secret": secret})
    for answer in (by_basic, by_form):
        made = answer.good()
        assert (made["token_type"], made["expires_in"]) == ("Bearer", 3600)
        assert set(made["scope"].split()) == {"customers:create", "customers:read"}
        assert answer.headers["Cache-Control"] == "no-store"
        assert party(server, made["access_token"]).keep([{}])
    assert by_basic.json["access_token"] != by_form.json["access_token"]


def test_what_the_token_says(server):
    client_id, secret = server.client(server.tenant, "customers:read")
    token = token_of(server, client_id, secret)["access_token"]
    assert payload(token, 0)["typ"] == "at+jwt" and payload(token, 0)["alg"] == "EdDSA"
    claims = payload(token)
    assert claims["exp"] - claims["iat"] == 3600
    assert (claims["iss"], claims["aud"]) == (server.url, server.url)
    assert (claims["client_id"], claims["sub"], claims["scope"]) == (client_id, client_id, "customers:read")
    keys = server.call("GET", "/.well-known/jwks.json").good()["keys"]
    assert [key["kid"] for key in keys] == [payload(token, 0)["kid"]]
    assert keys[0]["kty"] == "OKP" and keys[0]["crv"] == "Ed25519" and "d" not in keys[0]


def test_metadata(server):
    metadata = server.call("GET", "/.well-known/oauth-authorization-server").good()
    assert metadata["issuer"] == server.url
    assert metadata["token_endpoint"] == f"{server.url}/oauth2/token"
    assert metadata["jwks_uri"] == f"{server.url}/.well-known/jwks.json"
    assert metadata["grant_types_supported"] == ["client_credentials"]
    assert "customers:create" in metadata["scopes_supported"]


def test_a_part_of_the_scopes(server):
    client_id, secret = server.client(server.tenant, "customers:create", "customers:read", "imports:read")
    made = token_of(server, client_id, secret, scope="customers:read imports:read")
    assert set(made["scope"].split()) == {"customers:read", "imports:read"}
    reader = party(server, made["access_token"])
    reader.find()
    reader.cyrexa([{}]).problem(403, "scope-missing")


@pytest.mark.parametrize("scope", ["customers:create", "customers:read customers:create", "nothing", "customers:read,x"])
def test_more_scopes_than_the_client_has(server, scope):
    client_id, secret = server.client(server.tenant, "customers:read")
    answer = server.ask_token({**GRANT, "scope": scope}, basic(client_id, secret))
    assert answer.good(400)["error"] == "invalid_scope"


def test_a_wrong_client(server):
    client_id, secret = server.client(server.tenant, "customers:read")
    for wrong_id, wrong_secret in ((client_id, secret + "x"), (client_id, ""), ("client-none", secret), ("", ""),
                                   (client_id, server.credentials["apiKey"])):
        for answer in (server.ask_token(GRANT, basic(wrong_id, wrong_secret)),
                       server.ask_token({**GRANT, "client_id": wrong_id, "client_secret": wrong_secret})):
            assert answer.good(401)["error"] == "invalid_client"
    challenge = server.ask_token(GRANT, basic(client_id, "x")).headers["WWW-Authenticate"]
    assert challenge.startswith("Basic"), "a client that used Basic is asked for Basic (RFC 6749 section 5.2)"


@pytest.mark.parametrize("form, error", [
    ({}, "unsupported_grant_type"), ({"grant_type": "password"}, "unsupported_grant_type"),
    ({"grant_type": "CLIENT_CREDENTIALS"}, "unsupported_grant_type")])
def test_another_grant(server, form, error):
    client_id, secret = server.client(server.tenant, "customers:read")
    assert server.ask_token(form, basic(client_id, secret)).good(400)["error"] in (error, "invalid_request")


def test_a_malformed_form(server):
    client_id, secret = server.client(server.tenant, "customers:read")
    for body in (b"grant_type=client_credentials&grant_type=client_credentials", b"grant_type=%zz"):
        answer = server.call("POST", "/oauth2/token", body, basic(client_id, secret))
        assert answer.good(400)["error"] == "invalid_request"
    both = server.ask_token({**GRANT, "client_id": client_id, "client_secret": secret}, basic(client_id, secret))
    assert both.good(400)["error"] == "invalid_request"


def test_unknown_members_of_the_form_are_passed_over(server):
    client_id, secret = server.client(server.tenant, "customers:read")
    assert token_of(server, client_id, secret, audience="x", resource="y")["access_token"]


# ---- tokens that were made elsewhere ----

def forgeries(server):
    head, claims, signature = server.token.split(".")
    plain = payload(server.token)
    yield "another payload", f"{head}.{base64url({**plain, 'tenant': 'other'})}.{signature}"
    yield "more scopes", f"{head}.{base64url({**plain, 'scope': plain['scope'] + ' admin'})}.{signature}"
    yield "a later end", f"{head}.{base64url({**plain, 'exp': plain['exp'] + 9999})}.{signature}"
    yield "no algorithm", f"{base64url({'alg': 'none', 'typ': 'at+jwt'})}.{claims}."
    yield "no algorithm, signed", f"{base64url({'alg': 'none', 'typ': 'at+jwt'})}.{claims}.{signature}"
    yield "HMAC", f"{base64url({**payload(server.token, 0), 'alg': 'HS256'})}.{claims}.{base64url(b'x' * 32)}"
    yield "another kid", f"{base64url({**payload(server.token, 0), 'kid': 'x'})}.{claims}.{signature}"
    yield "another type", f"{base64url({**payload(server.token, 0), 'typ': 'JWT'})}.{claims}.{signature}"
    yield "no signature", f"{head}.{claims}."
    yield "a short signature", f"{head}.{claims}.{signature[:40]}"
    yield "zeros as a signature", f"{head}.{claims}.{base64url(bytes(64))}"
    yield "two parts", f"{head}.{claims}"
    yield "four parts", f"{server.token}.{signature}"
    yield "padding", f"{server.token}=="
    yield "nested", base64url(server.token.encode()) + "." + base64url(b"{}") + "."


def test_forged_tokens(server):
    for what, token in forgeries(server):
        answer = party(server, token).get("/v1/customers")
        assert (answer.status, answer.json["code"]) == (401, "token-invalid"), what


def test_a_token_of_another_server(server, tmp_path):
    other = Server(tmp_path)
    for token in (other.token, other.credentials["apiKey"]):
        party(server, token).get("/v1/customers").problem(401, "token-invalid")
    other.end()


# ---- revoking ----

def test_a_revoked_key(server):
    key_id, key = server.key(server.tenant, "customers:read")
    party(server, key).find()
    server.admin("DELETE", f"/{server.tenant}/keys/{key_id}").good(204)
    party(server, key).get("/v1/customers").problem(401, "token-invalid")
    assert server.admin("DELETE", f"/{server.tenant}/keys/nothing").status == 404


def test_a_revoked_client_and_its_tokens(server):
    client_id, secret = server.client(server.tenant, "customers:read")
    token = token_of(server, client_id, secret)["access_token"]
    party(server, token).find()
    server.admin("DELETE", f"/{server.tenant}/clients/{client_id}").good(204)
    party(server, token).get("/v1/customers").problem(401, "token-invalid")
    assert server.ask_token(GRANT, basic(client_id, secret)).good(401)["error"] == "invalid_client"


def test_a_revoked_tenant_token(server):
    key_id, key = server.key(server.tenant, kind="tenant-token")
    assert server.cyrexa([], token=key).good()
    server.admin("DELETE", f"/{server.tenant}/keys/{key_id}").good(204)
    server.cyrexa([], token=key).problem(401, "token-invalid")


def test_a_revoked_tenant(own_server):
    """Nothing of it is valid any more, but its data stays, and `muster verify` (at the end) can read it."""
    other = own_server.other_tenant("short-lived")
    client_id, secret = own_server.client("short-lived", "customers:read")
    token = token_of(own_server, client_id, secret)["access_token"]
    party(own_server, token, "short-lived").find()
    other.keep([{"id": private()}])
    own_server.admin("DELETE", "/short-lived").good(204)
    other.get("/v1/customers").problem(401, "token-invalid")
    party(own_server, token).get("/v1/customers").problem(401, "token-invalid")
    other.cyrexa([{}]).problem(401, "token-invalid")
    assert own_server.ask_token(GRANT, basic(client_id, secret)).good(401)["error"] == "invalid_client"
    assert own_server.admin("POST", "", {"name": "short-lived"}).status == 409
    key = {"name": "x", "scopes": ["customers:read"]}
    own_server.admin("POST", "/short-lived/keys", key).problem(404, "not-found")
    own_server.stop()
    verified = own_server.run("verify", "--data", own_server.data)
    assert (verified.returncode, verified.stdout.splitlines()[-1]) == (0, b"problems 0"), verified.stdout


PROJECTS = ["retail", "p 1 ü", "a/b", "100%", "a%41", "x?y#z", "..", "+"]


@pytest.mark.parametrize("name", PROJECTS)
def test_a_revoked_project(server, name):
    tenant = f"projects-{PROJECTS.index(name)}"
    other = server.other_tenant(tenant, createProjects=False)
    server.admin("POST", f"/{tenant}/projects", {"name": name}).good(201)
    assert len(other.nexera([{}], envelope={"cmsProjectId": name}).good()) == 1
    server.admin("DELETE", f"/{tenant}/projects/{urllib.parse.quote(name, safe='')}").good(204)
    other.nexera([{}], envelope={"cmsProjectId": name}).problem(403, "project-unknown")


def test_a_key_bound_to_a_project(server):
    server.admin("POST", f"/{server.tenant}/projects", {"name": "bound"})
    bound = server.with_scopes("customers:create", "customers:read", project="bound")
    assert len(bound.nexera([{}], envelope={"cmsProjectId": "bound"}).good()) == 1
    bound.nexera([{}], envelope={"cmsProjectId": "demo"}).problem(403, "project-unknown")
    client_id, secret = server.client(server.tenant, "customers:create", project="bound")
    token = token_of(server, client_id, secret)["access_token"]
    party(server, token).nexera([{}], envelope={"cmsProjectId": "demo"}).problem(403, "project-unknown")


# ---- the operator ----

@pytest.mark.parametrize("method, path, body", [
    ("GET", "", None), ("POST", "", {"name": "mine"}), ("DELETE", "/demo", None), ("GET", "/demo/keys", None),
    ("POST", "/demo/keys", {"name": "x", "scopes": ["admin"]}), ("GET", "/demo/clients", None),
    ("POST", "/demo/clients", {"name": "x", "scopes": ["admin"]}), ("POST", "/demo/projects", {"name": "x"})])
def test_only_the_operator_may(server, method, path, body):
    for key in (server.token, server.credentials["apiKey"], server.tenant_token, "mo_" + "A" * 43, "x"):
        server.admin(method, path, body, key=key).problem(401, "token-invalid")
    payload_bytes = None if body is None else json.dumps(body).encode()
    server.call(method, "/v1/admin/tenants" + path, payload_bytes).problem(401, "token-missing")


def test_the_operator_is_no_tenant(server):
    server.call("GET", "/v1/customers",
                headers={"Authorization": f"Bearer {server.credentials['operatorKey']}"}).problem(401, "token-invalid")


def test_lists_show_no_secrets(server):
    client_id, secret = server.client(server.tenant, "customers:read")
    key_id, key = server.key(server.tenant, "customers:read")
    clients = server.admin("GET", f"/{server.tenant}/clients")
    keys = server.admin("GET", f"/{server.tenant}/keys")
    assert client_id in [one["id"] for one in clients.good()["clients"]]
    assert key_id in [one["id"] for one in keys.good()["keys"]]
    assert server.tenant in [one["name"] for one in server.admin("GET", "").good()["tenants"]]
    for answer in (clients, keys, server.admin("GET", "")):
        for hidden in (secret, key, server.tenant_token):
            assert hidden.encode() not in answer.body


@pytest.mark.parametrize("path, body", [
    ("", {}), ("", {"name": ""}), ("", {"name": "-x"}), ("", {"name": "a b"}), ("", {"name": "x" * 65}),
    ("", {"name": "é"}), ("", {"name": 5}), ("", []), ("/demo/keys", {"name": "x"}),
    ("/demo/keys", {"name": "x", "scopes": "customers:read"}), ("/demo/keys", {"name": "x", "scopes": ["customers"]}),
    ("/demo/keys", {"name": "x", "scopes": ["customers:read"], "kind": "other"}),
    ("/demo/clients", {"name": "x", "scopes": [5]}), ("/demo/projects", {"name": ""}),
    ("/demo/projects", {"name": "x" * 65})], ids=str)
def test_bad_admin_requests(server, path, body):
    server.admin("POST", path, body).problem(400, "bad-parameter")


def test_what_exists_is_not_made_again(server):
    server.admin("POST", "", {"name": "demo"}).problem(409, "exists")
    server.admin("GET", "/nobody/keys").problem(404, "not-found")


# ---- a restart ----

def test_tokens_and_keys_outlive_a_restart(own_server):
    client_id, secret = own_server.client("demo", "customers:read")
    token = token_of(own_server, client_id, secret)["access_token"]
    revoked_id, revoked = own_server.key("demo", "customers:read")
    key = own_server.key("demo", "customers:read")[1]
    own_server.admin("DELETE", f"/demo/keys/{revoked_id}").good(204)
    earlier = dict(own_server.credentials)
    own_server.restart()
    party(own_server, token).find()
    party(own_server, key).find()
    party(own_server, revoked).get("/v1/customers").problem(401, "token-invalid")
    assert token_of(own_server, client_id, secret)["access_token"] != token
    # The demo tenant's own are made anew at each start, and the old ones are worth nothing.
    for name in ("apiKey", "accessToken"):
        assert own_server.credentials[name] != earlier[name]
        party(own_server, earlier[name]).get("/v1/customers").problem(401, "token-invalid")
    own_server.cyrexa([], token=earlier["tenantToken"]).problem(401, "token-invalid")
    assert own_server.credentials["operatorKey"] == earlier["operatorKey"]


def test_another_address_is_another_issuer(tmp_path):
    first = Server(tmp_path, "--url", "https://one.example", listen=f"127.0.0.1:{free_port()}")
    client_id, secret = first.client("demo", "customers:read")
    token = token_of(first, client_id, secret)["access_token"]
    assert payload(token)["iss"] == "https://one.example"
    first.stop()
    first.arguments = ("--url", "https://two.example")
    first.start()
    party(first, token).get("/v1/customers").problem(401, "token-invalid")
    first.end()
