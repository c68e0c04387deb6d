"""What the clients know: every attempt before it is sent, every answer before the client goes on.

A client process appends lines to a file of its own, and syncs an answer's line before its next step;
the test reads the files once the server is dead. Customers are made from a recipe, a pure function,
so that a retry sends the same bytes, and what the server shows can be compared by digest.
"""

import hashlib
import json
import os

CYREXA, NEXERA = "cyrexa", "nexera"
PASSWORD_EVERY = 97


def canonical(document):
    return json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def digest(document):
    return hashlib.sha256(canonical(document)).hexdigest()[:16]


class Recipe:
    """A batch: how many customers of which contract, with which external ids; or without such, as `nameless`
    Cyrexa customers, which only an idempotency key, sent if there is one, keeps from being made twice. A `lenient`
    one has an item more, which can't be taken, and is sent so that the others are."""

    def __init__(self, batch, contract, count, fat=False, secrets=False, key=None, nameless=False, lenient=False):
        self.batch, self.contract, self.count, self.fat, self.secrets = batch, contract, count, fat, secrets
        self.key, self.nameless, self.lenient = key, nameless, lenient

    def line(self):
        return vars(self)

    def external_id(self, index):
        return f"{self.batch}-{index}"

    def external_ids(self):
        return [self.external_id(index) for index in range(self.count)]

    def password(self, index):
        """Of an item that has one in the clear, else None."""
        has = self.secrets and self.contract == CYREXA and index % PASSWORD_EVERY == 0
        return f"pass-{self.external_id(index)}" if has else None

    def document(self, index):
        """The customer as the server shows it: without its secrets."""
        name = self.external_id(index)
        filler = "lorem ipsum " * 110 if self.fat else "short"
        if self.contract == CYREXA:
            return {**({} if self.nameless else {"id": name}),
                    "customerType": "Person", "customerName": name, "categorization": "category2",
                    "person": {"fullName": f"Łucja {name}", "email": f"{name}@example.org", "placeOfBirth": filler,
                               "telephoneNumbers": [{"phoneType": "fixed", "number": f"+4930{index:07d}"}]}}
        wallet = hashlib.sha1(name.encode()).hexdigest()
        return {"customerWallet": {"wallet": f"0x{wallet}", "blockchainNamespace": "eip155", "verified": False},
                "customerClaims": {"sub": name, "name": name, "nickname": f"日本 {name}", "address": filler,
                                   "nationality": "ESP"}}

    def item(self, index):
        item, password = self.document(index), self.password(index)
        if password:
            item["person"]["password"] = password
        return item

    def items(self):
        """What is sent."""
        more = [self.faulty(self.count)] if self.lenient else []
        return [self.item(index) for index in range(self.count)] + more

    def faulty(self, index):
        """An item that no server may take."""
        item = self.document(index)
        if self.contract == CYREXA:
            item["customerType"] = "Nobody"
        else:
            item["customerWallet"]["blockchainNamespace"] = "nowhere"
        return item

    def digests(self):
        return [digest(self.document(index)) for index in range(self.count)]


class Pen:
    """A client's own file."""

    def __init__(self, path):
        self.file = open(path, "ab", buffering=0)

    def _line(self, **members):
        self.file.write(json.dumps(members).encode() + b"\n")

    def intent(self, recipe, kind="whole"):
        """Before the bytes leave. kind: whole, or refused: what is sent must not be taken."""
        self._line(intent=recipe.line(), kind=kind, digests=recipe.digests())

    def acknowledged(self, recipe, ids, import_id):
        """An answer: durable before the client goes on."""
        self._line(acknowledged=recipe.batch, external=recipe.external_ids(), ids=ids, importId=import_id)
        os.fsync(self.file.fileno())

    def unexpected(self, sentence):
        """An answer that should not have been."""
        self._line(unexpected=sentence)
        os.fsync(self.file.fileno())

    def close(self):
        self.file.close()


class Batch:
    """All that is known of one batch, over all attempts and all clients."""

    def __init__(self, recipe, digests):
        self.recipe, self.digests = recipe, digests
        self.external_ids = recipe.external_ids()
        self.sent_whole = False  # at least once as it should be taken
        self.ids = None          # as first acknowledged
        self.imports = []        # that acknowledged it


class Oracle:
    """What must, may and must not be in the store."""

    def __init__(self):
        self.batches = {}
        self.surprises = []  # sentences

    def read(self, path):
        """Adds a client's file. Its last line may be cut off: that answer was not acted upon."""
        with open(path, "rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    self._take(json.loads(line))

    def _take(self, line):
        if "intent" in line:
            self.intend(Recipe(**line["intent"]), line["kind"], line["digests"])
        elif "acknowledged" in line:
            self.acknowledge(line["acknowledged"], line["ids"], line["importId"])
        else:
            self.surprises.append(line["unexpected"])

    def intend(self, recipe, kind, digests):
        batch = self.batches.setdefault(recipe.batch, Batch(recipe, digests))
        batch.sent_whole = batch.sent_whole or kind == "whole"

    def acknowledge(self, name, ids, import_id):
        batch = self.batches[name]
        if len(ids) != len(batch.external_ids):
            self.surprises.append(f"batch {name}: {len(ids)} ids for {len(batch.external_ids)} customers")
            return
        batch.imports.append(import_id)
        if batch.ids is None:
            batch.ids = ids
        elif batch.ids != ids:
            self.surprises.append(f"batch {name} was answered {batch.ids[0]}… first, {ids[0]}… later")

    def acknowledged(self):
        return [batch for batch in self.batches.values() if batch.ids is not None]

    def open_ended(self):
        """Sent, never answered: to be retried."""
        return [batch for batch in self.batches.values() if batch.sent_whole and batch.ids is None]

    def resumable(self):
        """Those of them whose import may be open: a retry goes on with it."""
        return [batch for batch in self.open_ended() if batch.recipe.key is not None]

    def refused(self):
        """Never sent so that it could be taken."""
        return [batch for batch in self.batches.values() if not batch.sent_whole]
