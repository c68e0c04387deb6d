/*
 * A customer's record, version 1. Integers are little-endian.
 *
 *   at  size
 *    0     1  version: 1
 *    1     1  contract: contract_info.number
 *    2     1  flags: 0
 *    3     1  key_count: 0 to LIMIT_ITEM_KEYS
 *    4    16  tenant
 *   20    16  id of the customer
 *   36    16  import
 *   52     8  created, milliseconds since 1970, signed
 *   60     8  updated, the same
 *   68    16  fingerprint of the content
 *   84    18  a key, key_count times: kind (1), unique: 0 or 1 (1), blind index (16)
 *    …        sealed body, to the record's end: nonce (24), ciphertext, tag (16)
 *
 * The sealed body's plain bytes, of purpose CRYPTO_BODY:
 *
 *    0     4  size of the document
 *    4     4  size of the findings
 *    8     4  size of the card
 *   12        document, findings, card, and nothing behind them
 *
 * R1  Everything in front of the sealed body is its associated data: a record whose clear part was
 *     changed does not open. The tenant's key binds the tenant; that the id is the row's is for the
 *     reader to compare.
 * R2  No size read from a record is used before it was held against the bytes that are there.
 * R3  The plain body is laid out where its ciphertext comes and encrypted in place, so no second
 *     copy of it is made or left behind.
 */
#include "record/record.h"

#include <assert.h>

#include "base/reader.h"

#define FIXED_BYTES    84u
#define KEY_BYTES      (2u + CRYPTO_MAC_BYTES)
#define KEY_COUNT_AT   3u
#define SIZES_BYTES    12u
#define SMALLEST_BYTES (FIXED_BYTES + CRYPTO_SEAL_BYTES + SIZES_BYTES)

static_assert(LIMIT_ITEM_KEYS <= UINT8_MAX, "key_count is one byte");

static void write_header(const struct record_header *header, struct buf *out)
{
    buf_append_byte(out, RECORD_VERSION);
    buf_append_byte(out, header->contract);
    buf_append_byte(out, header->flags);
    buf_append_byte(out, (uint8_t)header->key_count);
    buf_append_slice(out, uuid_view(&header->tenant));
    buf_append_slice(out, uuid_view(&header->id));
    buf_append_slice(out, uuid_view(&header->import));
    buf_append_u64(out, (uint64_t)header->created_ms);
    buf_append_u64(out, (uint64_t)header->updated_ms);
    buf_append(out, header->fingerprint, CRYPTO_MAC_BYTES);
    for (size_t i = 0; i < header->key_count; i++) {
        const struct record_key *key = &header->keys[i];
        assert(key->kind > IDENTIFIER_NONE && key->kind < IDENTIFIER_KIND_COUNT);
        buf_append_byte(out, key->kind);
        buf_append_byte(out, key->unique ? 1 : 0);
        buf_append(out, key->mac, CRYPTO_MAC_BYTES);
    }
}

/* The body's plain bytes from `at` on, as R3 says; the room is there. */
static struct slice lay_body(const struct record_body *body, char *at)
{
    const struct slice parts[] = {body->document, body->findings, body->card};
    char *end = at;
    for (size_t i = 0; i < 3; i++) {
        for (size_t byte = 0; byte < 4; byte++) {
            *end++ = (char)(uint8_t)(parts[i].size >> (8 * byte));
        }
    }
    for (size_t i = 0; i < 3; i++) {
        if (parts[i].size > 0) {
            memcpy(end, parts[i].data, parts[i].size);
            end += parts[i].size;
        }
    }
    return slice_make(at, (size_t)(end - at));
}

void record_write(const struct record_header *header, const struct record_body *body, const struct crypto_tenant *keys,
                  const uint8_t nonce[CRYPTO_NONCE_BYTES], struct buf *out)
{
    assert(header->key_count <= LIMIT_ITEM_KEYS && header->flags == 0);
    assert(body->document.size <= UINT32_MAX && body->findings.size <= UINT32_MAX && body->card.size <= UINT32_MAX);
    size_t clear_size = FIXED_BYTES + header->key_count * KEY_BYTES;
    size_t plain_size = SIZES_BYTES + body->document.size + body->findings.size + body->card.size;
    size_t start = out->size;
    if (buf_reserve(out, clear_size + CRYPTO_SEAL_BYTES + plain_size) != 0) {
        return;
    }
    write_header(header, out);
    if (buf_error(out) != 0) {
        return;
    }
    struct slice clear = slice_make(out->data + start, clear_size);
    struct slice plain = lay_body(body, out->data + out->size + CRYPTO_NONCE_BYTES);
    crypto_seal(keys, CRYPTO_BODY, nonce, clear, plain, out);
}

/* Cuts a record into its clear part and its sealed body (R2). */
static int split(struct slice record, struct slice *clear, struct slice *sealed)
{
    if (record.size < SMALLEST_BYTES || (uint8_t)record.data[0] != RECORD_VERSION) {
        return ERR_CORRUPT;
    }
    size_t key_count = (uint8_t)record.data[KEY_COUNT_AT];
    if (key_count > LIMIT_ITEM_KEYS || record.size < SMALLEST_BYTES + key_count * KEY_BYTES) {
        return ERR_CORRUPT;
    }
    *clear = (struct slice){record.data, FIXED_BYTES + key_count * KEY_BYTES};
    *sealed = slice_from(record, clear->size);
    return 0;
}

static bool read_key(struct reader *reader, struct record_key *key)
{
    key->kind = reader_u8(reader);
    uint8_t unique = reader_u8(reader);
    key->unique = unique == 1;
    reader_copy(reader, key->mac, sizeof key->mac);
    return key->kind > IDENTIFIER_NONE && key->kind < IDENTIFIER_KIND_COUNT && unique <= 1;
}

int record_read_header(struct slice record, struct record_header *header, struct record_key *keys)
{
    struct slice clear;
    struct slice sealed;
    if (split(record, &clear, &sealed) != 0) {
        return ERR_CORRUPT;
    }
    struct reader reader;
    reader_init(&reader, slice_from(clear, 1));
    header->contract = reader_u8(&reader);
    header->flags = reader_u8(&reader);
    header->key_count = reader_u8(&reader);
    reader_copy(&reader, header->tenant.bytes, UUID_BYTES);
    reader_copy(&reader, header->id.bytes, UUID_BYTES);
    reader_copy(&reader, header->import.bytes, UUID_BYTES);
    header->created_ms = (int64_t)reader_u64(&reader);
    header->updated_ms = (int64_t)reader_u64(&reader);
    reader_copy(&reader, header->fingerprint, CRYPTO_MAC_BYTES);
    header->keys = keys;
    for (size_t i = 0; i < header->key_count; i++) {
        if (!read_key(&reader, &keys[i])) {
            return ERR_CORRUPT;
        }
    }
    return header->flags == 0 ? reader_error(&reader) : ERR_CORRUPT;
}

static int read_body(struct slice plain, struct record_body *body)
{
    struct reader reader;
    reader_init(&reader, plain);
    size_t document_size = reader_u32(&reader);
    size_t findings_size = reader_u32(&reader);
    size_t card_size = reader_u32(&reader);
    body->document = reader_bytes(&reader, document_size);
    body->findings = reader_bytes(&reader, findings_size);
    body->card = reader_bytes(&reader, card_size);
    return reader_left(&reader) == 0 ? reader_error(&reader) : ERR_CORRUPT;
}

int record_open(struct slice record, const struct crypto_tenant *keys, struct buf *plain, struct record_body *body)
{
    struct slice clear;
    struct slice sealed;
    size_t start = plain->size;
    *body = (struct record_body){0};
    int err = split(record, &clear, &sealed);
    if (err == 0) {
        err = crypto_open(keys, CRYPTO_BODY, clear, sealed, plain);
    }
    return err != 0 ? err : read_body(slice_from(buf_view(plain), start), body);
}
