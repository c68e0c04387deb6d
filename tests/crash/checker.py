"""Compares what a restarted server shows with what the oracle knows. Pure: it is shown, it doesn't look.

A violation is (kind, sentence). Kinds: LOST, WRONG_ID, DOUBLED, CHANGED, PARTIAL, GHOST, STRANGER,
NOT_FOUND, IMPORT, ANSWER, SECRET, VERIFY, START.
"""

import collections

from oracle import digest

Violation = collections.namedtuple("Violation", "kind sentence")


class Seen:
    """What the server showed.

    customers  [(id, external id, import id)] of the list, page after page
    imports    {import id: row} of the list of imports
    documents  {id: document or None} of those that were asked for by id
    found      {external id: [id, …]} of those that were looked for
    matches    {id: whether its password was accepted}
    """

    def __init__(self, customers=(), imports=None, documents=None, found=None, matches=None):
        self.customers, self.imports = list(customers), imports or {}
        self.documents, self.found, self.matches = documents or {}, found or {}, matches or {}
        self.ids_of = collections.defaultdict(list)
        for customer_id, external_id, _ in self.customers:
            self.ids_of[external_id].append(customer_id)


def _check_listed(oracle, seen):
    """Nobody twice, nobody whom no one sent."""
    known = {name for batch in oracle.batches.values() for name in batch.external_ids}
    for name, ids in seen.ids_of.items():
        if name not in known:
            yield Violation("STRANGER", f"{name} is visible; nobody sent it")
        if len(ids) > 1:
            yield Violation("DOUBLED", f"{name} is visible {len(ids)} times: {ids}")
    if len({customer_id for customer_id, _, _ in seen.customers}) < len(seen.customers):
        yield Violation("DOUBLED", "the list names an id twice")


def _check_acknowledged(oracle, seen):
    for batch in oracle.acknowledged():
        for name, customer_id in zip(batch.external_ids, batch.ids):
            ids = seen.ids_of.get(name, [])
            if not ids:
                yield Violation("LOST", f"{name} was acknowledged as {customer_id} and is not there")
            elif customer_id not in ids:
                yield Violation("WRONG_ID", f"{name} was acknowledged as {customer_id} and is {ids[0]}")


def _check_unacknowledged(oracle, seen):
    for batch in oracle.open_ended():
        visible = sum(1 for name in batch.external_ids if name in seen.ids_of)
        if visible not in (0, len(batch.external_ids)):
            yield Violation("PARTIAL", f"batch {batch.recipe.batch}: {visible} of {len(batch.external_ids)} visible")
    for batch in oracle.refused():
        visible = sum(1 for name in batch.external_ids if name in seen.ids_of)
        if visible > 0:
            yield Violation("GHOST", f"batch {batch.recipe.batch} was refused; {visible} of it are visible")


def _check_content(oracle, seen):
    digests = {}
    for batch in oracle.acknowledged():
        digests.update(zip(batch.ids, batch.digests))
    for customer_id, document in seen.documents.items():
        if document is None:
            yield Violation("NOT_FOUND", f"{customer_id} is not found by its id")
        elif customer_id in digests and digest(document) != digests[customer_id]:
            yield Violation("CHANGED", f"{customer_id} has other content than was sent")


def _check_found(oracle, seen):
    for batch in oracle.acknowledged():
        for name, customer_id in zip(batch.external_ids, batch.ids):
            ids = seen.found.get(name)
            if ids is not None and ids != [customer_id]:
                yield Violation("NOT_FOUND", f"{name} finds {ids} instead of {customer_id}")


def _check_imports(oracle, seen):
    listed = collections.Counter(import_id for _, _, import_id in seen.customers)
    is_open = [import_id for import_id, row in seen.imports.items() if row["state"] == "open"]
    if len(is_open) > len(oracle.resumable()):
        yield Violation("IMPORT", f"imports {is_open} are still open, {len(oracle.resumable())} may be")
    for import_id, row in seen.imports.items():
        created = row["counts"]["created"] if row["state"] == "committed" else 0
        if created != listed[import_id]:
            yield Violation("IMPORT", f"import {import_id}, {row['state']}, says {created} created, "
                                      f"{listed[import_id]} are visible")
    for import_id in listed.keys() - seen.imports.keys():
        yield Violation("IMPORT", f"customers of import {import_id} are visible; there is no such import")
    for batch in oracle.acknowledged():
        for import_id in batch.imports:
            yield from _check_import_of(batch, import_id, seen.imports.get(import_id))


def _check_import_of(batch, import_id, row):
    """The import that acknowledged a batch counts it whole."""
    count = len(batch.external_ids)
    if row is None or row["state"] != "committed":
        state = "not there" if row is None else row["state"]
        yield Violation("IMPORT", f"import {import_id} acknowledged batch {batch.recipe.batch} and is {state}")
    elif (row["counts"]["received"] != count + batch.recipe.lenient or
          row["counts"]["created"] + row["counts"]["existing"] != count):
        yield Violation("IMPORT", f"import {import_id} counts {row['counts']} for {count} customers")


def _check_answers(oracle, seen):
    for sentence in oracle.surprises:
        yield Violation("ANSWER", sentence)
    for customer_id, match in seen.matches.items():
        if not match:
            yield Violation("SECRET", f"{customer_id} no longer has its password")


def check(oracle, seen):
    """All violations."""
    checks = (_check_listed, _check_acknowledged, _check_unacknowledged, _check_content, _check_found,
              _check_imports, _check_answers)
    return [violation for one in checks for violation in one(oracle, seen)]


def check_retry(batch, ids, seen):
    """A retried batch's answer against what was visible before it."""
    for name, customer_id in zip(batch.external_ids, ids):
        before = seen.ids_of.get(name, [])
        if before and customer_id not in before:
            return [Violation("WRONG_ID", f"{name} was visible as {before[0]}; a retry answers {customer_id}")]
    return []
