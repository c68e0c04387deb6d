"""A workload that is the same each time, run while one call to the world fails; then the check.

A first run without a fault counts the calls. Each further run fails one of them, and whatever comes of that,
these must hold: an answer is right or one of the documented refusals; a server that failed at start says why and
ends with an error; behind a failed sync nothing more is acknowledged; over the same folder, and with the world in
order again, a new server has everything that was acknowledged, as the crash tests' check sees it.
"""

import http.client
import json
import random

import nth
from checker import Violation
from instance import PATIENCE_S, Reader, Server, StartFailed
from load import Answer, Client, Died, spoil
from oracle import CYREXA, NEXERA, Pen, Recipe
from rounds import Store

REFUSALS = {(503, "storage-stopped"), (507, "storage-full"), (503, "overloaded"), (503, "outcome-unknown")}
LINGER_S = 1
ARGUMENTS = ["--failed-linger", str(LINGER_S), "--stop-timeout", "5", "--store-memory", "16", "--http-threads", "1",
             "--worker-threads", "1", "--hash-threads", "1"]
RECIPES = [Recipe("one", CYREXA, 1), Recipe("two", NEXERA, 1), Recipe("few", CYREXA, 40, secrets=True),
           Recipe("chunks", NEXERA, 2300), Recipe("fat", CYREXA, 60, fat=True),
           Recipe("lenient", NEXERA, 30, lenient=True),
           Recipe("keyed", CYREXA, 20, key="one", nameless=True), Recipe("lane", CYREXA, 6100, key="two")]
REFUSED = Recipe("refused", CYREXA, 1200)
LATER = [Recipe("again", CYREXA, 1), Recipe("more", NEXERA, 1001, key="three")]


class Ended(Exception):
    """The server is gone, or was not to be had."""


class World:
    """One run of the workload."""

    def __init__(self, folder, program, libraries, fault=None):
        self.store = Store(folder, program, ARGUMENTS, random.Random(0), str(fault))
        self.control = nth.Control(folder / "control", self.store.data)
        self.environment = self.control.environment(*libraries)
        self.fault = fault
        self.tenants = {}  # name: key, or None when the answer said no
        self.violations = []
        if fault is not None:
            self.control.arm(fault)

    def wrong(self, kind, sentence):
        self.violations.append(Violation(kind, sentence))

    # ---- the server under the fault ----

    def start(self):
        self.store.server = self.server = Server(self.store.program, self.store.data, self.store.folder / "log",
                                                 ARGUMENTS, self.environment)
        try:
            self.server.wait_ready()
        except StartFailed as failed:
            self.failed_start(str(failed))
            raise Ended from failed
        self.struck_before = self.control.failed()

    def failed_start(self, why):
        """It may fail for the fault only, with a sentence and an error."""
        if self.control.failed() == 0:
            self.wrong("START", f"without a fault: {why}")
        elif self.server.process.returncode == 0:
            self.wrong("START", f"failed, and ended with 0: {why}")
        elif not self.may_crash() and (self.server.process.returncode < 0 or "muster: " not in why):
            self.wrong("START", f"ended with {self.server.process.returncode} without saying why: {why}")

    def may_crash(self):
        """An allocation that fails inside of a C++ library ends the process."""
        return self.fault is not None and self.fault.kind == nth.MEMORY_ALL

    def starves(self):
        """There may be no memory even for a refusal."""
        return self.fault is not None and self.fault.kind in (nth.MEMORY, nth.MEMORY_ALL)

    def gone(self):
        """The connection broke: only a server that ends, or has no memory, may do that."""
        self.server.wait_dead(0.5 if self.starves() else LINGER_S + 5)
        status = self.server.process.poll()
        if status is None:
            if not self.starves():
                self.wrong("ANSWER", "a connection broke while the server went on")
        elif not self.may_crash() and (status < 0 or self.control.failed() == 0):
            self.wrong("ENDED", f"the server ended with {status}: {self.server.log_tail()}")
        raise Ended

    # ---- requests ----

    def answered(self, what, answer):
        """True when it is the yes; else it must be a documented refusal, and there must have been a fault."""
        if answer.status in (200, 201):
            return True
        bare = answer.status == 503 and answer.body is None and self.starves()
        if self.control.failed() == 0 or not (bare or (answer.status, answer.code()) in REFUSALS):
            self.wrong("ANSWER", f"{what}: {answer!r}")
        return False

    def send(self, recipe, items=None):
        try:
            return self.client.send(recipe.contract, items or recipe.items(), recipe.key, recipe.lenient)
        except Died:
            self.gone()
        except ValueError:
            self.wrong("ANSWER", f"batch {recipe.batch}: the answer is not whole")
            raise Ended from None

    def whole(self, pen, recipe):
        stopped = self.must_have_stopped()
        pen.intent(recipe)
        answer = self.send(recipe)
        if self.answered(f"batch {recipe.batch}", answer):
            pen.acknowledged(recipe, answer.ids(), answer.import_id)
            if stopped:
                self.wrong("STOPPED", f"batch {recipe.batch} was acknowledged behind a failed sync")

    def refused(self, pen):
        pen.intent(REFUSED, "refused")
        answer = self.send(REFUSED, spoil(REFUSED, REFUSED.items()))
        if (answer.status, answer.code()) != (422, "faults") and self.answered("the refused batch", answer):
            self.wrong("ANSWER", f"the refused batch: {answer!r}")

    def must_have_stopped(self):
        """A sync has failed under this server while it served."""
        return (self.fault is not None and self.fault.kind == nth.SYNC and
                self.control.failed() > self.struck_before)

    def call(self, method, path, body=None, token=None):
        connection = http.client.HTTPConnection(self.server.host, self.server.port, timeout=PATIENCE_S)
        try:
            connection.request(method, path, None if body is None else json.dumps(body).encode(),
                               {"Authorization": f"Bearer {token or self.server.credentials['accessToken']}",
                                "Content-Type": "application/json"})
            response = connection.getresponse()
            return Answer(response, response.read())
        except (OSError, http.client.HTTPException):
            self.gone()
        finally:
            connection.close()

    def admin(self, path, body):
        return self.call("POST", f"/v1/admin/tenants{path}", body, self.server.credentials["operatorKey"])

    def make_tenant(self, name):
        self.tenants[name] = None
        if self.answered(f"tenant {name}", self.admin("", {"name": name, "createProjects": True})):
            self.tenants[name] = ""
            made = self.admin(f"/{name}/keys", {"name": "key", "scopes": ["customers:read"]})
            if self.answered(f"key of {name}", made):
                self.tenants[name] = made.body["key"]

    def look(self):
        """Reads go on in a store that has stopped, unless it is reading that fails: a file has to be opened for it."""
        path = "/v1/customers?limit=10"
        answer = self.call("GET", path)
        if answer.status != 200 and (self.fault is None or self.fault.kind < nth.READ and self.fault.kind != nth.OPEN):
            self.wrong("READ", f"GET {path}: {answer!r}")

    def secret(self):
        batch = self.store.oracle.batches.get("few")
        if batch is not None and batch.ids is not None:
            path = f"/v1/customers/{batch.ids[0]}/verify"
            answer = self.call("POST", path, {"kind": "password", "value": batch.recipe.password(0)})
            if self.answered("a password", answer) and answer.body != {"match": True}:
                self.wrong("SECRET", f"the right password: {answer!r}")

    # ---- the script ----

    def steps(self, pen, recipes):
        self.client = Client(self.server.host, self.server.port, self.server.credentials)
        for recipe in recipes:
            self.whole(pen, recipe)
        self.refused(pen)
        self.look()
        self.whole(pen, recipes[0])  # again

    def read_oracle(self, path):
        if path.exists():
            self.store.oracle.read(path)

    def life(self, name, recipes, tenant):
        path = self.store.folder / f"oracle.{name}"
        pen = Pen(path)
        try:
            self.start()
            self.make_tenant(tenant)
            self.steps(pen, recipes)
            self.store.oracle.read(path)
            path.unlink()
            self.secret()
            self.end()
        except Ended:
            self.read_oracle(path)
        finally:
            pen.close()
            self.server.kill()

    def end(self):
        """A server whose storage has failed says so and ends by itself; another one is asked to."""
        ready = self.call("GET", "/readyz")
        if ready.status == 503 and ready.code() == "storage-stopped":
            self.server.wait_dead(LINGER_S + 10)
            if self.server.process.poll() != 1:
                self.wrong("ENDED", f"storage failed; the server ended with {self.server.process.poll()}")
            if "storage failed" not in self.server.log.read_text():
                self.wrong("ENDED", "storage failed; the log says nothing")
        elif ready.status not in (200, 507):
            self.wrong("ANSWER", f"/readyz: {ready!r}")
        else:
            self.asked_to_end()

    def asked_to_end(self):
        status = self.server.stop()
        if status != 0 and (self.control.failed() == 0 or status < 0) and not self.may_crash():
            self.wrong("ENDED", f"a stop ended with {status}: {self.server.log_tail()}")

    # ---- behind it ----

    def check_tenants(self):
        with Reader(self.store.server) as operator:
            operator.head = operator.head.replace(self.store.server.bearer(),
                                                  f"Bearer {self.store.server.credentials['operatorKey']}")
            there = {row["name"] for row in operator.get("/v1/admin/tenants")["tenants"]}
        for name, key in self.tenants.items():
            if key is not None and name not in there:
                self.wrong("LOST", f"tenant {name} was acknowledged and is not there")
            elif key:
                self.server = self.store.server
                if self.call("GET", "/v1/customers", token=key).status != 200:
                    self.wrong("LOST", f"the key of {name} was acknowledged and does not work")

    def check(self):
        """Over the same folder, with the world in order."""
        self.control.lift()
        self.store.where = str(self.fault)
        self.store.start(None)
        self.store.ready()
        try:
            self.check_tenants()
            self.store.check()
            self.store.stop()
        finally:
            self.store.server.kill()
        self.store._raise(self.violations)

    def run(self):
        self.life("first", RECIPES, "first")
        self.life("second", LATER, "second")
        self.check()
        return self.control
