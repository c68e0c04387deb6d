/*
 * store_verify: everything against everything, at one view, beside running commits. First the
 * records with the secrets rows and pending marks that stand under the same keys (three walks side
 * by side), then the index entries (verify_lookup.c), then the imports (verify_imports.c); at the end
 * the shown records must be as many as the outcomes of committed imports name.
 *
 * The difficulty is memory: nothing here grows with the number of customers.
 */
#include "store/verify_priv.h"

struct side {
    struct store_kv_walk *walk;
    struct slice key;
    struct slice value;
    bool there;
};

struct records {
    struct store_verifier *verifier;
    struct store_kv *kv;
    struct side body;
    struct side secret;
    struct side pending;
    /* The import of the last record, whose neighbours mostly are of the same. */
    struct uuid tenant;
    struct uuid import;
    bool import_committed;
    bool import_known;
};

static int side_open(struct records *records, struct side *side, enum store_family family)
{
    side->walk = store_kv_walk_open(records->kv, records->verifier->view.rows, family, SLICE_NONE);
    if (side->walk == NULL) {
        return ERR_NO_MEMORY;
    }
    store_kv_walk_seek(records->kv, side->walk, SLICE(""), false);
    side->there = store_kv_walk_at(records->kv, side->walk, &side->key, &side->value);
    return 0;
}

static void side_step(struct records *records, struct side *side)
{
    store_kv_walk_step(records->kv, side->walk);
    side->there = store_kv_walk_at(records->kv, side->walk, &side->key, &side->value);
}

static int side_close(struct records *records, struct side *side, int err)
{
    int broken = side->walk == NULL ? 0 : store_kv_walk_close(records->kv, &side->walk);
    return err == 0 ? broken : err;
}

static void report(struct records *records, const char *sentence, struct slice key)
{
    struct uuid id = key.size < STORE_PAIR_BYTES ? (struct uuid){0} : store_rows_uuid_at(key, UUID_BYTES);
    store_verify_problem(records->verifier, sentence, &id);
}

/* Rows in front of the record belong to no customer; NULL: all that are left. */
static void pass_orphans(struct records *records, struct side *side, uint64_t *count, const char *sentence,
                         const struct slice *body_key)
{
    while (side->there && (body_key == NULL || slice_compare(side->key, *body_key) < 0)) {
        report(records, sentence, side->key);
        (*count)++;
        side_step(records, side);
    }
}

/* Secrets row and pending mark under the record's key: same import, mark as long as the row says so. */
static void check_secrets(struct records *records, const struct record_header *header)
{
    struct slice key = records->body.key;
    bool has_row = records->secret.there && slice_equal(records->secret.key, key);
    bool has_mark = records->pending.there && slice_equal(records->pending.key, key);
    size_t waiting = 0;
    struct uuid owner;
    if (has_row) {
        struct slice value = records->secret.value;
        records->verifier->counts->secrets++;
        if (!slice_starts(value, uuid_view(&header->import))) {
            report(records, "The secrets row of customer %s names another import.", key);
        } else if (store_rows_secret_read(value, &header->id, &owner, &value) != 0 ||
                   record_secrets_pending(value, &waiting) != 0) {
            report(records, "The secrets row of customer %s can't be read.", key);
            waiting = has_mark ? 1 : 0;
        }
    }
    if (has_mark) {
        records->verifier->counts->pending++;
        if (!slice_equal(records->pending.value, uuid_view(&header->import))) {
            report(records, "The pending mark of customer %s names another import.", key);
        }
    }
    if (has_mark != (waiting > 0)) {
        report(records,
               has_mark ? "Customer %s is marked as pending, but none of its secrets is."
                        : "Customer %s has pending secrets and no mark.",
               key);
    }
}

/* A shown record's import has a row that says committed. */
static int check_committed(struct records *records, const struct record_header *header)
{
    bool same = records->import_known && uuid_equal(&records->tenant, &header->tenant) &&
                uuid_equal(&records->import, &header->import);
    if (!same) {
        uint8_t key[STORE_ROW_KEY_BYTES];
        struct buf row;
        buf_init(&row, 0);
        int err = store_kv_get(records->kv, records->verifier->view.rows, STORE_FAMILY_IMPORT,
                               store_rows_pair_key(key, &header->tenant, &header->import), &row);
        records->tenant = header->tenant;
        records->import = header->import;
        records->import_known = true;
        records->import_committed = err == 0 && store_rows_import_state(buf_view(&row)) == IMPORT_COMMITTED;
        buf_fini(&row);
        if (err != 0 && err != ERR_NOT_FOUND) {
            return err;
        }
    }
    if (!records->import_committed) {
        report(records, "Customer %s is shown, but its import has no committed row.", records->body.key);
    }
    return 0;
}

static int check_record(struct records *records)
{
    struct store_verifier *verifier = records->verifier;
    struct slice key = records->body.key;
    struct record_header header;
    struct record_key keys[LIMIT_ITEM_KEYS];
    struct slice record = records->body.value;
    struct uuid id = key.size == STORE_PAIR_BYTES ? store_rows_uuid_at(key, UUID_BYTES) : (struct uuid){{0}};
    bool own = store_rows_body_read(record, &id, &record) == 0;
    if (record_read_header(record, &header, keys) != 0) {
        report(records, "The record of customer %s can't be read.", key);
        return 0;
    }
    if (!own || key.size != STORE_PAIR_BYTES || !slice_starts(key, uuid_view(&header.tenant))) {
        report(records, "The record of customer %s stands under another's key.", key);
        return 0;
    }
    if (verifier->open != NULL && verifier->open(verifier->context, &header, record) != 0) {
        report(records, "The record of customer %s does not open.", key);
    }
    header.id = id; /* an update is sealed as another */
    check_secrets(records, &header);
    bool hidden = store_view_hides(&verifier->view, &header.tenant, &header.import);
    verifier->counts->customers += hidden ? 0 : 1;
    int err = hidden ? 0 : check_committed(records, &header);
    return err == 0 ? store_verify_expect_keys(verifier, &header, hidden) : err;
}

static const char secret_orphan[] = "A secrets row belongs to customer %s, which is not there.";
static const char pending_orphan[] = "A pending mark belongs to customer %s, which is not there.";

static void step_over(struct records *records, struct side *side, struct slice key)
{
    if (side->there && slice_equal(side->key, key)) {
        side_step(records, side);
    }
}

static int walk_records(struct records *records)
{
    struct store_verify_counts *counts = records->verifier->counts;
    int err = 0;
    while (err == 0 && records->body.there) {
        pass_orphans(records, &records->secret, &counts->secrets, secret_orphan, &records->body.key);
        pass_orphans(records, &records->pending, &counts->pending, pending_orphan, &records->body.key);
        err = check_record(records);
        step_over(records, &records->secret, records->body.key);
        step_over(records, &records->pending, records->body.key);
        side_step(records, &records->body);
    }
    if (err == 0) {
        pass_orphans(records, &records->secret, &counts->secrets, secret_orphan, NULL);
        pass_orphans(records, &records->pending, &counts->pending, pending_orphan, NULL);
    }
    return err;
}

static int verify_records(struct store_verifier *verifier)
{
    struct records records = {.verifier = verifier, .kv = verifier->local->kv};
    int err = side_open(&records, &records.body, STORE_FAMILY_BODY);
    err = err == 0 ? side_open(&records, &records.secret, STORE_FAMILY_SECRET) : err;
    err = err == 0 ? side_open(&records, &records.pending, STORE_FAMILY_PENDING) : err;
    err = err == 0 ? walk_records(&records) : err;
    err = side_close(&records, &records.pending, err);
    err = side_close(&records, &records.secret, err);
    err = side_close(&records, &records.body, err);
    err = err == 0 ? store_lookups_run(verifier, &verifier->unique) : err;
    return err == 0 ? store_lookups_run(verifier, &verifier->plain) : err;
}

static int lookups_open(struct store_verifier *verifier)
{
    int err = store_lookups_init(&verifier->unique, STORE_FAMILY_UNIQUE, store_verify_compare_holder,
                                 "Customer %s lacks a unique index entry.");
    err = err == 0 ? store_lookups_init(&verifier->plain, STORE_FAMILY_PLAIN, store_verify_compare_plain,
                                        "Customer %s lacks an index entry.")
                   : err;
    err = err == 0 ? store_lookups_init(&verifier->indexed, STORE_FAMILY_BODY, store_verify_compare_indexed,
                                        "An index entry leads to customer %s, which is not there.")
                   : err;
    return err == 0 ? store_lookups_init(&verifier->reported, STORE_FAMILY_BODY, store_verify_compare_reported,
                                         "An import's outcomes name customer %s, which is not there.")
                    : err;
}

static void lookups_close(struct store_verifier *verifier)
{
    store_lookups_fini(&verifier->unique);
    store_lookups_fini(&verifier->plain);
    store_lookups_fini(&verifier->indexed);
    store_lookups_fini(&verifier->reported);
}

static int verify_all(struct store_verifier *verifier)
{
    int err = verify_records(verifier);
    err = err == 0 ? store_verify_index(verifier) : err;
    err = err == 0 ? store_verify_imports(verifier) : err;
    err = err == 0 ? store_verify_rest(verifier) : err;
    if (err == 0 && verifier->outcomes_created != verifier->counts->customers) {
        static const struct uuid none;
        store_verify_problem(verifier, "There are not as many customers as the outcomes of all imports name.", &none);
    }
    return err;
}

int store_local_verify(struct store *store, store_open_fn *open, store_problem_fn *problem, void *context,
                       struct store_verify_counts *counts)
{
    struct store_verifier verifier = {
        .local = store_local_of(store), .open = open, .problem = problem, .context = context, .counts = counts};
    pthread_rwlock_wrlock(&verifier.local->run_lock); /* no run is half in */
    int err = store_view_open(verifier.local, &verifier.view);
    pthread_rwlock_unlock(&verifier.local->run_lock);
    if (err != 0) {
        return err;
    }
    err = lookups_open(&verifier);
    err = err == 0 ? verify_all(&verifier) : err;
    lookups_close(&verifier);
    store_view_close(verifier.local, &verifier.view);
    return err;
}
