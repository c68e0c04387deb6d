/* A record and back; and every way to hand in bytes that are not one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "record/record.h"

static struct crypto_ring *ring;
static struct crypto_tenant *tenant_keys;
static struct crypto_tenant *other_keys;
static const struct uuid tenant = {{1, 2, 3}};
static const uint8_t nonce[CRYPTO_NONCE_BYTES] = {9, 8, 7};

static const struct record_key two_keys[] = {
    {IDENTIFIER_EXTERNAL_ID, true, {0xe1}},
    {IDENTIFIER_EMAIL, false, {0xe2}},
};

static const struct record_body body_full = {
    .document = {"{\"id\":\"7\"}", 10}, .findings = {"[{}]", 4}, .card = {"{\"name\":\"Ada\"}", 14}};

static struct record_header header_of(const struct record_key *keys, size_t count)
{
    return (struct record_header){.contract = 2,
                                  .tenant = tenant,
                                  .id = {{4, 5}},
                                  .import = {{6}},
                                  .created_ms = 1723038340886,
                                  .updated_ms = -2,
                                  .fingerprint = {0xf1, 0xf2},
                                  .keys = keys,
                                  .key_count = count};
}

static void expect_header(const struct record_header *got, const struct record_header *want)
{
    assert_int_equal(got->contract, want->contract);
    assert_int_equal(got->flags, want->flags);
    assert_true(uuid_equal(&got->tenant, &want->tenant));
    assert_true(uuid_equal(&got->id, &want->id));
    assert_true(uuid_equal(&got->import, &want->import));
    assert_true(got->created_ms == want->created_ms && got->updated_ms == want->updated_ms);
    assert_memory_equal(got->fingerprint, want->fingerprint, CRYPTO_MAC_BYTES);
    assert_int_equal(got->key_count, want->key_count);
    for (size_t i = 0; i < want->key_count; i++) {
        assert_int_equal(got->keys[i].kind, want->keys[i].kind);
        assert_int_equal(got->keys[i].unique, want->keys[i].unique);
        assert_memory_equal(got->keys[i].mac, want->keys[i].mac, CRYPTO_MAC_BYTES);
    }
}

static void round_trip(void **state)
{
    (void)state;
    static struct record_key many[LIMIT_ITEM_KEYS];
    for (size_t i = 0; i < LIMIT_ITEM_KEYS; i++) {
        many[i] = (struct record_key){IDENTIFIER_PHONE, i % 2 == 0, {(uint8_t)i}};
    }
    const struct {
        struct record_header header;
        struct record_body body;
    } rows[] = {
        {header_of(NULL, 0), {SLICE_NONE, SLICE_NONE, SLICE_NONE}},
        {header_of(two_keys, 2), body_full},
        {header_of(many, LIMIT_ITEM_KEYS), {SLICE("{}"), SLICE_NONE, SLICE("{}")}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf out;
        struct buf plain;
        struct record_header header;
        struct record_body body;
        struct record_key keys[LIMIT_ITEM_KEYS];
        buf_init(&out, 0);
        buf_init(&plain, 0);
        /* Both buffers hold something before: nothing may count from their start. */
        buf_append_text(&out, "front");
        buf_append_text(&plain, "front");
        record_write(&rows[i].header, &rows[i].body, tenant_keys, nonce, &out);
        assert_int_equal(buf_error(&out), 0);
        struct slice record = slice_from(buf_view(&out), 5);
        assert_int_equal(record_read_header(record, &header, keys), 0);
        expect_header(&header, &rows[i].header);
        assert_int_equal(record_open(record, tenant_keys, &plain, &body), 0);
        assert_true(slice_equal(body.document, rows[i].body.document));
        assert_true(slice_equal(body.findings, rows[i].body.findings));
        assert_true(slice_equal(body.card, rows[i].body.card));
        buf_fini(&out);
        buf_fini(&plain);
    }
}

/* The layout is what is stored: bytes at their places, little-endian. */
static void layout(void **state)
{
    (void)state;
    struct record_header header = header_of(two_keys, 2);
    struct buf out;
    buf_init(&out, 0);
    record_write(&header, &body_full, tenant_keys, nonce, &out);
    assert_int_equal(out.size, 84 + 2 * 18 + CRYPTO_SEAL_BYTES + 12 + 10 + 4 + 14);
    assert_memory_equal(out.data, "\x01\x02\x00\x02\x01\x02\x03", 7);
    assert_memory_equal(out.data + 20, "\x04\x05", 2);
    assert_memory_equal(out.data + 36, "\x06", 1);
    assert_memory_equal(out.data + 52, "\x16\x97\x16\x2d\x91\x01\x00\x00", 8);
    assert_memory_equal(out.data + 60, "\xfe\xff\xff\xff\xff\xff\xff\xff", 8);
    assert_memory_equal(out.data + 68, "\xf1\xf2", 2);
    assert_memory_equal(out.data + 84, "\x01\x01\xe1", 3);
    assert_memory_equal(out.data + 102, "\x02\x00\xe2", 3);
    assert_memory_equal(out.data + 120, nonce, sizeof nonce);
    buf_fini(&out);
}

static void write_sample(struct buf *out)
{
    struct record_header header = header_of(two_keys, 2);
    buf_init(out, 0);
    record_write(&header, &body_full, tenant_keys, nonce, out);
    assert_int_equal(buf_error(out), 0);
}

static int open_bytes(struct slice record, const struct crypto_tenant *keys)
{
    struct buf plain;
    struct record_body body;
    buf_init(&plain, 0);
    int err = record_open(record, keys, &plain, &body);
    buf_fini(&plain);
    return err;
}

static void any_change_is_refused(void **state)
{
    (void)state;
    struct buf out;
    write_sample(&out);
    assert_int_equal(open_bytes(buf_view(&out), tenant_keys), 0);
    for (size_t bit = 0; bit < 8 * out.size; bit++) {
        out.data[bit / 8] = (char)(out.data[bit / 8] ^ (1 << bit % 8));
        int err = open_bytes(buf_view(&out), tenant_keys);
        assert_true(err == ERR_KEY || err == ERR_CORRUPT);
        out.data[bit / 8] = (char)(out.data[bit / 8] ^ (1 << bit % 8));
    }
    assert_int_equal(open_bytes(buf_view(&out), other_keys), ERR_KEY);
    buf_append_byte(&out, 0);
    assert_int_equal(open_bytes(buf_view(&out), tenant_keys), ERR_KEY);
    buf_fini(&out);
}

static void cut_short_is_refused(void **state)
{
    (void)state;
    struct buf out;
    write_sample(&out);
    for (size_t size = 0; size < out.size; size++) {
        struct record_header header;
        struct record_key keys[LIMIT_ITEM_KEYS];
        /* A copy of exactly that size, so that a read past its end is seen by the sanitizer. */
        struct buf part;
        buf_init(&part, 0);
        buf_append(&part, out.data, size);
        struct slice record = slice_make(part.data + part.capacity - size, size);
        if (size > 0) {
            memmove(part.data + part.capacity - size, part.data, size);
        } else {
            record = SLICE_NONE;
        }
        int err = open_bytes(record, tenant_keys);
        assert_true(err == ERR_KEY || err == ERR_CORRUPT);
        /* Clear part, nonce, tag and the body's three sizes: less can't be a record. */
        bool whole = size >= 120 + CRYPTO_SEAL_BYTES + 12;
        assert_int_equal(record_read_header(record, &header, keys), whole ? 0 : ERR_CORRUPT);
        buf_fini(&part);
    }
    buf_fini(&out);
}

static void bad_headers(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint8_t value;
    } rows[] = {
        {0, 0},                   /* version */
        {0, 2},                   /* version */
        {2, 1},                   /* flags */
        {3, LIMIT_ITEM_KEYS + 1}, /* key count beyond the limit */
        {3, 40},                  /* key count beyond the bytes */
        {84, IDENTIFIER_NONE},
        {84, IDENTIFIER_KIND_COUNT}, /* kind */
        {103, 2},                    /* unique */
    };
    struct buf out;
    write_sample(&out);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct record_header header;
        struct record_key keys[LIMIT_ITEM_KEYS];
        char kept = out.data[rows[i].at];
        out.data[rows[i].at] = (char)rows[i].value;
        assert_int_equal(record_read_header(buf_view(&out), &header, keys), ERR_CORRUPT);
        out.data[rows[i].at] = kept;
    }
    buf_fini(&out);
}

/* A body that opens but whose sizes lie: only who has the key can make one. */
static void bad_bodies(void **state)
{
    (void)state;
    static const struct slice rows[] = {
        {"\x01\0\0\0\0\0\0\0\0\0\0\0", 12},                       /* a byte that is not there */
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12}, /* sizes that overflow a sum */
        {"\0\0\0\0\0\0\0\0\0\0\0\0x", 13},                        /* a byte too many */
    };
    struct buf out;
    write_sample(&out);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf record;
        buf_init(&record, 0);
        assert_int_equal(buf_reserve(&record, 1000), 0);
        buf_append(&record, out.data, 120);
        crypto_seal(tenant_keys, CRYPTO_BODY, nonce, buf_view(&record), rows[i], &record);
        assert_int_equal(open_bytes(buf_view(&record), tenant_keys), ERR_CORRUPT);
        buf_fini(&record);
    }
    buf_fini(&out);
}

static void full_buffer(void **state)
{
    (void)state;
    struct record_header header = header_of(two_keys, 2);
    for (size_t limit = 1; limit < 120 + CRYPTO_SEAL_BYTES + 12 + 28; limit += 9) {
        struct buf out;
        buf_init(&out, limit);
        record_write(&header, &body_full, tenant_keys, nonce, &out);
        assert_int_equal(buf_error(&out), ERR_TOO_LARGE);
        buf_fini(&out);
    }
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
        cmocka_unit_test(round_trip),           cmocka_unit_test(layout),      cmocka_unit_test(any_change_is_refused),
        cmocka_unit_test(cut_short_is_refused), cmocka_unit_test(bad_headers), cmocka_unit_test(bad_bodies),
        cmocka_unit_test(full_buffer),
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
