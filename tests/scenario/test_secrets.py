"""Secrets: hashed, never shown, verified; hashes that come ready-made; one-time codes, which are nowhere."""

import base64
import hashlib
import json
import time

import pytest

from muster import PATIENCE_S, Server, private, wait_until

HASHING_S = 900  # hashing has the lowest priority: on a machine that has other work it gets next to nothing


def item_with(password=None, pin=None, answers=()):
    person = {"fullName": private()}
    if password is not None:
        person["password"] = password
    if pin is not None:
        person["pinCode"] = pin
    if answers:
        person["SecretQuestion"] = [{"question": private("q"), "answer": answer} for answer in answers]
    return {"id": private(), "person": person}


def states(server, customer_id):
    return {secret["pointer"]: secret["state"] for secret in server.customer(customer_id)["secrets"]}


def wait_ready(server, customer_id):
    return wait_until(lambda: "pending" not in states(server, customer_id).values(), "all secrets to be hashed",
                      HASHING_S)


def test_secrets_are_never_shown(server):
    secrets = [private("pass word "), private("pin"), private("answer-1 "), private("ответ ")]
    item = item_with(secrets[0], secrets[1], secrets[2:])
    one = server.keep([item])[0]
    answers = [server.get(f"/v1/customers/{one}"), server.get("/v1/customers"),
               server.get("/v1/customers", externalId=item["id"]), server.get("/v1/imports")]
    for answer in answers:
        answer.good()
        for secret in secrets:
            assert secret.encode() not in answer.body
            assert json.dumps(secret)[1:-1].encode() not in answer.body
    customer = answers[0].json
    assert customer["document"]["person"] == {"fullName": item["person"]["fullName"], "SecretQuestion": [
        {"question": question["question"]} for question in item["person"]["SecretQuestion"]]}
    assert sorted((secret["kind"], secret["pointer"]) for secret in customer["secrets"]) == [
        ("answer", "/person/SecretQuestion/0/answer"), ("answer", "/person/SecretQuestion/1/answer"),
        ("password", "/person/password"), ("pin", "/person/pinCode")]


def test_verify_before_and_after_hashing(server):
    password, pin, answer = private("P"), private("1234"), private("Rex")
    one = server.keep([item_with(password, pin, [answer])])[0]
    for _ in range(2):
        assert server.verify(one, "password", password)
        assert server.verify(one, "pin", pin)
        assert server.verify(one, "answer", answer)
        for wrong in (password + "x", password[:-1], password.lower(), "", " " + password, pin, answer):
            assert not server.verify(one, "password", wrong)
        assert not server.verify(one, "pin", password)
        assert not server.verify(one, "answer", pin)
        wait_ready(server, one)
    assert set(states(server, one).values()) == {"ready"}


def test_any_of_several_answers(server):
    answers = [private("a"), private("b"), private("c")]
    one = server.keep([item_with(answers=answers)])[0]
    wait_ready(server, one)
    assert [server.verify(one, "answer", answer) for answer in [*answers, private("d")]] == [True, True, True, False]


def test_pending_becomes_ready(own_server):
    items = [item_with(private()) for _ in range(60)]
    ids = own_server.keep(items)
    assert states(own_server, ids[-1]) == {"/person/password": "pending"}
    assert own_server.verify(ids[-1], "password", items[-1]["person"]["password"])
    assert states(own_server, ids[-1]) == {"/person/password": "ready"}, "verifying a pending one hashes it at once"
    wait_until(lambda: states(own_server, ids[-2]) == {"/person/password": "ready"}, "the last of the lane",
               HASHING_S)
    for item, one in zip(items[::20], ids[::20]):
        assert own_server.verify(one, "password", item["person"]["password"])
        assert not own_server.verify(one, "password", private())


def test_what_is_pending_at_a_stop_goes_on_after_it(own_server):
    items = [item_with(private()) for _ in range(150)]
    ids = own_server.keep(items)
    started = time.monotonic()
    own_server.restart()
    assert time.monotonic() - started < PATIENCE_S
    assert own_server.verify(ids[149], "password", items[149]["person"]["password"])
    wait_until(lambda: states(own_server, ids[148]) == {"/person/password": "ready"}, "the last of the lane",
               HASHING_S)
    assert own_server.verify(ids[148], "password", items[148]["person"]["password"])
    assert not own_server.verify(ids[148], "password", items[149]["person"]["password"])


# Known pairs. bcrypt: the vectors of OpenBSD's and Openwall's tests. Argon2: those of the reference
# implementation. The rest is made here by hashlib.
HASHES = [
    ("bcrypt 2b", "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW", "abc123xyz"),
    ("bcrypt 2a", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"),
    ("bcrypt 2y", "$2y$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK", "U*U*"),
    ("argon2id", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
     "password"),
    ("argon2i", "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA",
     "password"),
    ("argon2d", "$argon2d$v=19$m=256,t=2,p=4$c29tZXNhbHQ$PlUse1FQ+lgrnuMne1oTmXNf4r7rEHlXUcM+R1k9VSg", "password"),
]


def base64_of(data, dots=False):
    text = base64.b64encode(data).decode().rstrip("=")
    return text.replace("+", ".") if dots else text


def pbkdf2(digest, password, rounds, size, style):
    """A hash made here: PHC writes i=…, passlib writes the number alone and '.' for '+'."""
    salt = b"saltsaltsaltsalt"
    made = hashlib.pbkdf2_hmac(digest, password.encode(), salt, rounds, size)
    cost = f"i={rounds}" if style == "phc" else rounds
    return f"$pbkdf2-{digest}${cost}${base64_of(salt, style != 'phc')}${base64_of(made, style != 'phc')}"


def scrypt(password):
    salt = b"NaCl of sixteen!"
    made = hashlib.scrypt(password.encode(), salt=salt, n=1024, r=8, p=4, dklen=32)
    return f"$scrypt$ln=10,r=8,p=4${base64_of(salt)}${base64_of(made)}"


def ready_made():
    rows = [*HASHES, ("scrypt", scrypt("pleaseletmein"), "pleaseletmein")]
    for digest, size in (("sha256", 32), ("sha512", 64)):
        for style in ("phc", "passlib"):
            password = f"pässwörd {digest} {style}"
            rows.append((f"pbkdf2-{digest} {style}", pbkdf2(digest, password, 1000, size, style), password))
    return rows


@pytest.mark.parametrize("name, text, password", ready_made(), ids=lambda value: str(value)[:30])
def test_a_ready_made_hash_is_kept_and_verified(server, name, text, password):
    one = server.keep([item_with(text, pin=private())])[0]
    assert states(server, one)["/person/password"] == "ready", "it needs no hashing"
    assert server.verify(one, "password", password)
    assert not server.verify(one, "password", password + "x")
    assert not server.verify(one, "password", text), "the hash itself is not the password"
    assert text.encode() not in server.get(f"/v1/customers/{one}").body


@pytest.mark.parametrize("text", ["$2b$12$tooshort", "$argon2id$v=19$m=19456,t=2,p=1$", "$2b$", "$1$abc$def", "$$$",
                                  "$argon2id$ my dog", "$2b$99$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW"])
def test_a_password_that_only_looks_like_a_hash(server, text):
    one = server.keep([item_with(text)])[0]
    assert server.verify(one, "password", text)
    wait_ready(server, one)
    assert server.verify(one, "password", text)
    assert not server.verify(one, "password", text + "x")


@pytest.mark.parametrize("password", ["x", "\u0000nul\u0000", "🙂" * 10, "a" * 60_000, " ", "é", "e\u0301"],
                         ids=["short", "NUL", "emoji", "long", "space", "composed", "decomposed"])
def test_odd_passwords(server, password):
    one = server.keep([item_with(password)])[0]
    wait_ready(server, one)
    assert server.verify(one, "password", password)
    assert not server.verify(one, "password", password[:-1] + "?")


def test_an_empty_password_is_none(server):
    one = server.keep([item_with("")])[0]
    assert server.customer(one)["secrets"] == []
    assert "password" not in server.customer(one)["document"]["person"]
    assert not server.verify(one, "password", "")


def test_one_time_codes_are_nowhere(server):
    code, other = private("code"), private("code")
    twofa = {"targetType": "SMS", "targetValue": private(), "targetCode": code, "inputCode": other}
    answer = server.cyrexa([{"id": private(), "twofa": twofa}])
    one = answer.good()["customerIds"][0]["customerId"]
    shown = server.get(f"/v1/customers/{one}")
    assert shown.json["secrets"] == []
    assert shown.json["document"]["twofa"] == {"targetType": "SMS", "targetValue": twofa["targetValue"],
                                               "codematch": False}
    assert code.encode() not in shown.body and other.encode() not in shown.body
    refused = server.call("POST", f"/v1/customers/{one}/verify", b'{"kind":"code","value":"1"}', server.bearer())
    refused.problem(400, "bad-parameter")


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"kind":"password"}', b'{"kind":"password","value":1}',
                                  b'{"kind":"token","value":"x"}', b'{"value":"x"}', b"{", b'{"kind":1,"value":"x"}'])
def test_verify_of_a_bad_body(server, body):
    one = server.keep([item_with(private())])[0]
    answer = server.call("POST", f"/v1/customers/{one}/verify", body, server.bearer())
    answer.problem(400, answer.json["code"])


def test_verify_needs_the_right_to_read_and_the_tenant(server):
    password = private()
    one = server.keep([item_with(password)])[0]
    body = json.dumps({"kind": "password", "value": password}).encode()
    for party, status in ((server.with_scopes("customers:create"), 403), (server.other_tenant("strangers"), 404)):
        answer = server.call("POST", f"/v1/customers/{one}/verify", body, party.bearer())
        assert answer.status == status and b"match" not in answer.body


def test_another_hashing_thread_count(tmp_path):
    running = Server(tmp_path, "--hash-threads", "2")
    items = [item_with(private()) for _ in range(40)]
    ids = running.keep(items)
    for item, one in zip(items[::8], ids[::8]):
        assert running.verify(one, "password", item["person"]["password"])
    running.end()
