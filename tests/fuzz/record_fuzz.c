/* Stored rows, whole or damaged, under one fixed key so that the corpus holds rows that open: the
 * all-zero tenant's all-zero key, wrapped by the ring of the all-zero root key. */
#include <assert.h>

#include "record/record.h"

static const uint8_t wrapped[CRYPTO_WRAPPED_KEY_BYTES] = {
    [24] = 0x7c, 0x97, 0xd6, 0x0b, 0x0e, 0x42, 0xe3, 0xb2, 0x15, 0xb9, 0xbe, 0xb9, 0xff, 0xd8, 0xfd, 0x47,
    0xed,        0xbf, 0x03, 0xb8, 0x7f, 0x15, 0x9e, 0xf9, 0xe0, 0x3a, 0x57, 0xb4, 0x84, 0x02, 0x8c, 0x8f,
    0x31,        0x87, 0xec, 0x6a, 0x7a, 0xf0, 0xb8, 0xec, 0xc1, 0x44, 0xb9, 0x0e, 0xa6, 0x2e, 0xd4, 0x1a,
};
static const uint8_t root[CRYPTO_KEY_BYTES];
static const struct uuid zero;
static struct crypto_tenant *keys;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice row = slice_make(data, size);
    struct record_header header;
    struct record_key index[LIMIT_ITEM_KEYS];
    struct record_body body;
    struct record_secret secrets[RECORD_SECRETS_MAX];
    size_t count;
    if (keys == NULL) {
        int err = crypto_init();
        struct crypto_ring *ring = err == 0 ? crypto_ring_new(root) : NULL;
        assert(ring != NULL && crypto_tenant_open(ring, &zero, wrapped, &keys) == 0);
        crypto_ring_free(&ring);
    }
    struct buf plain = {0};
    bool readable = record_read_header(row, &header, index) == 0;
    assert(record_open(row, keys, &plain, &body) != 0 || readable);
    readable = record_secrets_pending(row, &count) == 0;
    assert(record_secrets_open(&zero, &zero, row, keys, &plain, secrets, &count) != 0 || readable);
    buf_fini(&plain);
    return 0;
}
