/* The row of a chunk's refused items and back; bound to tenant, import and chunk. */
#include "record/record.h"

#include "../test.h"

static struct crypto_ring *ring;
static struct crypto_tenant *tenant_keys;
static struct crypto_tenant *other_keys;
static const struct uuid tenant = {{1, 2, 3}};
static const struct uuid import = {{4, 5, 6}};
static const uint8_t nonce[CRYPTO_NONCE_BYTES] = {9, 8, 7};
#define CHUNK 0x01020304u

static const struct record_fault type_fault = {
    .code = {"type", 4}, .pointer = {"/person/email", 13}, .detail = {"Send a string.", 14}};
static const struct record_fault enum_fault = {
    .code = {"enum", 4}, .pointer = {"/customerType", 13}, .detail = {"Not allowed.", 12}, .hint = {"Person", 6}};
static const struct record_fault conflict = {
    .code = {"external-id-conflict", 20}, .pointer = {"/id", 3}, .customer = {{7, 7}}};

#define ITEM_TEXT "{\"id\":\"correct horse\"}"

/* Two items, of three faults. */
static void compose(struct record_refusals *refusals)
{
    record_refusals_begin(refusals, 2, SLICE("id,person/email"));
    record_refusals_item(refusals, UINT64_C(5000000000), SLICE(ITEM_TEXT));
    record_refusals_fault(refusals, &type_fault);
    record_refusals_fault(refusals, &enum_fault);
    record_refusals_item(refusals, UINT64_C(5000000001), SLICE_NONE);
    record_refusals_fault(refusals, &conflict);
}

static void seal(struct record_refusals *refusals, struct buf *out)
{
    assert_int_equal(record_refusals_seal(refusals, &tenant, &import, CHUNK, tenant_keys, nonce, out), 0);
    assert_int_equal(refusals->plain.size, 0);
    assert_null(refusals->plain.data);
}

static void write_row(struct buf *out)
{
    struct record_refusals refusals;
    buf_init(out, 0);
    compose(&refusals);
    seal(&refusals, out);
}

static int open_row(struct slice row)
{
    struct record_refused refused;
    struct buf plain;
    buf_init(&plain, 0);
    int err = record_refused_open(&tenant, &import, CHUNK, row, tenant_keys, &plain, &refused);
    assert_true(err == 0 || (refused.header.size == 0 && refused.rest.size == 0));
    buf_fini(&plain);
    return err;
}

static void expect_fault(struct slice *faults, const struct record_fault *want)
{
    struct record_fault got;
    assert_true(record_refused_fault(faults, &got));
    assert_true(slice_equal(got.code, want->code));
    assert_true(slice_equal(got.pointer, want->pointer));
    assert_true(slice_equal(got.detail, want->detail));
    assert_true(slice_equal(got.hint, want->hint));
    assert_true(uuid_equal(&got.customer, &want->customer));
}

static void round_trip(void **state)
{
    (void)state;
    struct record_refused refused;
    struct record_fault none;
    struct slice text;
    struct slice faults;
    uint64_t index;
    struct buf out;
    struct buf plain;
    write_row(&out);
    buf_init(&plain, 0);
    /* The buffer holds something before: nothing may count from its start. */
    buf_append_text(&plain, "front");
    assert_int_equal(record_refused_open(&tenant, &import, CHUNK, buf_view(&out), tenant_keys, &plain, &refused), 0);
    assert_int_equal(refused.format, 2);
    assert_true(slice_equal_text(refused.header, "id,person/email"));
    assert_true(record_refused_next(&refused, &index, &text, &faults));
    assert_true(index == UINT64_C(5000000000));
    assert_true(slice_equal_text(text, ITEM_TEXT));
    expect_fault(&faults, &type_fault);
    expect_fault(&faults, &enum_fault);
    assert_false(record_refused_fault(&faults, &none));
    assert_true(record_refused_next(&refused, &index, &text, &faults));
    assert_true(index == UINT64_C(5000000001));
    assert_int_equal(text.size, 0);
    expect_fault(&faults, &conflict);
    assert_false(record_refused_fault(&faults, &none));
    assert_false(record_refused_next(&refused, &index, &text, &faults));
    assert_false(record_refused_next(&refused, &index, &text, &faults));
    buf_fini(&plain);
    buf_fini(&out);
}

/* Without items; with an item without faults; with as many as a chunk may have, so that the buffer grows. */
static void sizes(void **state)
{
    (void)state;
    static const size_t rows[] = {0, 1, 2, 1000};
    static char text[3000];
    memset(text, 't', sizeof text);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct record_refusals refusals;
        struct record_refused refused;
        struct slice item;
        struct slice faults;
        uint64_t index;
        struct buf out;
        struct buf plain;
        buf_init(&out, 0);
        buf_init(&plain, 0);
        record_refusals_begin(&refusals, 0, SLICE_NONE);
        for (size_t j = 0; j < rows[i]; j++) {
            record_refusals_item(&refusals, j, slice_make(text, j * 3));
        }
        seal(&refusals, &out);
        assert_int_equal(record_refused_open(&tenant, &import, CHUNK, buf_view(&out), tenant_keys, &plain, &refused),
                         0);
        assert_int_equal(refused.header.size, 0);
        for (size_t j = 0; j < rows[i]; j++) {
            assert_true(record_refused_next(&refused, &index, &item, &faults));
            assert_true(index == j && faults.size == 0);
            assert_true(slice_equal(item, slice_make(text, j * 3)));
        }
        assert_false(record_refused_next(&refused, &index, &item, &faults));
        buf_fini(&plain);
        buf_fini(&out);
    }
}

/* The layout is what is stored: clear and sealed bytes at their places, little-endian. */
static void layout(void **state)
{
    (void)state;
    struct record_refusals refusals;
    struct buf out;
    compose(&refusals);
    const char *plain = refusals.plain.data;
    assert_memory_equal(plain, "\x02\x0f\x00\x00\x00id,person/email", 20);
    assert_memory_equal(plain + 20, "\x01\x00\xf2\x05\x2a\x01\x00\x00\x00\x16\x00\x00\x00{\"id\"", 18);
    assert_memory_equal(plain + 55, "\x02\x04\x00\x00\x00\x0d\x00\x00\x00\x0e\x00\x00\x00\x00\x00\x00\x00", 17);
    assert_memory_equal(plain + 88, "type/person/emailSend a string.", 31);
    size_t plain_size = refusals.plain.size;
    buf_init(&out, 0);
    buf_append_text(&out, "front");
    seal(&refusals, &out);
    struct slice row = slice_from(buf_view(&out), 5);
    assert_int_equal(row.size, 1 + CRYPTO_SEAL_BYTES + plain_size);
    assert_int_equal(row.data[0], 1);
    assert_memory_equal(row.data + 1, nonce, sizeof nonce);
    assert_null(memmem(out.data, out.capacity, "correct", 7));
    assert_null(memmem(out.data, out.capacity, "person", 6));
    assert_int_equal(open_row(row), 0);
    buf_fini(&out);
}

static void any_change_is_refused(void **state)
{
    (void)state;
    struct buf out;
    write_row(&out);
    assert_int_equal(open_row(buf_view(&out)), 0);
    for (size_t bit = 0; bit < 8 * out.size; bit++) {
        out.data[bit / 8] = (char)(out.data[bit / 8] ^ (1 << bit % 8));
        assert_int_equal(open_row(buf_view(&out)), bit < 8 ? ERR_CORRUPT : ERR_KEY);
        out.data[bit / 8] = (char)(out.data[bit / 8] ^ (1 << bit % 8));
    }
    for (size_t size = 0; size < out.size; size++) {
        assert_int_equal(open_row(slice_make(out.data, size)), size < 1 + CRYPTO_SEAL_BYTES ? ERR_CORRUPT : ERR_KEY);
    }
    buf_append_byte(&out, 0);
    assert_int_equal(open_row(buf_view(&out)), ERR_KEY);
    buf_fini(&out);
}

/* A row moved to another place does not open. */
static void binding(void **state)
{
    (void)state;
    static const struct uuid other = {{4, 5, 7}};
    const struct {
        const struct uuid *tenant, *import;
        uint32_t chunk;
        const struct crypto_tenant *keys;
        int err;
    } rows[] = {
        {&tenant, &import, CHUNK, tenant_keys, 0},           {&other, &import, CHUNK, tenant_keys, ERR_KEY},
        {&tenant, &other, CHUNK, tenant_keys, ERR_KEY},      {&import, &tenant, CHUNK, tenant_keys, ERR_KEY},
        {&tenant, &import, CHUNK + 1, tenant_keys, ERR_KEY}, {&tenant, &import, CHUNK, other_keys, ERR_KEY},
    };
    struct buf out;
    write_row(&out);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct record_refused refused;
        struct buf plain;
        buf_init(&plain, 0);
        assert_int_equal(record_refused_open(rows[i].tenant, rows[i].import, rows[i].chunk, buf_view(&out),
                                             rows[i].keys, &plain, &refused),
                         rows[i].err);
        buf_fini(&plain);
    }
    buf_fini(&out);
}

/* Seals any plain bytes as if they were a chunk's refused items, for that purpose. */
static void seal_bytes(struct slice plain, enum crypto_purpose purpose, struct buf *row)
{
    uint8_t associated[37] = {[32] = 4, 3, 2, 1, 1};
    memcpy(associated, tenant.bytes, UUID_BYTES);
    memcpy(associated + UUID_BYTES, import.bytes, UUID_BYTES);
    buf_init(row, 0);
    buf_append_byte(row, 1);
    crypto_seal(tenant_keys, purpose, nonce, slice_make(associated, sizeof associated), plain, row);
}

static void wrong_purpose(void **state)
{
    (void)state;
    for (size_t purpose = 0; purpose < CRYPTO_PURPOSE_COUNT; purpose++) {
        struct buf row;
        seal_bytes(slice_make("\0\0\0\0\0", 5), (enum crypto_purpose)purpose, &row);
        assert_int_equal(open_row(buf_view(&row)), purpose == CRYPTO_REFUSED ? 0 : ERR_KEY);
        buf_fini(&row);
    }
}

#define FRONT "\0\0\0\0\0"
#define ITEM  "\1\0\0\0\0\0\0\0\0\0\0\0\0"
#define FAULT "\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"

/* Rows that open but whose insides lie: only who has the key can make one. */
static void bad_insides(void **state)
{
    (void)state;
    static const struct {
        struct slice plain;
        int err;
    } rows[] = {
        {{FRONT ITEM FAULT FAULT ITEM ITEM FAULT, 5 + 13 + 33 + 33 + 13 + 13 + 33}, 0},
        {{"", 0}, ERR_CORRUPT},
        {{"\0\0\0\0", 4}, ERR_CORRUPT},
        {{"\0\1\0\0\0", 5}, ERR_CORRUPT},                                    /* a header that is not there */
        {{"\0\xff\xff\xff\xff", 5}, ERR_CORRUPT},                            /* the same, too large for a sum */
        {{FRONT "\0", 6}, ERR_CORRUPT},                                      /* an entry of no kind */
        {{FRONT "\3", 6}, ERR_CORRUPT},                                      /* the same */
        {{FRONT FAULT, 5 + 33}, ERR_CORRUPT},                                /* a fault of no item */
        {{FRONT ITEM, 5 + 12}, ERR_CORRUPT},                                 /* an item cut off */
        {{FRONT ITEM "\0", 5 + 14}, ERR_CORRUPT},                            /* something behind an item */
        {{FRONT ITEM FAULT, 5 + 13 + 32}, ERR_CORRUPT},                      /* a fault cut off */
        {{FRONT ITEM FAULT "\0", 5 + 13 + 34}, ERR_CORRUPT},                 /* something behind a fault */
        {{FRONT "\1\0\0\0\0\0\0\0\0\1\0\0\0", 5 + 13}, ERR_CORRUPT},         /* a text that is not there */
        {{FRONT "\1\0\0\0\0\0\0\0\0\xff\xff\xff\xff", 5 + 13}, ERR_CORRUPT}, /* the same */
        {{FRONT ITEM "\2\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 5 + 13 + 33}, ERR_CORRUPT},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf row;
        seal_bytes(rows[i].plain, CRYPTO_REFUSED, &row);
        if (open_row(buf_view(&row)) != rows[i].err) {
            fail_msg("row %zu", i);
        }
        buf_fini(&row);
    }
}

/* Too little room, or no memory before: an error, and nothing is left in memory. */
static void failures(void **state)
{
    (void)state;
    struct record_refusals refusals;
    struct buf out;
    buf_init(&out, 100);
    compose(&refusals);
    assert_int_equal(record_refusals_seal(&refusals, &tenant, &import, CHUNK, tenant_keys, nonce, &out), ERR_TOO_LARGE);
    assert_null(refusals.plain.data);
    buf_fini(&out);

    buf_init(&out, 0);
    compose(&refusals);
    refusals.plain.error = ERR_NO_MEMORY;
    record_refusals_item(&refusals, 1, SLICE("{}"));
    record_refusals_fault(&refusals, &conflict);
    assert_int_equal(record_refusals_seal(&refusals, &tenant, &import, CHUNK, tenant_keys, nonce, &out), ERR_NO_MEMORY);
    assert_null(refusals.plain.data);
    assert_int_equal(out.size, 0);
    buf_fini(&out);

    compose(&refusals);
    record_refusals_drop(&refusals);
    assert_null(refusals.plain.data);
}

static int open_keys(struct crypto_tenant **keys)
{
    uint8_t wrapped[CRYPTO_WRAPPED_KEY_BYTES];
    crypto_tenant_key_make(ring, &tenant, wrapped);
    return crypto_tenant_open(ring, &tenant, wrapped, keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),    cmocka_unit_test(sizes),       cmocka_unit_test(layout),
        cmocka_unit_test(binding),       cmocka_unit_test(bad_insides), cmocka_unit_test(any_change_is_refused),
        cmocka_unit_test(wrong_purpose), cmocka_unit_test(failures),
    };
    uint8_t root[CRYPTO_KEY_BYTES] = {0};
    if (crypto_init() != 0 || (ring = crypto_ring_new(root)) == NULL || open_keys(&tenant_keys) != 0 ||
        open_keys(&other_keys) != 0) {
        return 1;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    crypto_tenant_free(&tenant_keys);
    crypto_tenant_free(&other_keys);
    crypto_ring_free(&ring);
    return failed;
}
