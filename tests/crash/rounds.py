"""Rounds: a store is put under load, killed, perhaps loses power, is started again and checked.

One store lives through several rounds, then a fresh one takes its place. Each round's plan is drawn from
the seed; the moment of the kill is too, but what the server does at that moment is not, so a replay
repeats the plan, not the instant.
"""

import shutil
import time

import power
from checker import Violation, check, check_retry, Seen
from instance import PATIENCE_S, SANITIZED, Reader, Server, StartFailed, stores, tool, verify
from load import EVERYTHING, Client, Load
from oracle import Oracle, Pen

# Customers of a check that are asked for by id and by external id, new and old ones; all are in the list.
LOOK_UP_MAX = (150, 30) if stores.IS_POSTGRES else (1000, 200)  # each is several questions to a database
PASSWORDS_MAX = 2
MEND_MAX = 3
LITTLE_MEMORY = ["--store-memory", "16"]  # MiB: many flushes and compactions
SLOW = 4 if SANITIZED else 1


class Plan:
    """What one round does."""

    def __init__(self, luck, cuts, aimed, manner):
        self.load_s = luck.triangular(0.2 * SLOW, manner.load_max_s * SLOW, 0.3 * SLOW)
        # Or killed at this operation on files behind the beginning of the load, if it comes to it: most are syncs.
        self.kill_at = luck.randint(2, 120) if luck.random() < aimed else None
        self.cut = luck.choice([power.STRICT, power.TORN]) if luck.random() < cuts else None
        self.delay_us = luck.choice([0, 0, 3000, 15000])  # that syncs take longer, under a journal
        self.stop_first = luck.random() < 0.25         # a clean stop and start before the load
        self.verify_first = luck.random() < 0.5        # before the restart, as the crash left it
        self.interrupted = luck.random() < 0.3         # the restart is killed as well:
        self.interrupt_at = luck.randint(0, 120)        # at this operation of it, under a journal,
        self.interrupt_s = luck.uniform(0.005, 0.3) * SLOW  # or else after this time

    def has_journal(self):
        return self.cut is not None or self.kill_at is not None

    def __repr__(self):
        return ", ".join(f"{name}={value}" for name, value in vars(self).items())


class Found(Exception):
    """Violations, and the round that has them."""

    def __init__(self, where, violations):
        kinds = sorted({violation.kind for violation in violations})
        lines = "\n".join(f"  {violation.kind}: {violation.sentence}" for violation in violations[:20])
        super().__init__(f"{where}: {len(violations)} violations of kinds {', '.join(kinds)}\n{lines}")
        self.violations, self.kinds = violations, kinds


class Store:
    """One data folder, its oracle, and the server over it, if one is running."""

    manner = EVERYTHING
    look_up_max = LOOK_UP_MAX

    def __init__(self, folder, program, arguments, luck, name):
        folder.mkdir(parents=True)
        self.folder, self.program, self.arguments, self.luck, self.name = folder, program, arguments, luck, name
        self.data = folder / "data"
        self.data.mkdir(mode=0o700)  # as an installation does; test_crash_start.py lets the server make it
        self.oracle = Oracle()
        self.server = self.journal = None
        self.where = name
        self.checked = set()  # batches that were looked up before
        self.taken_back = [0, 0, 0]  # names, files, bytes
        self.unanswered = self.crashes = 0

    # ---- the server ----

    def start(self, plan, kill_at=None):
        """Under a journal if the plan needs one."""
        environment = {}
        self.journal = None
        if plan is not None and plan.has_journal():
            self.journal = power.Journal(self.folder, self.data)
            environment = self.journal.environment(tool("power_cut.so"), plan.delay_us)
            if kill_at is not None:
                self.journal.kill_at(kill_at)
        self.server = Server(self.program, self.data, self.folder / "log", self.arguments, environment)

    def ready(self):
        try:
            self.server.wait_ready()
        except StartFailed as failed:
            self._raise([Violation("START", str(failed))])

    def kill(self, plan):
        self.server.kill()
        if plan.cut:
            taken = power.cut(self.journal, self.luck, plan.cut)
            self.taken_back = [sum(pair) for pair in zip(self.taken_back, taken)]

    def stop(self):
        status = self.server.stop()
        if status != 0:
            self._raise([Violation("START", f"a stop ended with {status}: {self.server.log_tail()}")])
        self.verify(self.data)

    def verify(self, data):
        status, text = verify(self.program, data)
        if status != 0:
            self._raise([Violation("VERIFY", line) for line in text.splitlines()])

    def verify_copy(self):
        """Of the store as the crash left it: the restart must find it so, not as verify leaves it."""
        copy = self.folder / "copy"
        shutil.copytree(self.data, copy)
        stores.copy(self.data, copy)
        self.verify(copy)
        shutil.rmtree(copy)
        stores.forget(copy)

    def _raise(self, violations):
        if violations:
            raise Found(self.where, violations)

    # ---- checking ----

    def _look_up(self, reader, seen):
        """By id and external id: all of what is new, as far as the limit goes, and some of the old."""
        pairs = {True: [], False: []}
        for batch in self.oracle.acknowledged():
            pairs[batch.recipe.batch in self.checked] += zip(batch.external_ids, batch.ids)
            self.checked.add(batch.recipe.batch)
        fresh, old = pairs[False], pairs[True]
        some = [one for pairs, most in zip((fresh, old), self.look_up_max)
                for one in self.luck.sample(pairs, min(len(pairs), most))]
        seen.documents = reader.documents([customer_id for _, customer_id in some])
        nameless = {name for batch in self.oracle.acknowledged() if batch.recipe.nameless
                    for name in batch.external_ids}
        seen.found = reader.find([name for name, _ in some if name not in nameless])

    def _passwords(self, reader, seen):
        have = {}
        for batch in self.oracle.acknowledged():
            for index, customer_id in enumerate(batch.ids):
                if batch.recipe.password(index):
                    have[customer_id] = batch.recipe.password(index)
        some = self.luck.sample(sorted(have), min(len(have), PASSWORDS_MAX))
        seen.matches = reader.passwords({customer_id: have[customer_id] for customer_id in some})

    def _see(self, look_up):
        with Reader(self.server) as reader:
            seen = Seen(reader.customers(), reader.imports())
            if look_up:
                self._look_up(reader, seen)
                self._passwords(reader, seen)
        return seen

    def _retry(self, seen):
        """What was never answered is sent again, as a client would; so is some of what was refused."""
        path = self.folder / f"oracle.{self.where.replace(' ', '-')}.retries"
        client, pen = Client(self.server.host, self.server.port, self.server.credentials), Pen(path)
        refused = self.oracle.refused()
        violations = []
        for batch in self.oracle.open_ended() + self.luck.sample(refused, min(len(refused), MEND_MAX)):
            pen.intent(batch.recipe)
            answer = client.send_recipe(batch.recipe)
            if answer.status == 200:
                violations += check_retry(batch, answer.ids(), seen)
                pen.acknowledged(batch.recipe, answer.ids(), answer.import_id)
            else:
                pen.unexpected(f"batch {batch.recipe.batch} retried: {answer!r}")
        pen.close()
        self.oracle.read(path)
        return violations

    def check(self):
        seen = self._see(look_up=True)
        self._raise(check(self.oracle, seen))
        self._raise(self._retry(seen))
        self._raise(check(self.oracle, self._see(look_up=False)))

    # ---- a round ----

    def round(self, number, plan):
        self.where = f"{self.name} round {number}"
        self.start(plan)
        self.ready()
        self.check()
        if plan.stop_first:
            self.stop()
            self.start(plan)
            self.ready()
        load = Load(self.server, self.folder, self.luck, f"{self.name}.{number}", manner=self.manner)
        if plan.kill_at is not None:
            self.journal.kill_at(self.journal.count() + plan.kill_at)
        self.server.wait_dead(self.manner.load_max_s * SLOW if plan.kill_at else plan.load_s)
        self.kill(plan)
        for path in load.join():
            self.oracle.read(path)
        self.crashes += 1
        self.unanswered += len(self.oracle.open_ended())
        if plan.interrupted:
            self.start(plan, plan.interrupt_at)
            self.server.wait_end(PATIENCE_S if plan.has_journal() else plan.interrupt_s)
            self.kill(plan)
        if plan.verify_first:
            self.verify_copy()

    def finish(self):
        """The last restart, and a sweep that had its time."""
        self.where = f"{self.name} end"
        self.start(None)
        self.ready()
        self.check()
        time.sleep(0.3)
        self.stop()

    def remove(self):
        if self.server is not None:
            self.server.kill()
        shutil.rmtree(self.folder)
        stores.forget(self.data)


class Totals:
    """What campaigns have seen, for a summary."""

    def __init__(self):
        self.rounds = self.cuts = self.acknowledged = self.unanswered = self.names = self.files = self.bytes = 0

    def add(self, store):
        self.rounds += store.crashes
        self.acknowledged += sum(len(batch.ids) for batch in store.oracle.acknowledged())
        self.unanswered += store.unanswered
        for name, count in zip(("names", "files", "bytes"), store.taken_back):
            setattr(self, name, getattr(self, name) + count)

    def __repr__(self):
        return (f"{self.rounds} rounds, {self.acknowledged} customers acknowledged, {self.unanswered} batches unanswered "
                f"at a crash; {self.cuts} power cuts took back {self.names} names and {self.bytes} bytes of "
                f"{self.files} files")


def campaign(folder, luck, rounds, program, arguments=(), cuts=0.5, aimed=0.4, totals=None, manner=EVERYTHING):
    """Runs rounds until one finds violations: raises Found then, and leaves its store for a look. cuts and
    aimed are the shares of rounds that cut the power and that kill at an operation; manner is what the clients do."""
    totals, store, left = totals or Totals(), None, 0
    if stores.IS_POSTGRES:  # the power is the database's, and what the server does to files does not matter
        cuts = aimed = 0
    for number in range(rounds):
        if left == 0:
            memory = luck.choice([[], LITTLE_MEMORY])
            store = Store(folder / f"store{number}", program, [*arguments, *memory], luck, f"store{number}")
            store.manner = manner
            left = min(rounds - number, luck.randint(*manner.rounds_of_a_store))
        plan = Plan(luck, cuts, aimed, manner)
        left -= 1
        try:
            store.round(number, plan)
            if left == 0:
                store.finish()
        except Found as found:
            store.server.kill()
            found.args = (f"{found}\n  plan: {plan!r}\n  store: {store.folder} {store.arguments}",)
            raise
        totals.cuts += plan.cut is not None
        if left == 0:
            totals.add(store)
            store.remove()
    return totals
