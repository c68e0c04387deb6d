"""The line to the database is cut, falls silent or says no: at every kind of statement, before, inside and after its
answer, above all at COMMIT. What is answered yes is kept once; what is not can be sent again."""

import collections
import os
import random
import re
import threading
import urllib.parse

import pytest

import cluster
import wire
from instance import LEVEL, binary
from oracle import CYREXA, NEXERA, Recipe
from registry import Campaign, Registry, parts

FULL = LEVEL in ("full", "soak")
CUTS = int(os.environ.get("MUSTER_POSTGRES_CUTS", 10000 if FULL else 200))
CUTS_EACH = 1000  # in one database, by one server, whose tokens hold for an hour
# Refused: it has not happened. The first row is what the store decides again by itself.
AGAIN = ["40001", "40P01", "55P03"]
GONE = ["57P01", "57P02", "57P03", "08006", "08003", "53300"]
OTHER = ["57014", "53200", "XX000"]
FULL_DISK = ["53100"]
# Told for a COMMIT that has happened.
UNKNOWN = ["40003", "08007", "08006", "57P01"]


class Plans:
    """A script for the proxy: every so many statements, one of them meets with something."""

    def __init__(self, luck, every=(1, 8), commits=0.95, silent=0.03 if FULL else 0):
        self.luck, self.every, self.commits, self.silent = luck, every, commits, silent
        self.left, self.armed = luck.randint(*every), True
        self.done = collections.Counter()

    def _action(self):
        end = self.luck.choices([wire.CLOSE, wire.RESET, wire.SILENT], [0.5, 0.5, self.silent])[0]
        kind = self.luck.choices(["cut", "deny", "warn", "refuse", "late"], [80, 5, 5, 5, 5])[0]
        if kind == "late":
            return wire.Late(self.luck.uniform(0, 1))
        if kind == "cut":
            return wire.Cut(self.luck.choice(wire.POSITIONS), end)
        if kind == "warn":
            return wire.Warn()
        if kind == "deny":
            return wire.Deny(self.luck.choice(UNKNOWN), fatal=self.luck.random() < 0.5)
        return wire.Refuse(self.luck.choice(AGAIN))

    def __call__(self, statement):
        if not self.armed:
            return None
        is_commit = wire.is_commit(statement.sql) and statement.wrote
        if not is_commit and self.luck.random() < self.commits:
            return None
        self.left -= 1
        if self.left > 0:
            return None
        self.left = self.luck.randint(*self.every)
        action = self._action()
        if not is_commit and not isinstance(action, wire.Cut):
            action = wire.Refuse(self.luck.choice(AGAIN + ["57P01"]), fatal=self.luck.random() < 0.2)
        where = action.where if isinstance(action, wire.Cut) else type(action).__name__.lower()
        self.done[f"{'commit' if is_commit else 'other'} {where}"] += 1
        return action


class Line:
    """A registry behind a proxy."""

    def __init__(self, folder, luck, program, arguments=()):
        self.database = cluster.shared().create_database()
        parts = urllib.parse.urlsplit(cluster.shared().url())
        self.proxy = wire.Proxy((parts.hostname, parts.port))
        self.registry = Registry(folder / "registry", self.proxy.url(self.database), luck, program, arguments)

    def __enter__(self):
        self.registry.start_node()
        return self

    def __exit__(self, *_):
        self.registry.__exit__()
        self.proxy.__exit__()
        cluster.shared().drop_database(self.database)

    def rows(self, sql):
        return cluster.shared().primary.rows(sql, self.database)


@pytest.fixture(name="line")
def make_line(tmp_path, luck):
    with Line(tmp_path, luck, binary()) as line:
        yield line


def cut_many(line, luck, cuts, plans=None, sizes=(76, 20, 4)):
    """A campaign under cuts, followed by a check over a line that holds. Plans, with what was done."""
    plans = plans or Plans(luck)
    line.proxy.script = plans
    campaign = Campaign(line.registry, "c", luck.random(), sizes=sizes, answers_may_break=plans.silent > 0)
    cluster.wait_until(lambda: campaign.stopping.is_set() or sum(plans.done.values()) >= cuts, "enough is cut",
                       60 + 2 * cuts)
    plans.armed = False
    campaign.stop()
    line.registry.settle()
    line.registry.check()
    line.proxy.script = lambda statement: None
    return plans, campaign.again()


@pytest.mark.parametrize("count", parts(CUTS, CUTS_EACH))
def test_many_cuts(line, luck, note, count):
    plans, sent_again = cut_many(line, luck, count)
    visible = line.registry.finish_check(line.rows)
    said = ", ".join(f"{count} {name}" for name, count in sorted(plans.done.items()))
    note(f"cuts: {said}; {visible} customers, {sent_again} requests sent again")
    assert sum(count for name, count in plans.done.items() if name.startswith("commit")) >= count // 4


# ---- one at a time, at each kind of statement ----

WORK = [Recipe("one", CYREXA, 1), Recipe("few", NEXERA, 40), Recipe("keyed", CYREXA, 20, key="key", nameless=True),
        Recipe("chunks", NEXERA, 2300, key="stream"), Recipe("lenient", NEXERA, 30, lenient=True),
        Recipe("secret", CYREXA, 98, secrets=True)]


def kind_of(statement):
    """Its text without what differs from one to the next; the COMMIT of what was only read is of another kind."""
    sql = statement.sql
    if wire.is_commit(sql) and not statement.wrote:
        return "COMMIT of a look"
    return re.sub(r"\d+", "#", re.sub(r"'[^']*'", "'…'", " ".join(sql.split())))[:200]


class Watch:
    """A script that lets all pass and counts each kind; then, armed, does something once."""

    def __init__(self):
        self.kinds, self.target, self.action, self.skip, self.struck = collections.Counter(), None, None, 0, 0
        self.lock = threading.Lock()

    def arm(self, target, action, skip=0):
        self.target, self.action, self.skip, self.struck = target, action, skip, 0

    def __call__(self, statement):
        kind = kind_of(statement)
        with self.lock:
            self.kinds[kind] += 1
            if kind != self.target or self.struck:
                return None
            if self.skip > 0:
                self.skip -= 1
                return None
            self.struck += 1
            return self.action


class Worker(Campaign):
    """The same work each time, with other names: what kinds of statements it needs is the same."""

    def __init__(self, registry, name):
        super().__init__(registry, name, 0, batches=0, clients=1)
        self.clients[0].join()

    def run(self):
        client = self.clients[0]
        for recipe in WORK:
            members = {**recipe.line(), "batch": f"{self.name}.{recipe.batch}"}
            if recipe.key is not None:
                members["key"] = f"{self.name}-{recipe.key}"
            client.one(Recipe(**members))
        return client


@pytest.fixture(name="watched")
def watch(line):
    """The line, with a watch that has seen what kinds there are."""
    line.watch = line.proxy.script = Watch()
    for number in range(2):
        Worker(line.registry, f"w{number}").run()
    assert any(wire.is_commit(kind) for kind in line.watch.kinds), line.watch.kinds
    return line


def strike(line, number, kind, action, again=None):
    """The work while one statement meets with the action; True if it did. again: the most requests sent again."""
    line.watch.arm(kind, action)
    client = Worker(line.registry, f"s{number}").run()
    struck = line.watch.struck
    line.watch.arm(None, None)
    assert again is None or client.again <= again, f"{kind} {action}: sent again {client.again} times"
    return struck > 0


def pick(luck, plans):
    return plans if FULL else luck.sample(plans, min(len(plans), 8))


def finish(line, struck, note, what):
    line.registry.finish_check(line.rows)
    note(f"{what}: {struck} of {len(line.watch.kinds)} kinds of statements")
    assert struck > 0


def test_refusals_of_each_statement(watched, luck, note):
    """What others were in the way of, and what a server says that goes, is done again without the client's help."""
    plans = [(kind, wire.Refuse(code, fatal=code in GONE)) for kind in sorted(watched.watch.kinds)
             for code in AGAIN + GONE]
    struck = sum(strike(watched, number, *plan, again=0) for number, plan in enumerate(pick(luck, plans)))
    finish(watched, struck, note, "refused")


def test_other_errors_at_each_statement(watched, luck, note):
    """A client may be told; it sends its batch again."""
    watched.registry.refusals |= {(507, "storage-full"), (503, "storage-stopped")}
    plans = [(kind, wire.Refuse(code)) for kind in sorted(watched.watch.kinds) for code in OTHER + FULL_DISK]
    struck = sum(strike(watched, number, *plan) for number, plan in enumerate(pick(luck, plans)))
    finish(watched, struck, note, "other errors")


def test_cuts_at_each_statement(watched, luck, note):
    plans = [(kind, wire.Cut(where, end)) for kind in sorted(watched.watch.kinds) for where in wire.POSITIONS
             for end in (wire.CLOSE, wire.RESET)]
    struck = sum(strike(watched, number, *plan, again=0) for number, plan in enumerate(pick(luck, plans)))
    finish(watched, struck, note, "cut")


def test_commits_whose_outcome_is_not_told(watched, luck, note):
    """Each is settled, by what the transaction wrote, without the client's help."""
    commits = [kind for kind in watched.watch.kinds if wire.is_commit(kind)]
    actions = [wire.Cut(where) for where in wire.POSITIONS] + [wire.Warn(), wire.Late(0.3), wire.Late(1.5)]
    actions += [wire.Deny(code, fatal) for code in UNKNOWN for fatal in (False, True)]
    struck = 0
    for number, action in enumerate(actions * (10 if FULL else 1)):
        watched.watch.arm(commits[0], action, skip=luck.randint(0, 8))
        client = Worker(watched.registry, f"u{number}").run()
        struck += watched.watch.struck
        assert client.again == 0, f"{action}: sent again {client.again} times"
    watched.watch.arm(None, None)
    finish(watched, struck, note, "untold commits")


@pytest.mark.full  # a silent line is waited for
def test_a_silent_line_is_given_up(watched):
    """The database is there and says nothing: the client is answered in time, and another connection serves."""
    commits = [kind for kind in watched.watch.kinds if wire.is_commit(kind)]
    for number, where in enumerate([wire.BEFORE, wire.DROPPED]):
        watched.watch.arm(commits[0], wire.Cut(where, wire.SILENT))
        Worker(watched.registry, f"q{number}").run()
        assert watched.watch.struck == 1
    watched.watch.arm(None, None)
    watched.registry.finish_check(watched.rows)


@pytest.mark.full  # so is a database that is away
def test_an_outcome_that_can_not_be_found_out_is_told(line):
    """The answer to COMMIT is lost, and so is the database for longer than a request may wait: 503, and the same
    request with its key is answered with what was kept, once the database is back."""
    script = {"gone": False, "armed": False}
    taking = set()  # connections that write customers: others renew leases meanwhile

    def lose_it(statement):
        if "muster_body" in statement.sql:
            taking.add(statement.link)
        if wire.is_commit(statement.sql) and statement.link in taking and script["armed"]:
            script.update(armed=False, gone=True)
            line.proxy.to = ("127.0.0.1", cluster.free_port())
            return wire.Cut(wire.DROPPED)
        return None
    address = line.proxy.to
    Worker(line.registry, "before").run()
    client = Campaign(line.registry, "x", 0, batches=0, clients=1).clients[0]
    client.join()
    recipe = Recipe("unknown", CYREXA, 10, key="unknown", nameless=True)
    line.registry.oracle.intend(recipe, "whole", recipe.digests())
    script["armed"] = True
    line.proxy.script = lose_it
    _, http = client._client()
    answer = http.send_once(recipe)
    assert script["gone"]
    assert (answer.status, answer.code()) == (503, "outcome-unknown"), answer
    line.proxy.to = address
    client.one(recipe)
    assert line.registry.oracle.batches["unknown"].ids is not None
    line.registry.finish_check(line.rows)
