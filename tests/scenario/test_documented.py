"""The two documented requests, word for word: by curl, by axios, and by their bodies; and their answers."""

import json
import pathlib
import shutil
import subprocess

import pytest

from muster import HERE, ROOT, UUID, clean_environment, private

DOCUMENTED = HERE / "documented"
CYREXA = (ROOT / "examples/cyrexa-createBulk.json").read_bytes()
NEXERA = (ROOT / "examples/nexera-customers-batch.json").read_bytes()


def program(name):
    path = shutil.which(name)
    assert path, f"{name} is not installed; ./dev test installs it"
    return path


@pytest.fixture(scope="session")
def node_modules():
    """axios as package-lock.json says; over the network only when it is not here yet."""
    wanted = json.loads((HERE / "package-lock.json").read_text())["packages"]["node_modules/axios"]["version"]
    installed = HERE / "node_modules/axios/package.json"
    if not installed.is_file() or json.loads(installed.read_text())["version"] != wanted:
        subprocess.run([program("npm"), "ci", "--no-audit", "--no-fund"], cwd=HERE, check=True, timeout=120)
    return HERE / "node_modules"


def run_documented_curl(server):
    command = (DOCUMENTED / "cyrexa-createBulk.sh").read_text()
    for documented, real in [("https://gateway.cyrexa.com", server.url), ("Bearer <token>", f"Bearer {server.token}"),
                             ("<tenantid>", server.tenant), ("token: <token>", f"token: {server.tenant_token}")]:
        assert command.count(documented) == 1
        command = command.replace(documented, real)
    program("curl")
    done = subprocess.run(["sh", "-c", command], capture_output=True, timeout=60, check=True,
                          env=clean_environment(no_proxy="*"))
    return json.loads(done.stdout)


def run_documented_axios(server, node_modules, folder: pathlib.Path):
    program_text = (DOCUMENTED / "nexera-createCustomers.js").read_text()
    for documented, real in [("https://api.nexera.id", server.url), ("<TOKEN>", server.token)]:
        assert program_text.count(documented) == 1
        program_text = program_text.replace(documented, real)
    script = folder / "documented.js"
    script.write_text(program_text)
    done = subprocess.run([program("node"), str(script)], capture_output=True, timeout=60, check=True,
                          env=clean_environment(NODE_PATH=str(node_modules), no_proxy="*"))
    return json.loads(done.stdout)


def assert_cyrexa_answer(server, answer, count=1):
    assert answer["tenantId"] == server.tenant
    assert list(answer) == ["tenantId", "customerIds"]
    assert len(answer["customerIds"]) == count
    for entry in answer["customerIds"]:
        assert list(entry) == ["customerId"]
        assert UUID.fullmatch(entry["customerId"])


def test_curl_as_documented(server):
    first = run_documented_curl(server)
    assert_cyrexa_answer(server, first)
    assert run_documented_curl(server) == first
    assert server.cyrexa(CYREXA).good() == first


def test_axios_as_documented(server, node_modules, tmp_path):
    first = run_documented_axios(server, node_modules, tmp_path)
    assert isinstance(first, list) and len(first) == 1 and UUID.fullmatch(first[0])
    assert run_documented_axios(server, node_modules, tmp_path) == first
    assert server.nexera(NEXERA).good() == first


def test_the_examples_are_the_documented_bodies(tmp_path):
    script = (DOCUMENTED / "cyrexa-createBulk.sh").read_text()
    assert json.loads(script[script.index("'[") + 1:script.rindex("'")]) == json.loads(CYREXA)
    script = (DOCUMENTED / "nexera-createCustomers.js").read_text()
    body = script[script.index("stringify(") + len("stringify("):script.index("\n});") + 2]
    assert json.loads(body) == json.loads(NEXERA)


def test_cyrexa_answer_headers(server):
    answer = server.cyrexa(CYREXA)
    assert_cyrexa_answer(server, answer.good())
    assert answer.headers["Content-Type"] == "application/json"
    assert UUID.fullmatch(answer.headers["Request-Id"])
    assert UUID.fullmatch(answer.headers["Muster-Import"])
    assert server.get(f"/v1/imports/{answer.headers['Muster-Import']}").good()["state"] == "committed"


def test_what_was_sent_is_kept(server):
    sent = json.loads(CYREXA)[0]
    customer = server.customer(server.cyrexa(CYREXA).good()["customerIds"][0]["customerId"])
    del sent["person"]["pinCode"], sent["person"]["password"], sent["person"]["SecretQuestion"][0]["answer"]
    del sent["twofa"]["targetCode"], sent["twofa"]["inputCode"]
    assert customer["document"] == sent
    assert customer["contract"] == "cyrexa"
    sent = json.loads(NEXERA)
    customer = server.customer(server.nexera(NEXERA).good()[0])
    assert customer["document"] == sent["customerData"][0]
    assert (customer["contract"], customer["project"], customer["type"]) == ("nexera", "string", "Individual")


def test_an_empty_array_is_answered_by_none(server):
    with server.nothing_kept():
        assert server.cyrexa([]).good() == {"tenantId": server.tenant, "customerIds": []}
        assert server.nexera([]).good() == []
        assert server.cyrexa(" [\n] ").good()["customerIds"] == []


ORDERS = [("customerType", "customerData", "cmsProjectId"), ("cmsProjectId", "customerType", "customerData"),
          ("customerData", "cmsProjectId", "customerType")]


@pytest.mark.parametrize("order", ORDERS, ids=" ".join)
def test_the_envelope_comes_in_any_order(server, order):
    items = [{"customerClaims": {"sub": private(f"order-{i}-")}} for i in range(3)]
    body = server.nexera_body(items)
    ids = server.nexera(json.dumps({name: body[name] for name in order})).good()
    assert [server.customer(one)["document"] for one in ids] == items
    assert {server.customer(one)["project"] for one in ids} == {"demo"}


def test_ids_come_in_input_order(server):
    items = [{"id": private(f"in-order-{i}-")} for i in range(2500)]
    ids = server.keep(items)
    assert len(set(ids)) == len(ids)
    assert ids == sorted(ids)
    for i in (0, 1, 999, 1000, 1001, 1999, 2000, 2499):
        assert server.customer(ids[i])["document"] == items[i]


@pytest.mark.parametrize("count", [1001, 1100, 2001, 3500])
def test_ids_come_in_input_order_whichever_part_is_checked_first(server, count):
    """Order by id is order of the input, also where the last few items overtake a thousand before them."""
    for _ in range(10):
        ids = server.keep([{"customerName": "x"} for _ in range(count)])
        assert ids == sorted(ids)


def test_company_and_organization(server):
    one = server.nexera([{"customerClaims": {"name": private("Ltd ")}}], envelope={"customerType": "Company"}).good()
    assert server.customer(one[0])["type"] == "Company"
    one = server.keep([{"id": private(), "customerType": "Organization", "organization": {"name": private("Inc ")}}])
    customer = server.customer(one[0])
    assert customer["type"] == "Organization"
    assert [finding["code"] for finding in customer["findings"]] == ["unnamed-member"]


def test_musters_own_contract(server):
    customers = [{"externalId": private("own-"), "email": f"{private()}@example.org"}, {"name": private()}]
    answer = server.call("POST", "/v1/customers", json.dumps({"customers": customers}).encode(),
                         server.bearer(**{"Content-Type": "application/json"})).good()
    assert [server.customer(entry["id"])["document"] for entry in answer["customers"]] == customers
