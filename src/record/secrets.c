/*
 * A customer's secrets, a row of their own, version 1: apart from the record so that the document
 * can be read, exported and rewritten without them. Integers are little-endian.
 *
 *   at  size
 *    0     1  version: 1
 *    1     1  count: 0 to RECORD_SECRETS_MAX
 *    2     2  kind and state of a secret, count times
 *    …        sealed secrets, to the row's end: nonce (24), ciphertext, tag (16)
 *
 * The sealed secrets' plain bytes, of purpose CRYPTO_SECRET, count times:
 *
 *    0     4  size of the pointer
 *    4     4  size of the value
 *    8        pointer, value
 *
 * Kinds and states are clear so that the hashing lane finds its work without a key. They are
 * associated data, and so are tenant and customer, which the row does not repeat: a row moved to
 * another customer does not open. Plain values are laid out where their ciphertext comes, so none is
 * left in a temporary buffer.
 */
#include <assert.h>

#include "base/reader.h"
#include "record/record.h"

#define SECRETS_VERSION  1
#define FRONT_MAX_BYTES  (2u + 2u * RECORD_SECRETS_MAX)
#define SIZES_BYTES      8u
#define ASSOCIATED_BYTES (2u * UUID_BYTES + FRONT_MAX_BYTES)

static bool kind_known(uint8_t kind)
{
    return kind > SECRET_NONE && kind < SECRET_KIND_COUNT && kind != SECRET_CODE;
}

static bool state_known(uint8_t state)
{
    return state == SECRET_PENDING || state == SECRET_READY || state == SECRET_GIVEN;
}

/* Tenant, customer and the clear front in one run of bytes. */
static struct slice associate(const struct uuid *tenant, const struct uuid *customer, struct slice front,
                              uint8_t bytes[ASSOCIATED_BYTES])
{
    assert(front.size <= FRONT_MAX_BYTES);
    memcpy(bytes, tenant->bytes, UUID_BYTES);
    memcpy(bytes + UUID_BYTES, customer->bytes, UUID_BYTES);
    memcpy(bytes + 2 * (size_t)UUID_BYTES, front.data, front.size);
    return slice_make(bytes, 2 * (size_t)UUID_BYTES + front.size);
}

static char *lay_size(size_t size, char *at)
{
    for (size_t byte = 0; byte < 4; byte++) {
        *at++ = (char)(uint8_t)(size >> (8 * byte));
    }
    return at;
}

static char *lay_bytes(struct slice bytes, char *at)
{
    if (bytes.size > 0) {
        memcpy(at, bytes.data, bytes.size);
    }
    return at + bytes.size;
}

/* The secrets' plain bytes from `at` on; the room is there. */
static struct slice lay_secrets(const struct record_secret *secrets, size_t count, char *at)
{
    char *end = at;
    for (size_t i = 0; i < count; i++) {
        end = lay_size(secrets[i].pointer.size, end);
        end = lay_size(secrets[i].value.size, end);
        end = lay_bytes(secrets[i].pointer, end);
        end = lay_bytes(secrets[i].value, end);
    }
    return slice_make(at, (size_t)(end - at));
}

static size_t secrets_size(const struct record_secret *secrets, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        assert(kind_known(secrets[i].kind) && state_known(secrets[i].state));
        assert(secrets[i].pointer.size <= UINT32_MAX && secrets[i].value.size <= UINT32_MAX);
        size += SIZES_BYTES + secrets[i].pointer.size + secrets[i].value.size;
    }
    return size;
}

void record_secrets_write(const struct uuid *tenant, const struct uuid *customer, const struct record_secret *secrets,
                          size_t count, const struct crypto_tenant *keys, const uint8_t nonce[CRYPTO_NONCE_BYTES],
                          struct buf *out)
{
    assert(count <= RECORD_SECRETS_MAX);
    uint8_t associated[ASSOCIATED_BYTES];
    size_t start = out->size;
    size_t plain_size = secrets_size(secrets, count);
    /* All room first: growing later would leave a copy of plain values in freed memory. */
    if (buf_reserve(out, 2 + 2 * count + CRYPTO_SEAL_BYTES + plain_size) != 0) {
        return;
    }
    buf_append_byte(out, SECRETS_VERSION);
    buf_append_byte(out, (uint8_t)count);
    for (size_t i = 0; i < count; i++) {
        buf_append_byte(out, secrets[i].kind);
        buf_append_byte(out, secrets[i].state);
    }
    bool fits = out->limit_bytes == 0 || plain_size + CRYPTO_SEAL_BYTES <= out->limit_bytes - out->size;
    if (buf_error(out) != 0 || !fits) {
        /* Nothing was laid out yet; let the buffer say what is wrong. */
        buf_extend(out, plain_size + CRYPTO_SEAL_BYTES);
        return;
    }
    struct slice front = slice_from(buf_view(out), start);
    struct slice plain = lay_secrets(secrets, count, out->data + out->size + CRYPTO_NONCE_BYTES);
    crypto_seal(keys, CRYPTO_SECRET, nonce, associate(tenant, customer, front, associated), plain, out);
}

/* Cuts a row into its clear front and its sealed part, and counts what is pending. */
static int split(struct slice row, struct slice *front, struct slice *sealed, size_t *pending)
{
    *pending = 0;
    if (row.size < 2 + CRYPTO_SEAL_BYTES || (uint8_t)row.data[0] != SECRETS_VERSION) {
        return ERR_CORRUPT;
    }
    size_t count = (uint8_t)row.data[1];
    if (count > RECORD_SECRETS_MAX || row.size < 2 + (2 + SIZES_BYTES) * count + CRYPTO_SEAL_BYTES) {
        return ERR_CORRUPT;
    }
    *front = (struct slice){row.data, 2 + 2 * count};
    *sealed = slice_from(row, front->size);
    for (size_t i = 0; i < count; i++) {
        uint8_t state = (uint8_t)row.data[2 + 2 * i + 1];
        if (!kind_known((uint8_t)row.data[2 + 2 * i]) || !state_known(state)) {
            return ERR_CORRUPT;
        }
        *pending += state == SECRET_PENDING ? 1 : 0;
    }
    return 0;
}

static int read_secrets(struct slice front, struct slice plain, struct record_secret *secrets, size_t *count)
{
    struct reader reader;
    reader_init(&reader, plain);
    size_t found = (front.size - 2) / 2;
    for (size_t i = 0; i < found; i++) {
        size_t pointer_size = reader_u32(&reader);
        size_t value_size = reader_u32(&reader);
        secrets[i].kind = (uint8_t)front.data[2 + 2 * i];
        secrets[i].state = (uint8_t)front.data[2 + 2 * i + 1];
        secrets[i].pointer = reader_bytes(&reader, pointer_size);
        secrets[i].value = reader_bytes(&reader, value_size);
    }
    if (reader_error(&reader) != 0 || reader_left(&reader) != 0) {
        return ERR_CORRUPT;
    }
    *count = found;
    return 0;
}

int record_secrets_open(const struct uuid *tenant, const struct uuid *customer, struct slice row,
                        const struct crypto_tenant *keys, struct buf *plain, struct record_secret *secrets,
                        size_t *count)
{
    struct slice front;
    struct slice sealed;
    size_t pending;
    size_t start = plain->size;
    uint8_t associated[ASSOCIATED_BYTES];
    *count = 0;
    int err = split(row, &front, &sealed, &pending);
    if (err == 0) {
        err = crypto_open(keys, CRYPTO_SECRET, associate(tenant, customer, front, associated), sealed, plain);
    }
    return err != 0 ? err : read_secrets(front, slice_from(buf_view(plain), start), secrets, count);
}

int record_secrets_pending(struct slice row, size_t *pending)
{
    struct slice front;
    struct slice sealed;
    return split(row, &front, &sealed, pending);
}
