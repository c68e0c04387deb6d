/*
 * Imports, their outcomes and the unfinished marks, three walks side by side in order of tenant and
 * import. What is counted per import is the rows that stand next to it, so memory stays flat.
 */
#include "store/verify_priv.h"

/* One of the walks and the row it stands at. */
struct lane {
    struct store_kv_walk *walk;
    struct slice key;
    struct slice value;
    bool there;
};

struct lanes {
    struct store_verifier *verifier;
    struct store_kv *kv;
    struct lane import;
    struct lane outcome;
    struct lane mark;
};

static int lane_open(struct lanes *lanes, struct lane *lane, enum store_family family)
{
    lane->walk = store_kv_walk_open(lanes->kv, lanes->verifier->view.rows, family, SLICE_NONE);
    if (lane->walk == NULL) {
        return ERR_NO_MEMORY;
    }
    store_kv_walk_seek(lanes->kv, lane->walk, SLICE(""), false);
    lane->there = store_kv_walk_at(lanes->kv, lane->walk, &lane->key, &lane->value);
    return 0;
}

static void lane_step(struct lanes *lanes, struct lane *lane)
{
    store_kv_walk_step(lanes->kv, lane->walk);
    lane->there = store_kv_walk_at(lanes->kv, lane->walk, &lane->key, &lane->value);
}

static int lane_close(struct lanes *lanes, struct lane *lane, int err)
{
    int broken = lane->walk == NULL ? 0 : store_kv_walk_close(lanes->kv, &lane->walk);
    return err == 0 ? broken : err;
}

/* The id behind the tenant, for a sentence. */
static struct uuid id_of(struct slice key)
{
    return key.size < STORE_PAIR_BYTES ? (struct uuid){0} : store_rows_uuid_at(key, UUID_BYTES);
}

/* Order of the lane's row against an import's key, by tenant and import alone. */
static int lane_order(const struct lane *lane, struct slice import_key)
{
    struct slice front = lane->key;
    front.size = front.size < STORE_PAIR_BYTES ? front.size : STORE_PAIR_BYTES;
    return slice_compare(front, import_key);
}

static void report(struct lanes *lanes, const char *sentence, struct slice key)
{
    struct uuid id = id_of(key);
    store_verify_problem(lanes->verifier, sentence, &id);
}

/* Rows in front of the import belong to none. */
static void pass_orphans(struct lanes *lanes, struct lane *lane, const char *sentence, const struct slice *import_key)
{
    while (lane->there && (import_key == NULL || lane_order(lane, *import_key) < 0)) {
        report(lanes, sentence, lane->key);
        lane_step(lanes, lane);
    }
}

struct sums {
    uint64_t created;
    uint64_t existing;
    uint64_t updated;
    uint64_t skipped;
};

static int expect_record(struct lanes *lanes, const struct store_import *import, const struct uuid *id)
{
    int err = 0;
    struct store_expected *expected = store_lookups_next(lanes->verifier, &lanes->verifier->reported, &err);
    if (expected != NULL) {
        expected->tenant = import->tenant;
        expected->id = *id;
        expected->import = import->id;
        expected->size = store_rows_pair_key(expected->bytes, &import->tenant, id).size;
    }
    return err;
}

/* One chunk's outcomes; `shown` imports only are counted. */
static int sum_chunk(struct lanes *lanes, const struct store_import *import, bool shown, struct sums *sums)
{
    struct slice row = lanes->outcome.value;
    struct store_outcome outcome;
    int corrupt = 0;
    int err = 0;
    if (lanes->outcome.key.size != STORE_OUTCOME_BYTES) {
        report(lanes, "An outcome row of import %s has no chunk number.", lanes->outcome.key);
        return 0;
    }
    if (shown && store_rows_outcome_chunk(lanes->outcome.key) >= import->chunks) {
        report(lanes, "Import %s has outcomes of a chunk beyond its last.", lanes->outcome.key);
    }
    corrupt = store_rows_chain_read(&row, NULL);
    while (err == 0 && corrupt == 0 && store_rows_outcome_read(&row, &outcome, &corrupt)) {
        sums->existing += outcome.kind == STORE_EXISTING ? 1 : 0;
        sums->updated += outcome.kind == STORE_UPDATED ? 1 : 0;
        sums->skipped += outcome.kind == STORE_SKIPPED ? 1 : 0;
        if (outcome.kind == STORE_CREATED) {
            sums->created++;
            err = shown ? expect_record(lanes, import, &outcome.id) : 0;
        }
    }
    if (corrupt != 0) {
        report(lanes, "Outcomes of import %s can't be read.", lanes->outcome.key);
    }
    return err;
}

void store_verify_compare_reported(struct store_verifier *verifier, const struct store_expected *expected,
                                   struct slice value)
{
    struct record_header header;
    struct record_key keys[LIMIT_ITEM_KEYS];
    uint8_t change[STORE_ROW_KEY_BYTES];
    if (store_rows_body_read(value, &expected->id, &value) == 0 && record_read_header(value, &header, keys) == 0 &&
        !uuid_equal(&header.import, &expected->import) &&
        !store_verify_has(verifier, STORE_FAMILY_CHANGE,
                          store_rows_change_key(change, &expected->tenant, &expected->import, &expected->id))) {
        store_verify_problem(verifier, "Customer %s is not of the import whose outcomes name it.", &expected->id);
    }
}

/* The mark that goes with the import's state. */
static void check_mark(struct lanes *lanes, const struct store_import *import)
{
    struct lane *mark = &lanes->mark;
    bool marked = mark->there && lane_order(mark, lanes->import.key) == 0;
    struct store_unfinished entry;
    if (marked && (store_rows_mark_read(mark->key, mark->value, &entry) != 0 || entry.state != import->state)) {
        report(lanes, "Import %s is marked as unfinished in another state than its row has.", lanes->import.key);
    }
    if (marked && store_unfinished_find(lanes->verifier->view.unfinished, &import->tenant, &import->id) == NULL) {
        report(lanes, "Import %s is marked as unfinished, but its customers are shown.", lanes->import.key);
    }
    if (marked && import->state == IMPORT_COMMITTED && !entry.revises) {
        report(lanes, "Import %s is committed and marked as unfinished.", lanes->import.key);
    }
    if (!marked && import->state == IMPORT_OPEN) {
        report(lanes, "Import %s is open and not marked as unfinished.", lanes->import.key);
    }
    if (marked) {
        lane_step(lanes, mark);
    }
}

/* An import with the outcome rows that stand under its key. */
static int check_import(struct lanes *lanes, const struct store_import *import)
{
    struct sums sums = {0};
    bool shown =
        import->state == IMPORT_COMMITTED && !store_view_hides(&lanes->verifier->view, &import->tenant, &import->id);
    int err = 0;
    while (err == 0 && lanes->outcome.there && lane_order(&lanes->outcome, lanes->import.key) == 0) {
        err = sum_chunk(lanes, import, shown, &sums);
        lane_step(lanes, &lanes->outcome);
    }
    if (shown && err == 0 && import->expired) {
        lanes->verifier->outcomes_created += import->created;
    } else if (shown && err == 0) {
        lanes->verifier->outcomes_created += sums.created;
        if (sums.created != import->created || sums.existing != import->existing || sums.updated != import->updated ||
            sums.skipped != import->skipped) {
            report(lanes, "Import %s counts other customers than its outcomes do.", lanes->import.key);
        }
    }
    check_mark(lanes, import);
    return err;
}

static int walk_imports(struct lanes *lanes)
{
    struct uuid tenant = {0};
    int err = 0;
    for (; err == 0 && lanes->import.there; lane_step(lanes, &lanes->import)) {
        struct store_import import;
        struct slice key = lanes->import.key;
        pass_orphans(lanes, &lanes->outcome, "Outcomes belong to import %s, which is not there.", &key);
        pass_orphans(lanes, &lanes->mark, "Import %s is marked as unfinished and is not there.", &key);
        bool first = lanes->verifier->counts->imports++ == 0;
        int corrupt = store_rows_import_read(key, lanes->import.value, &import);
        if (first || !uuid_equal(&tenant, &import.tenant)) {
            lanes->verifier->counts->tenants++;
            tenant = import.tenant;
        }
        if (corrupt != 0) {
            report(lanes, "The row of import %s can't be read.", key);
        }
        err = check_import(lanes, &import);
    }
    if (err == 0) {
        pass_orphans(lanes, &lanes->outcome, "Outcomes belong to import %s, which is not there.", NULL);
        pass_orphans(lanes, &lanes->mark, "Import %s is marked as unfinished and is not there.", NULL);
    }
    return err;
}

int store_verify_imports(struct store_verifier *verifier)
{
    struct lanes lanes = {.verifier = verifier, .kv = verifier->local->kv};
    int err = lane_open(&lanes, &lanes.import, STORE_FAMILY_IMPORT);
    err = err == 0 ? lane_open(&lanes, &lanes.outcome, STORE_FAMILY_OUTCOME) : err;
    err = err == 0 ? lane_open(&lanes, &lanes.mark, STORE_FAMILY_UNFINISHED) : err;
    err = err == 0 ? walk_imports(&lanes) : err;
    err = lane_close(&lanes, &lanes.mark, err);
    err = lane_close(&lanes, &lanes.outcome, err);
    err = lane_close(&lanes, &lanes.import, err);
    return err == 0 ? store_lookups_run(verifier, &verifier->reported) : err;
}
