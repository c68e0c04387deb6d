/*
 * The bytes of rows, in hex: they are stored in every installation. A row that is cut short, has a byte
 * too many or says what nobody wrote is corrupt; nothing else of it is believed.
 */
#include "store/rows_priv.h"

#include "../test.h"
#include "base/text.h"

#define TENANT "11111111111111111111111111111111"
#define ID     "22222222222222222222222222222222"
#define IMPORT "33333333333333333333333333333333"
#define MAC    "44444444444444444444444444444444"

static struct uuid uuid_of(uint8_t byte)
{
    struct uuid uuid;
    memset(uuid.bytes, byte, sizeof uuid.bytes);
    return uuid;
}

static void expect_hex(struct slice bytes, const char *hex)
{
    struct buf text;
    buf_init(&text, 0);
    text_append_hex(&text, bytes);
    if (!slice_equal_text(buf_view(&text), hex)) {
        fail_msg("%.*s is not\n%s", SLICE_ARG(buf_view(&text)), hex);
    }
    buf_fini(&text);
}

static void keys(void **state)
{
    (void)state;
    const struct uuid tenant = uuid_of(0x11);
    const struct uuid id = uuid_of(0x22);
    struct record_key index = {.kind = IDENTIFIER_EMAIL};
    uint8_t key[STORE_ROW_KEY_BYTES];
    memset(index.mac, 0x44, sizeof index.mac);
    expect_hex(store_rows_pair_key(key, &tenant, &id), TENANT ID);
    expect_hex(store_rows_unique_key(key, &tenant, &index), TENANT "02" MAC);
    expect_hex(store_rows_plain_key(key, &tenant, &index, &id), TENANT "02" MAC ID);
    expect_hex(store_rows_outcome_key(key, &tenant, &id, 0x01020304), TENANT ID "01020304");
    expect_hex(store_rows_request_key(key, &tenant, index.mac), TENANT MAC);
    expect_hex(store_rows_change_key(key, &tenant, &id, &id), TENANT ID ID);
    assert_int_equal(IDENTIFIER_EMAIL, 2); /* the kind's number is in the rows */
}

/* Order of bytes is order of chunks. */
static void chunk_numbers(void **state)
{
    (void)state;
    static const uint32_t rows[] = {0, 1, 255, 256, 65535, 65536, 16777216, 2147483648u, UINT32_MAX};
    const struct uuid tenant = uuid_of(0x11);
    const struct uuid import = uuid_of(0x33);
    uint8_t keys[2][STORE_ROW_KEY_BYTES];
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct slice key = store_rows_outcome_key(keys[i % 2], &tenant, &import, rows[i]);
        assert_int_equal(key.size, STORE_OUTCOME_BYTES);
        assert_int_equal(store_rows_outcome_chunk(key), rows[i]);
        assert_true(i == 0 || memcmp(keys[(i + 1) % 2], keys[i % 2], STORE_OUTCOME_BYTES) < 0);
    }
}

/* A holder alone, one that gives the key up to an update, and one that has it with the update's content then. */
static void holders(void **state)
{
    (void)state;
    struct store_holder holder;
    struct store_holder read;
    uint8_t value[STORE_HOLDER_BYTES + 1] = {0};
    memset(&holder, 0, sizeof holder);
    holder.id = uuid_of(0x22);
    holder.import = uuid_of(0x33);
    memset(holder.fingerprint, 0x44, sizeof holder.fingerprint);
    expect_hex(store_rows_holder_write(value, &holder), ID IMPORT MAC);
    for (size_t size = 0; size <= sizeof value; size++) {
        int err = store_rows_holder_read(slice_make(value, size), &read);
        assert_int_equal(err, size == 48 || size == 64 || size == 80 ? 0 : ERR_CORRUPT);
    }
    for (int kind = 0; kind < 3; kind++) {
        static const char *const hex[] = {ID IMPORT MAC, ID IMPORT MAC TENANT, ID IMPORT MAC TENANT MAC};
        holder.next = uuid_of(kind == 0 ? 0 : 0x11);
        holder.released = kind == 1;
        memset(holder.next_fingerprint, kind == 2 ? 0x44 : 0, sizeof holder.next_fingerprint);
        struct slice written = store_rows_holder_write(value, &holder);
        expect_hex(written, hex[kind]);
        assert_int_equal(store_rows_holder_read(written, &read), 0);
        assert_memory_equal(&read, &holder, sizeof holder);
    }
}

static void marks(void **state)
{
    (void)state;
    static const struct {
        uint8_t state;
        bool revises, claimed;
        const char *hex;
    } rows[] = {
        {IMPORT_OPEN, false, false, "01"},     {IMPORT_OPEN, true, true, "81" MAC},
        {IMPORT_COMMITTED, true, false, "82"}, {IMPORT_ABORTED, false, true, "03" MAC},
        {IMPORT_UNDONE, false, false, "04"},
    };
    uint8_t value[STORE_MARK_BYTES + 1] = {0};
    uint8_t key[STORE_ROW_KEY_BYTES];
    struct store_unfinished read;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct store_unfinished entry = {.tenant = uuid_of(0x11),
                                         .import = uuid_of(0x33),
                                         .state = rows[i].state,
                                         .revises = rows[i].revises,
                                         .claimed = rows[i].claimed};
        struct slice name = store_rows_pair_key(key, &entry.tenant, &entry.import);
        memset(entry.mac, rows[i].claimed ? 0x44 : 0, sizeof entry.mac);
        struct slice written = store_rows_mark_write(value, &entry);
        expect_hex(written, rows[i].hex);
        assert_int_equal(store_rows_mark_read(name, written, &read), 0);
        assert_true(uuid_equal(&read.tenant, &entry.tenant) && uuid_equal(&read.import, &entry.import));
        assert_true(read.state == entry.state && read.revises == entry.revises && read.claimed == entry.claimed);
        assert_memory_equal(read.mac, entry.mac, sizeof entry.mac);
        for (size_t size = 0; size <= sizeof value; size++) {
            int err = store_rows_mark_read(name, slice_make(value, size), &read);
            assert_int_equal(err, size == 1 || size == STORE_MARK_BYTES ? 0 : ERR_CORRUPT);
        }
        assert_int_equal(store_rows_mark_read(slice_make(key, 31), written, &read), ERR_CORRUPT);
    }
    /* What many nodes tell each other stands behind it. */
    uint8_t owned[STORE_MARK_BYTES + STORE_OWNED_BYTES + 1] = {0};
    struct store_unfinished entry = {.tenant = uuid_of(0x11),
                                     .import = uuid_of(0x33),
                                     .state = IMPORT_OPEN,
                                     .claimed = true,
                                     .refused = true,
                                     .owner = uuid_of(0x55),
                                     .touched_ms = 0x0102030405060708};
    struct slice name = store_rows_pair_key(key, &entry.tenant, &entry.import);
    struct slice written = store_rows_mark_write_owned(owned, &entry);
    assert_int_equal(written.size, STORE_MARK_BYTES + STORE_OWNED_BYTES);
    assert_int_equal(store_rows_mark_read(name, written, &read), 0);
    assert_true(!read.wrote && read.refused && read.claimed && uuid_equal(&read.owner, &entry.owner));
    assert_true(read.touched_ms == entry.touched_ms && !read.foreign);
    for (size_t size = STORE_MARK_BYTES + 1; size <= sizeof owned; size++) {
        int err = store_rows_mark_read(name, slice_make(owned, size), &read);
        bool known = size == STORE_OWNED_BYTES + 1 || size == STORE_MARK_BYTES + STORE_OWNED_BYTES;
        assert_int_equal(err, known ? 0 : ERR_CORRUPT);
    }
    static const uint8_t unknown[] = {0, 5, 0x80, 0x85, 0x41};
    for (size_t i = 0; i < sizeof unknown; i++) {
        assert_int_equal(store_rows_mark_read(slice_make(key, STORE_PAIR_BYTES), slice_make(&unknown[i], 1), &read),
                         ERR_CORRUPT);
    }
}

static void revisions(void **state)
{
    (void)state;
    const struct uuid tenant = uuid_of(0x11);
    const struct uuid id = uuid_of(0x22);
    const struct store_revision revision = {
        .import = uuid_of(0x33), .secrets = SLICE("sec"), .pending = true, .record = SLICE("re")};
    struct store_revision read;
    uint8_t key[STORE_ROW_KEY_BYTES];
    struct buf row;
    buf_init(&row, 0);
    struct slice name = store_rows_revision_key(key, &tenant, &id, UINT64_C(0x0102030405060708));
    expect_hex(name, TENANT ID "0102030405060708");
    assert_true(store_rows_revision_number(name) == UINT64_C(0x0102030405060708));
    store_rows_revision_write(&row, &revision);
    expect_hex(buf_view(&row), IMPORT "01"
                                      "03000000"
                                      "736563"
                                      "7265");
    assert_int_equal(store_rows_revision_read(buf_view(&row), &read), 0);
    assert_true(uuid_equal(&read.import, &revision.import) && read.pending);
    assert_true(slice_equal(read.secrets, revision.secrets) && slice_equal(read.record, revision.record));
    for (size_t size = 0; size < row.size - revision.record.size; size++) {
        assert_int_equal(store_rows_revision_read(slice_make(row.data, size), &read), ERR_CORRUPT);
    }
    row.data[UUID_BYTES] = 2; /* pending or not, and nothing else */
    assert_int_equal(store_rows_revision_read(buf_view(&row), &read), ERR_CORRUPT);
    buf_fini(&row);
}

/* What an update wrote says whose it is in front; a record says it in its header. */
static void updated(void **state)
{
    (void)state;
    const struct uuid id = uuid_of(0x22);
    const struct uuid other = uuid_of(0x23);
    const struct uuid import = uuid_of(0x33);
    struct uuid owner;
    struct slice found;
    struct buf row;
    buf_init(&row, 0);
    store_rows_body_write(&row, &id, SLICE("\1cd"));
    expect_hex(buf_view(&row), "02" ID "016364");
    assert_int_equal(store_rows_body_read(buf_view(&row), &id, &found), 0);
    assert_true(slice_equal(found, SLICE("\1cd")));
    assert_int_equal(store_rows_body_read(buf_view(&row), &other, &found), ERR_CORRUPT);
    assert_int_equal(store_rows_body_read(slice_make(row.data, UUID_BYTES), &id, &found), ERR_CORRUPT);
    assert_int_equal(store_rows_body_read(SLICE_NONE, &id, &found), ERR_CORRUPT);
    buf_clear(&row);
    store_rows_secret_write(&row, &import, &other, SLICE("\1s"));
    expect_hex(buf_view(&row), IMPORT "02"
                                      "23232323232323232323232323232323"
                                      "0173");
    assert_int_equal(store_rows_secret_read(buf_view(&row), &id, &owner, &found), 0);
    assert_true(uuid_equal(&owner, &other) && slice_equal(found, SLICE("\1s")));
    assert_int_equal(store_rows_secret_read(slice_make(row.data, 2 * UUID_BYTES), &id, &owner, &found), ERR_CORRUPT);
    row.data[UUID_BYTES] = 1; /* a secrets row begins here */
    assert_int_equal(store_rows_secret_read(buf_view(&row), &id, &owner, &found), 0);
    assert_true(uuid_equal(&owner, &id));
    assert_int_equal(found.size, row.size - UUID_BYTES);
    assert_int_equal(store_rows_secret_read(slice_make(row.data, UUID_BYTES - 1), &id, &owner, &found), ERR_CORRUPT);
    buf_fini(&row);
}

static void requests(void **state)
{
    (void)state;
    struct store_request request = {.import = uuid_of(0x33), .created_ms = 0x0102};
    struct store_request read = {.created_ms = 0};
    uint8_t value[STORE_REQUEST_BYTES + 1] = {0};
    memset(request.terms, 0x44, sizeof request.terms);
    expect_hex(store_rows_request_write(value, &request), IMPORT MAC "0201000000000000");
    for (size_t size = 0; size <= sizeof value; size++) {
        int err = store_rows_request_read(slice_make(value, size), &read);
        assert_int_equal(err, size == STORE_REQUEST_BYTES ? 0 : ERR_CORRUPT);
    }
    assert_int_equal(store_rows_request_read(slice_make(value, STORE_REQUEST_BYTES), &read), 0);
    assert_memory_equal(&read, &request, sizeof request);
}

/* ---- outcomes ---- */

static const struct outcome_row {
    uint8_t kind;
    const char *hex;
} OUTCOMES[] = {
    {STORE_CREATED, "01" ID},
    {STORE_EXISTING, "02" ID "02" IMPORT},
    {STORE_CONFLICT, "03" ID "02" IMPORT},
    {STORE_BUSY, "04" ID "02" IMPORT},
    {STORE_FAULT, "05"},
    {STORE_UPDATED, "06" ID "02" IMPORT},
    {STORE_SKIPPED, "07" ID "02" IMPORT},
};

/* What a reader makes of a kind: FAULT has nothing behind it, CREATED the customer alone. */
static size_t size_of(int kind)
{
    return kind == STORE_FAULT ? 1 : kind == STORE_CREATED ? 1 + UUID_BYTES : 2 + 2 * UUID_BYTES;
}

static void chains(void **state)
{
    (void)state;
    const uint8_t chain[CRYPTO_MAC_BYTES] = {1, 2, 3};
    uint8_t read[CRYPTO_MAC_BYTES] = {0};
    struct buf row;
    buf_init(&row, 0);
    store_rows_chain_write(&row, chain);
    buf_append_byte(&row, STORE_FAULT);
    store_rows_chain_write(&row, NULL);
    expect_hex(buf_view(&row), "0102030000000000000000000000000005"
                               "00000000000000000000000000000000");
    struct slice rest = slice_make(row.data, CRYPTO_MAC_BYTES + 1);
    assert_int_equal(store_rows_chain_read(&rest, read), 0);
    assert_memory_equal(read, chain, sizeof chain);
    assert_int_equal(rest.size, 1);
    assert_int_equal(store_rows_chain_read(&rest, NULL), ERR_CORRUPT);
    rest = slice_make(row.data, CRYPTO_MAC_BYTES - 1);
    assert_int_equal(store_rows_chain_read(&rest, read), ERR_CORRUPT);
    buf_fini(&row);
}

static void outcomes(void **state)
{
    (void)state;
    struct buf row;
    buf_init(&row, 0);
    for (size_t i = 0; i < COUNT_OF(OUTCOMES); i++) {
        struct store_outcome outcome = {OUTCOMES[i].kind, IDENTIFIER_EMAIL, uuid_of(0x22), uuid_of(0x33)};
        size_t from = row.size;
        store_rows_outcome_write(&row, &outcome);
        expect_hex(slice_from(buf_view(&row), from), OUTCOMES[i].hex);
    }
    struct slice rest = buf_view(&row);
    struct store_outcome read;
    int err = 0;
    for (size_t i = 0; i < COUNT_OF(OUTCOMES); i++) {
        bool created = OUTCOMES[i].kind == STORE_CREATED || OUTCOMES[i].kind == STORE_FAULT;
        struct uuid import = uuid_of(created ? 0 : 0x33);
        struct uuid id = uuid_of(OUTCOMES[i].kind == STORE_FAULT ? 0 : 0x22);
        assert_true(store_rows_outcome_read(&rest, &read, &err));
        assert_int_equal(read.kind, OUTCOMES[i].kind);
        assert_int_equal(read.key_kind, created ? 0 : IDENTIFIER_EMAIL);
        assert_true(uuid_equal(&read.id, &id) && uuid_equal(&read.import, &import));
    }
    assert_false(store_rows_outcome_read(&rest, &read, &err));
    assert_int_equal(err, 0);
    buf_fini(&row);
}

static void damaged_outcomes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(OUTCOMES); i++) {
        struct store_outcome outcome = {OUTCOMES[i].kind, IDENTIFIER_EMAIL, uuid_of(0x22), uuid_of(0x33)};
        struct store_outcome read;
        struct buf row;
        buf_init(&row, 0);
        store_rows_outcome_write(&row, &outcome);
        for (size_t size = 1; size < row.size; size++) {
            struct slice cut = slice_make(row.data, size);
            int err = 0;
            assert_false(store_rows_outcome_read(&cut, &read, &err));
            assert_int_equal(err, ERR_CORRUPT);
            cut = slice_make(row.data, size);
            assert_false(store_outcomes_read(&cut, &read));
        }
        for (int kind = 0; kind < 256; kind++) {
            struct slice rest = buf_view(&row);
            int err = 0;
            bool known = kind >= STORE_CREATED && kind <= STORE_SKIPPED;
            bool fits = size_of(kind) <= row.size; /* else it is too short */
            row.data[0] = (char)kind;
            assert_int_equal(store_rows_outcome_read(&rest, &read, &err), known && fits);
            assert_int_equal(err, known && fits ? 0 : ERR_CORRUPT);
        }
        buf_fini(&row);
    }
}

/* ---- imports ---- */

static struct store_import import_of(void)
{
    struct store_import import = {.tenant = uuid_of(0x11),
                                  .id = uuid_of(0x33),
                                  .state = IMPORT_ABORTED,
                                  .contract = 7,
                                  .format = IMPORT_CSV,
                                  .on_existing = IMPORT_EXISTING_FAIL,
                                  .partial = true,
                                  .dry_run = true,
                                  .expired = true,
                                  .project = "proj",
                                  .type = "",
                                  .received = 1,
                                  .created = 2,
                                  .existing = 3,
                                  .updated = 10,
                                  .skipped = 11,
                                  .faults = 4,
                                  .findings = 5,
                                  .bytes = UINT64_C(0x0102030405060708),
                                  .chunks = 6,
                                  .started_ms = 7,
                                  .ended_ms = -1,
                                  .error = -2,
                                  .finding_counts = {{"format", 9}},
                                  .fault_counts = {{"type", 12}, {"bound", 13}},
                                  .request = uuid_of(0x55),
                                  .envelope = SLICE("env")};
    memset(import.envelope_mac, 0x44, sizeof import.envelope_mac);
    memset(import.body_mac, 0x66, sizeof import.body_mac);
    return import;
}

#define IMPORT_HEX                                                                                                     \
    "020307020315"                                                                                                     \
    "0100000000000000"                                                                                                 \
    "0200000000000000"                                                                                                 \
    "0300000000000000"                                                                                                 \
    "0a00000000000000"                                                                                                 \
    "0b00000000000000"                                                                                                 \
    "0400000000000000"                                                                                                 \
    "0500000000000000"                                                                                                 \
    "0807060504030201"                                                                                                 \
    "06000000"                                                                                                         \
    "0700000000000000"                                                                                                 \
    "ffffffffffffffff"                                                                                                 \
    "feff" MAC "66666666666666666666666666666666"                                                                      \
    "55555555555555555555555555555555"                                                                                 \
    "0470726f6a"                                                                                                       \
    "00"                                                                                                               \
    "01"                                                                                                               \
    "06666f726d6174"                                                                                                   \
    "0900000000000000"                                                                                                 \
    "02"                                                                                                               \
    "0474797065"                                                                                                       \
    "0c00000000000000"                                                                                                 \
    "05626f756e64"                                                                                                     \
    "0d00000000000000"                                                                                                 \
    "03000000656e76"

/* Where in that row the lengths stand. */
enum { PROJECT_AT = 140, TYPE_AT = 145, FINDINGS_AT = 146, CODE_AT = 147, FAULTS_AT = 162, ENVELOPE_AT = 190 };

static void imports(void **state)
{
    (void)state;
    const struct store_import import = import_of();
    struct store_import read;
    struct buf row;
    uint8_t key[STORE_ROW_KEY_BYTES];
    struct slice name = store_rows_pair_key(key, &import.tenant, &import.id);
    buf_init(&row, 0);
    store_rows_import_write(&row, &import);
    expect_hex(buf_view(&row), IMPORT_HEX);
    assert_int_equal(store_rows_import_read(name, buf_view(&row), &read), 0);
    assert_int_equal(store_rows_import_state(buf_view(&row)), IMPORT_ABORTED);
    assert_true(slice_equal(read.envelope, import.envelope));
    assert_ptr_equal(read.envelope.data, row.data + row.size - import.envelope.size);
    read.envelope = import.envelope;
    struct buf again;
    buf_init(&again, 0);
    store_rows_import_write(&again, &read);
    assert_true(slice_equal(buf_view(&again), buf_view(&row)));
    assert_true(uuid_equal(&read.tenant, &import.tenant) && uuid_equal(&read.id, &import.id));
    buf_fini(&again);
    buf_fini(&row);
}

static void damaged_imports(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint8_t byte;
        int err;
        uint8_t state; /* what the state alone is taken for */
    } rows[] = {
        {0, 2, 0, IMPORT_ABORTED},
        {0, 0, ERR_CORRUPT, 0},
        {0, 1, ERR_CORRUPT, 0}, /* an older version */
        {0, 3, ERR_CORRUPT, 0}, /* a later one */
        {1, IMPORT_OPEN, 0, IMPORT_OPEN},
        {1, IMPORT_COMMITTED, 0, IMPORT_COMMITTED},
        {1, 0, ERR_CORRUPT, 0},
        {1, IMPORT_UNDONE, 0, IMPORT_UNDONE},
        {1, 5, ERR_CORRUPT, 0},
        {3, IMPORT_CSV + 1, ERR_CORRUPT, IMPORT_ABORTED},
        {4, IMPORT_EXISTING_FAIL + 1, ERR_CORRUPT, IMPORT_ABORTED},
        {5, 0x1f, 0, IMPORT_ABORTED},
        {5, 0x20, ERR_CORRUPT, IMPORT_ABORTED}, /* a flag that nobody knows */
        {1, 255, ERR_CORRUPT, 0},
        {PROJECT_AT, 3, ERR_CORRUPT, IMPORT_ABORTED},
        {PROJECT_AT, 65, ERR_CORRUPT, IMPORT_ABORTED},
        {PROJECT_AT, 255, ERR_CORRUPT, IMPORT_ABORTED},
        {TYPE_AT, 255, ERR_CORRUPT, IMPORT_ABORTED},
        {FINDINGS_AT, 0, ERR_CORRUPT, IMPORT_ABORTED},
        {FINDINGS_AT, 17, ERR_CORRUPT, IMPORT_ABORTED},
        {FAULTS_AT, 1, ERR_CORRUPT, IMPORT_ABORTED},
        {FAULTS_AT, 25, ERR_CORRUPT, IMPORT_ABORTED},
        {CODE_AT, 32, ERR_CORRUPT, IMPORT_ABORTED},
        {ENVELOPE_AT, 2, ERR_CORRUPT, IMPORT_ABORTED},
        {ENVELOPE_AT, 4, ERR_CORRUPT, IMPORT_ABORTED},
        {ENVELOPE_AT + 3, 255, ERR_CORRUPT, IMPORT_ABORTED},
    };
    const struct store_import import = import_of();
    struct store_import read;
    struct buf row;
    uint8_t key[STORE_ROW_KEY_BYTES];
    struct slice name = store_rows_pair_key(key, &import.tenant, &import.id);
    buf_init(&row, 0);
    store_rows_import_write(&row, &import);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char was = row.data[rows[i].at];
        row.data[rows[i].at] = (char)rows[i].byte;
        if (store_rows_import_read(name, buf_view(&row), &read) != rows[i].err ||
            store_rows_import_state(buf_view(&row)) != rows[i].state) {
            fail_msg("row %zu", i);
        }
        row.data[rows[i].at] = was;
    }
    for (size_t size = 0; size < row.size; size++) {
        assert_int_equal(store_rows_import_read(name, slice_make(row.data, size), &read), ERR_CORRUPT);
    }
    assert_int_equal(store_rows_import_state(slice_make(row.data, 1)), 0);
    assert_int_equal(store_rows_import_read(slice_make(key, 31), buf_view(&row), &read), ERR_CORRUPT);
    assert_int_equal(store_rows_import_read(slice_make(key, 33), buf_view(&row), &read), ERR_CORRUPT);
    buf_append_byte(&row, 0);
    assert_int_equal(store_rows_import_read(name, buf_view(&row), &read), ERR_CORRUPT);
    buf_fini(&row);
}

/* Only an open import is gone on with, and only when its flag says so. */
static void resuming(void **state)
{
    (void)state;
    for (int number = IMPORT_OPEN; number <= IMPORT_UNDONE; number++) {
        for (int flag = 0; flag < 2; flag++) {
            struct store_import import = import_of();
            struct buf row;
            buf_init(&row, 0);
            import.state = (uint8_t)number;
            import.resumable = flag == 1;
            store_rows_import_write(&row, &import);
            assert_int_equal(store_rows_import_resumes(buf_view(&row)), number == IMPORT_OPEN && flag == 1);
            assert_false(store_rows_import_resumes(slice_make(row.data, 5)));
            buf_fini(&row);
        }
    }
}

/* A text for which its field has no room; the row is whole otherwise. */
static void texts_that_are_too_long(void **state)
{
    (void)state;
    static const struct {
        size_t at, size; /* of the text that stands there */
        size_t longest;
    } rows[] = {{PROJECT_AT, 4, LIMIT_NAME_BYTES}, {TYPE_AT, 0, LIMIT_NAME_BYTES}, {CODE_AT, 6, 31}};
    const struct store_import import = import_of();
    struct store_import read;
    struct buf row, changed;
    uint8_t key[STORE_ROW_KEY_BYTES];
    char text[LIMIT_NAME_BYTES + 1];
    struct slice name = store_rows_pair_key(key, &import.tenant, &import.id);
    memset(text, 'x', sizeof text);
    buf_init(&row, 0);
    buf_init(&changed, 0);
    store_rows_import_write(&row, &import);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (size_t size = rows[i].longest; size <= rows[i].longest + 1; size++) {
            buf_clear(&changed);
            buf_append(&changed, row.data, rows[i].at);
            buf_append_byte(&changed, (uint8_t)size);
            buf_append(&changed, text, size);
            buf_append_slice(&changed, slice_from(buf_view(&row), rows[i].at + 1 + rows[i].size));
            int err = store_rows_import_read(name, buf_view(&changed), &read);
            assert_int_equal(err, size == rows[i].longest ? 0 : ERR_CORRUPT);
        }
    }
    buf_fini(&row);
    buf_fini(&changed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys),      cmocka_unit_test(chunk_numbers),
        cmocka_unit_test(holders),   cmocka_unit_test(marks),
        cmocka_unit_test(revisions), cmocka_unit_test(updated),
        cmocka_unit_test(requests),  cmocka_unit_test(outcomes),
        cmocka_unit_test(chains),    cmocka_unit_test(damaged_outcomes),
        cmocka_unit_test(imports),   cmocka_unit_test(damaged_imports),
        cmocka_unit_test(resuming),  cmocka_unit_test(texts_that_are_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
