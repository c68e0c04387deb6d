/* See report.h. */
#include "report.h"

#include "../test.h"
#include "base/clock.h"

#define ITEMS_MAX 1000

static void fresh_id(struct uuid *id)
{
    static struct uuid_maker maker;
    uint64_t random;
    crypto_random(&random, sizeof random);
    *id = uuid_make(&maker, (uint64_t)clock_real_ms(), random);
}

static void commit(const struct fixture *fixture, struct store_chunk *chunk)
{
    assert_int_equal(store_commit(fixture->store, &chunk, 1), 0);
    assert_int_equal(chunk->error, 0);
    assert_true(chunk->kept);
}

static void write_row(const struct fixture *fixture, struct report *report)
{
    struct store_chunk chunk = {.tenant = report->row.tenant, .import = report->row.id, .row = &report->row};
    commit(fixture, &chunk);
}

void report_begin(const struct fixture *fixture, struct report *report, const char *contract, uint8_t format)
{
    *report = (struct report){.row = {.tenant = fixture->tenant->id,
                                      .state = IMPORT_OPEN,
                                      .contract = contract_info(fixture_contract(fixture, contract))->number,
                                      .format = format,
                                      .partial = true,
                                      .resumable = true,
                                      .started_ms = clock_real_ms()}};
    fresh_id(&report->row.id);
    write_row(fixture, report);
}

/* What the intake does when the store has decided: conflicts are refused items too. */
struct deciding {
    const struct fixture *fixture;
    struct report *report;
    const struct report_item *items;
    struct buf faults;
};

static void seal_refusals(struct store_chunk *chunk, void *context)
{
    struct deciding *deciding = context;
    struct record_refusals refusals;
    size_t refused = 0;
    uint8_t nonce[CRYPTO_NONCE_BYTES];
    record_refusals_begin(&refusals, deciding->report->row.format, deciding->report->header);
    for (size_t i = 0; i < chunk->count; i++) {
        const struct report_item *item = &deciding->items[i];
        struct record_fault conflict =
            REPORT_FAULT("external-id-conflict", "/id", "The external id belongs to another customer.");
        bool conflicts = chunk->outcomes[i].kind == STORE_CONFLICT;
        if (!conflicts && item->fault_count == 0) {
            continue;
        }
        refused++;
        conflict.customer = chunk->outcomes[i].id;
        record_refusals_item(&refusals, deciding->report->row.received + i, slice_from_text(item->text));
        for (size_t j = 0; j < item->fault_count; j++) {
            record_refusals_fault(&refusals, &item->faults[j]);
        }
        if (conflicts) {
            record_refusals_fault(&refusals, &conflict);
        }
    }
    crypto_random(nonce, sizeof nonce);
    buf_clear(&deciding->faults);
    assert_int_equal(record_refusals_seal(&refusals, &chunk->tenant, &chunk->import, chunk->number,
                                          deciding->fixture->tenant->keys, nonce, &deciding->faults),
                     0);
    chunk->faults = refused == 0 ? SLICE_NONE : buf_view(&deciding->faults);
}

static void count(struct report *report, const struct store_chunk *chunk)
{
    for (size_t i = 0; i < chunk->count; i++) {
        report->row.created += chunk->outcomes[i].kind == STORE_CREATED ? 1 : 0;
        report->row.existing += chunk->outcomes[i].kind == STORE_EXISTING ? 1 : 0;
        report->row.updated += chunk->outcomes[i].kind == STORE_UPDATED ? 1 : 0;
        report->row.skipped += chunk->outcomes[i].kind == STORE_SKIPPED ? 1 : 0;
        report->row.faults += chunk->outcomes[i].kind == STORE_FAULT ? 1 : 0;
    }
    report->row.received += chunk->count;
}

void report_chunk(const struct fixture *fixture, struct report *report, const struct report_item *items, size_t size)
{
    static struct store_customer customers[ITEMS_MAX];
    static struct store_outcome outcomes[ITEMS_MAX];
    static struct record_key keys[ITEMS_MAX];
    static uint8_t prints[ITEMS_MAX][CRYPTO_MAC_BYTES];
    static struct buf records[ITEMS_MAX];
    struct deciding deciding = {fixture, report, items, {0}};
    uint8_t nonce[CRYPTO_NONCE_BYTES] = {0};
    assert_true(size <= ITEMS_MAX);
    for (size_t i = 0; i < size; i++) {
        bool keyed = items[i].external != 0;
        customers[i] = (struct store_customer){.refused = items[i].fault_count > 0};
        fresh_id(&customers[i].id);
        memset(prints[i], items[i].content, sizeof prints[i]);
        keys[i] = (struct record_key){.kind = IDENTIFIER_EXTERNAL_ID, .unique = true, .mac = {items[i].external}};
        struct record_header header = {.contract = report->row.contract,
                                       .tenant = report->row.tenant,
                                       .id = customers[i].id,
                                       .import = report->row.id,
                                       .created_ms = 1,
                                       .updated_ms = 1,
                                       .keys = &keys[i],
                                       .key_count = keyed ? 1 : 0};
        struct record_body body = {.document = SLICE("{}")};
        memcpy(header.fingerprint, prints[i], sizeof prints[i]);
        buf_init(&records[i], 0);
        record_write(&header, &body, fixture->tenant->keys, nonce, &records[i]);
        customers[i].record = buf_view(&records[i]);
        customers[i].fingerprint = prints[i];
        customers[i].keys = &keys[i];
        customers[i].key_count = header.key_count;
    }
    struct store_chunk chunk = {.tenant = report->row.tenant,
                                .import = report->row.id,
                                .number = report->chunks++,
                                .customers = customers,
                                .count = size,
                                .outcomes = outcomes,
                                .on_existing = report->row.on_existing,
                                .dry = report->row.dry_run,
                                .decided = seal_refusals,
                                .context = &deciding};
    /* Faults are known before; conflicts only when `decided` is called. */
    memset(outcomes, 0, sizeof outcomes);
    seal_refusals(&chunk, &deciding);
    commit(fixture, &chunk);
    count(report, &chunk);
    for (size_t i = 0; i < size; i++) {
        buf_fini(&records[i]);
    }
    buf_fini(&deciding.faults);
}

void report_end(const struct fixture *fixture, struct report *report, uint8_t state, int error)
{
    report->row.state = state;
    report->row.error = (int16_t)error;
    report->row.chunks = report->chunks;
    report->row.ended_ms = state == IMPORT_OPEN ? 0 : clock_real_ms();
    write_row(fixture, report);
}
