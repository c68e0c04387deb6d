/* Rows of refused items, whole or damaged, and what is inside of rows that open: the bytes are tried as a row, and
 * sealed as the plain bytes of one. Keys as in record_fuzz.c. */
#include <assert.h>

#include "record/record.h"

static const uint8_t root[CRYPTO_KEY_BYTES];
static const uint8_t nonce[CRYPTO_NONCE_BYTES];
static const uint8_t associated[37] = {[36] = 1};
static const struct uuid zero;
static struct crypto_tenant *keys;

static void walk(struct slice row)
{
    struct record_refused refused;
    struct record_fault fault;
    struct slice text;
    struct slice faults;
    uint64_t index;
    struct buf plain = {0};
    int err = record_refused_open(&zero, &zero, 0, row, keys, &plain, &refused);
    while (err == 0 && record_refused_next(&refused, &index, &text, &faults)) {
        while (record_refused_fault(&faults, &fault)) {
        }
        assert(faults.size == 0);
    }
    assert(err == ERR_KEY || err == ERR_CORRUPT || (err == 0 && refused.rest.size == 0));
    buf_fini(&plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (keys == NULL) {
        uint8_t wrapped[CRYPTO_WRAPPED_KEY_BYTES];
        int err = crypto_init();
        struct crypto_ring *ring = err == 0 ? crypto_ring_new(root) : NULL;
        assert(ring != NULL);
        crypto_tenant_key_make(ring, &zero, wrapped);
        assert(crypto_tenant_open(ring, &zero, wrapped, &keys) == 0);
        crypto_ring_free(&ring);
    }
    walk(slice_make(data, size));
    struct buf row = {0};
    buf_append_byte(&row, 1);
    crypto_seal(keys, CRYPTO_REFUSED, nonce, slice_make(associated, sizeof associated), slice_make(data, size), &row);
    walk(buf_view(&row));
    buf_fini(&row);
    return 0;
}
