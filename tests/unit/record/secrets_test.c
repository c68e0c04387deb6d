/* The row of a customer's secrets and back; bound to tenant, customer and its own clear front. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "record/record.h"

static struct crypto_ring *ring;
static struct crypto_tenant *tenant_keys;
static struct crypto_tenant *other_keys;
static const struct uuid tenant = {{1, 2, 3}};
static const struct uuid customer = {{4, 5, 6}};
static const uint8_t nonce[CRYPTO_NONCE_BYTES] = {9, 8, 7};

static const struct record_secret three[] = {
    {SECRET_PASSWORD, SECRET_PENDING, {"/person/password", 16}, {"correct horse", 13}},
    {SECRET_PIN, SECRET_GIVEN, {"/person/pinCode", 15}, {"$2b$", 4}},
    {SECRET_ANSWER, SECRET_READY, {"/person/SecretQuestion/0/answer", 31}, {"", 0}},
};

static void write_row(const struct record_secret *secrets, size_t count, struct buf *out)
{
    buf_init(out, 0);
    record_secrets_write(&tenant, &customer, secrets, count, tenant_keys, nonce, out);
    assert_int_equal(buf_error(out), 0);
}

static int open_row(const struct uuid *of_tenant, const struct uuid *of_customer, struct slice row,
                    const struct crypto_tenant *keys)
{
    struct record_secret secrets[RECORD_SECRETS_MAX];
    struct buf plain;
    size_t count = 99;
    buf_init(&plain, 0);
    int err = record_secrets_open(of_tenant, of_customer, row, keys, &plain, secrets, &count);
    assert_true(err == 0 || count == 0);
    buf_fini(&plain);
    return err;
}

static void round_trip(void **state)
{
    (void)state;
    static struct record_secret many[RECORD_SECRETS_MAX];
    for (size_t i = 0; i < RECORD_SECRETS_MAX; i++) {
        many[i] = three[i % 2];
    }
    const struct {
        const struct record_secret *secrets;
        size_t count;
        size_t pending;
    } rows[] = {{three, 0, 0}, {three, 3, 1}, {many, RECORD_SECRETS_MAX, RECORD_SECRETS_MAX / 2}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct record_secret secrets[RECORD_SECRETS_MAX];
        struct buf out;
        struct buf plain;
        size_t count;
        size_t pending;
        write_row(rows[i].secrets, rows[i].count, &out);
        buf_init(&plain, 0);
        buf_append_text(&plain, "front");
        assert_int_equal(record_secrets_pending(buf_view(&out), &pending), 0);
        assert_int_equal(pending, rows[i].pending);
        assert_int_equal(record_secrets_open(&tenant, &customer, buf_view(&out), tenant_keys, &plain, secrets, &count),
                         0);
        assert_int_equal(count, rows[i].count);
        for (size_t s = 0; s < count; s++) {
            assert_int_equal(secrets[s].kind, rows[i].secrets[s].kind);
            assert_int_equal(secrets[s].state, rows[i].secrets[s].state);
            assert_true(slice_equal(secrets[s].pointer, rows[i].secrets[s].pointer));
            assert_true(slice_equal(secrets[s].value, rows[i].secrets[s].value));
        }
        buf_fini(&plain);
        buf_fini(&out);
    }
}

/* Behind another row, and with no value readable in it. */
static void sealed_and_appended(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 0);
    buf_append_text(&out, "front");
    record_secrets_write(&tenant, &customer, three, 3, tenant_keys, nonce, &out);
    struct slice row = slice_from(buf_view(&out), 5);
    assert_int_equal(row.size, 2 + 6 + CRYPTO_SEAL_BYTES + 3 * 8 + 16 + 13 + 15 + 4 + 31);
    assert_memory_equal(row.data, "\x01\x03\x01\x01\x02\x03\x03\x02", 8);
    assert_int_equal(open_row(&tenant, &customer, row, tenant_keys), 0);
    assert_null(memmem(out.data, out.capacity, "correct", 7));
    assert_null(memmem(out.data, out.capacity, "/person", 7));
    buf_fini(&out);
}

static void binding(void **state)
{
    (void)state;
    struct uuid other = {{4, 5, 7}};
    struct buf out;
    write_row(three, 3, &out);
    assert_int_equal(open_row(&tenant, &customer, buf_view(&out), tenant_keys), 0);
    assert_int_equal(open_row(&other, &customer, buf_view(&out), tenant_keys), ERR_KEY);
    assert_int_equal(open_row(&tenant, &other, buf_view(&out), tenant_keys), ERR_KEY);
    assert_int_equal(open_row(&customer, &tenant, buf_view(&out), tenant_keys), ERR_KEY);
    assert_int_equal(open_row(&tenant, &customer, buf_view(&out), other_keys), ERR_KEY);
    for (size_t bit = 0; bit < 8 * out.size; bit++) {
        out.data[bit / 8] = (char)(out.data[bit / 8] ^ (1 << bit % 8));
        int err = open_row(&tenant, &customer, buf_view(&out), tenant_keys);
        assert_true(err == ERR_KEY || err == ERR_CORRUPT);
        out.data[bit / 8] = (char)(out.data[bit / 8] ^ (1 << bit % 8));
    }
    buf_fini(&out);
}

/* The same secrets sealed for another purpose are no row of secrets. */
static void wrong_purpose(void **state)
{
    (void)state;
    uint8_t associated[2 * UUID_BYTES + 2] = {0};
    static const char front[] = {1, 0};
    memcpy(associated, tenant.bytes, UUID_BYTES);
    memcpy(associated + UUID_BYTES, customer.bytes, UUID_BYTES);
    memcpy(associated + 2 * (size_t)UUID_BYTES, front, 2);
    for (size_t purpose = 0; purpose < CRYPTO_PURPOSE_COUNT; purpose++) {
        struct buf row;
        buf_init(&row, 0);
        buf_append(&row, front, sizeof front);
        crypto_seal(tenant_keys, (enum crypto_purpose)purpose, nonce, slice_make(associated, sizeof associated),
                    SLICE_NONE, &row);
        int err = open_row(&tenant, &customer, buf_view(&row), tenant_keys);
        assert_int_equal(err, purpose == CRYPTO_SECRET ? 0 : ERR_KEY);
        buf_fini(&row);
    }
}

static void cut_short_is_refused(void **state)
{
    (void)state;
    struct buf out;
    write_row(three, 3, &out);
    for (size_t size = 0; size < out.size; size++) {
        size_t pending;
        int err = open_row(&tenant, &customer, slice_make(out.data, size), tenant_keys);
        assert_true(err == ERR_KEY || err == ERR_CORRUPT);
        bool whole = size >= 2 + 3 * 10 + CRYPTO_SEAL_BYTES;
        assert_int_equal(record_secrets_pending(slice_make(out.data, size), &pending), whole ? 0 : ERR_CORRUPT);
    }
    buf_fini(&out);
}

static void bad_fronts(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint8_t value;
    } rows[] = {
        {0, 0},           {0, 2},                      /* version */
        {1, 20},          {1, RECORD_SECRETS_MAX + 1}, /* count */
        {2, SECRET_NONE}, {4, SECRET_CODE},            /* kind: a one-time code is never kept */
        {3, 0},           {5, 4},                      /* state */
    };
    struct buf out;
    write_row(three, 3, &out);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t pending;
        char kept = out.data[rows[i].at];
        out.data[rows[i].at] = (char)rows[i].value;
        assert_int_equal(record_secrets_pending(buf_view(&out), &pending), ERR_CORRUPT);
        out.data[rows[i].at] = kept;
    }
    buf_fini(&out);
}

static void bad_insides(void **state)
{
    (void)state;
    static const struct slice rows[] = {
        {"\x01\0\0\0\0\0\0\0", 8},               /* a byte that is not there */
        {"\xff\xff\xff\xff\xff\xff\xff\xff", 8}, /* sizes that overflow a sum */
        {"\0\0\0\0\0\0\0\0x", 9},                /* a byte too many */
    };
    uint8_t associated[2 * UUID_BYTES + 4] = {0};
    static const char front[] = {1, 1, SECRET_PIN, SECRET_PENDING};
    memcpy(associated, tenant.bytes, UUID_BYTES);
    memcpy(associated + UUID_BYTES, customer.bytes, UUID_BYTES);
    memcpy(associated + 2 * (size_t)UUID_BYTES, front, sizeof front);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf row;
        buf_init(&row, 0);
        buf_append(&row, front, sizeof front);
        crypto_seal(tenant_keys, CRYPTO_SECRET, nonce, slice_make(associated, sizeof associated), rows[i], &row);
        assert_int_equal(open_row(&tenant, &customer, buf_view(&row), tenant_keys), ERR_CORRUPT);
        buf_fini(&row);
    }
}

/* Too little room: an error, and no plain value laid out for nothing. */
static void full_buffer(void **state)
{
    (void)state;
    for (size_t limit = 1; limit < 2 + 6 + CRYPTO_SEAL_BYTES + 3 * 8 + 79; limit += 7) {
        struct buf out;
        buf_init(&out, limit);
        record_secrets_write(&tenant, &customer, three, 3, tenant_keys, nonce, &out);
        assert_int_equal(buf_error(&out), ERR_TOO_LARGE);
        assert_null(memmem(out.data, out.capacity, "correct", 7));
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
        cmocka_unit_test(round_trip),    cmocka_unit_test(sealed_and_appended),  cmocka_unit_test(binding),
        cmocka_unit_test(wrong_purpose), cmocka_unit_test(cut_short_is_refused), cmocka_unit_test(bad_fronts),
        cmocka_unit_test(bad_insides),   cmocka_unit_test(full_buffer),
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
