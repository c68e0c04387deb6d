/*
 * The refused items of a chunk, one row, version 1: what they were, without their secrets, and what is wrong
 * with them. Integers are little-endian.
 *
 *   at  size
 *    0     1  version: 1
 *    1        sealed part, to the row's end: nonce (24), ciphertext, tag (16)
 *
 * The sealed part's plain bytes, of purpose CRYPTO_REFUSED:
 *
 *    0     1  format: import_format
 *    1     4  size of the header
 *    5        header, then entries to the end: an item, its faults, the next item, …
 *
 * An item:                            A fault, of the item in front of it:
 *    0     1  1                          0     1  2
 *    1     8  index in the body          1     4  size of the code
 *    9     4  size of the text           5     4  size of the pointer
 *   13        text                       9     4  size of the detail
 *                                       13     4  size of the hint
 *                                       17    16  customer, zeros when there is none
 *                                       33        code, pointer, detail, hint
 *
 * Tenant, import, number of the chunk (4) and the version are associated data: a row moved to another place does
 * not open. The entries are walked once when a row is opened, so that reading them afterwards can't fail. Entries
 * hold personal data; so the buffer that they gather in is wiped before it is given back, also when it grows.
 */
#include <assert.h>

#include "base/reader.h"
#include "record/record.h"

#define REFUSALS_VERSION 1
#define ASSOCIATED_BYTES (2u * UUID_BYTES + 4u + 1u)
#define ROOM_LEAST_BYTES 1024u

enum entry { ENTRY_ITEM = 1, ENTRY_FAULT = 2 };

/* ---- writing ---- */

/* Room for `size` more bytes. What the buffer was before it grew is wiped. */
static bool make_room(struct buf *plain, size_t size)
{
    if (buf_error(plain) != 0 || plain->capacity - plain->size >= size) {
        return buf_error(plain) == 0;
    }
    struct buf wider;
    buf_init(&wider, 0);
    if (buf_reserve(&wider, 2 * plain->size + size + ROOM_LEAST_BYTES) != 0) {
        plain->error = buf_error(&wider);
        return false;
    }
    buf_append_slice(&wider, buf_view(plain));
    crypto_wipe(plain->data, plain->size);
    buf_fini(plain);
    *plain = wider;
    return true;
}

void record_refusals_begin(struct record_refusals *refusals, uint8_t format, struct slice header)
{
    struct buf *plain = &refusals->plain;
    assert(header.size <= UINT32_MAX);
    buf_init(plain, 0);
    if (make_room(plain, 5 + header.size)) {
        buf_append_byte(plain, format);
        buf_append_u32(plain, (uint32_t)header.size);
        buf_append_slice(plain, header);
    }
}

void record_refusals_item(struct record_refusals *refusals, uint64_t index, struct slice text)
{
    struct buf *plain = &refusals->plain;
    assert(text.size <= UINT32_MAX);
    if (make_room(plain, 13 + text.size)) {
        buf_append_byte(plain, ENTRY_ITEM);
        buf_append_u64(plain, index);
        buf_append_u32(plain, (uint32_t)text.size);
        buf_append_slice(plain, text);
    }
}

void record_refusals_fault(struct record_refusals *refusals, const struct record_fault *fault)
{
    struct buf *plain = &refusals->plain;
    const struct slice texts[] = {fault->code, fault->pointer, fault->detail, fault->hint};
    size_t size = 33;
    for (size_t i = 0; i < 4; i++) {
        assert(texts[i].size <= UINT32_MAX);
        size += texts[i].size;
    }
    if (!make_room(plain, size)) {
        return;
    }
    buf_append_byte(plain, ENTRY_FAULT);
    for (size_t i = 0; i < 4; i++) {
        buf_append_u32(plain, (uint32_t)texts[i].size);
    }
    buf_append_slice(plain, uuid_view(&fault->customer));
    for (size_t i = 0; i < 4; i++) {
        buf_append_slice(plain, texts[i]);
    }
}

static struct slice associate(const struct uuid *tenant, const struct uuid *import, uint32_t chunk,
                              uint8_t bytes[ASSOCIATED_BYTES])
{
    uint8_t *end = bytes;
    memcpy(end, tenant->bytes, UUID_BYTES);
    end += UUID_BYTES;
    memcpy(end, import->bytes, UUID_BYTES);
    end += UUID_BYTES;
    for (size_t byte = 0; byte < 4; byte++) {
        *end++ = (uint8_t)(chunk >> (8 * byte));
    }
    *end++ = REFUSALS_VERSION;
    return slice_make(bytes, (size_t)(end - bytes));
}

int record_refusals_seal(struct record_refusals *refusals, const struct uuid *tenant, const struct uuid *import,
                         uint32_t chunk, const struct crypto_tenant *keys, const uint8_t nonce[CRYPTO_NONCE_BYTES],
                         struct buf *out)
{
    uint8_t associated[ASSOCIATED_BYTES];
    int err = buf_error(&refusals->plain);
    if (err == 0) {
        buf_append_byte(out, REFUSALS_VERSION);
        crypto_seal(keys, CRYPTO_REFUSED, nonce, associate(tenant, import, chunk, associated),
                    buf_view(&refusals->plain), out);
        err = buf_error(out);
    }
    record_refusals_drop(refusals);
    return err;
}

void record_refusals_drop(struct record_refusals *refusals)
{
    crypto_wipe(refusals->plain.data, refusals->plain.size);
    buf_fini(&refusals->plain);
}

/* ---- reading ---- */

static struct slice rest_of(const struct reader *reader)
{
    return slice_make(reader->at, reader_left(reader));
}

/* The fault at the front of *entries, which is advanced past it; false when there is none or it is not whole. */
static bool take_fault(struct slice *entries, struct record_fault *fault)
{
    struct reader reader;
    reader_init(&reader, *entries);
    if (reader_u8(&reader) != ENTRY_FAULT) {
        return false;
    }
    size_t sizes[4];
    for (size_t i = 0; i < 4; i++) {
        sizes[i] = reader_u32(&reader);
    }
    reader_copy(&reader, fault->customer.bytes, UUID_BYTES);
    fault->code = reader_bytes(&reader, sizes[0]);
    fault->pointer = reader_bytes(&reader, sizes[1]);
    fault->detail = reader_bytes(&reader, sizes[2]);
    fault->hint = reader_bytes(&reader, sizes[3]);
    if (reader_error(&reader) != 0) {
        return false;
    }
    *entries = rest_of(&reader);
    return true;
}

/* The same for an item and the faults behind it. */
static bool take_item(struct slice *entries, uint64_t *index, struct slice *text, struct slice *faults)
{
    struct reader reader;
    struct record_fault fault;
    reader_init(&reader, *entries);
    if (reader_u8(&reader) != ENTRY_ITEM) {
        return false;
    }
    *index = reader_u64(&reader);
    size_t size = reader_u32(&reader);
    *text = reader_bytes(&reader, size);
    if (reader_error(&reader) != 0) {
        return false;
    }
    *faults = rest_of(&reader);
    *entries = *faults;
    while (take_fault(entries, &fault)) {
    }
    faults->size -= entries->size;
    return true;
}

static int read_refused(struct slice plain, struct record_refused *refused)
{
    struct reader reader;
    reader_init(&reader, plain);
    refused->format = reader_u8(&reader);
    size_t header_size = reader_u32(&reader);
    refused->header = reader_bytes(&reader, header_size);
    refused->rest = rest_of(&reader);
    uint64_t index;
    struct slice text;
    struct slice faults;
    struct slice entries = refused->rest;
    while (take_item(&entries, &index, &text, &faults)) {
    }
    return reader_error(&reader) == 0 && entries.size == 0 ? 0 : ERR_CORRUPT;
}

int record_refused_open(const struct uuid *tenant, const struct uuid *import, uint32_t chunk, struct slice row,
                        const struct crypto_tenant *keys, struct buf *plain, struct record_refused *refused)
{
    uint8_t associated[ASSOCIATED_BYTES];
    size_t start = plain->size;
    *refused = (struct record_refused){0};
    if (row.size < 1 + CRYPTO_SEAL_BYTES || (uint8_t)row.data[0] != REFUSALS_VERSION) {
        return ERR_CORRUPT;
    }
    int err =
        crypto_open(keys, CRYPTO_REFUSED, associate(tenant, import, chunk, associated), slice_from(row, 1), plain);
    if (err == 0) {
        err = read_refused(slice_from(buf_view(plain), start), refused);
    }
    if (err != 0) {
        *refused = (struct record_refused){0};
    }
    return err;
}

bool record_refused_next(struct record_refused *refused, uint64_t *index, struct slice *text, struct slice *faults)
{
    return take_item(&refused->rest, index, text, faults);
}

bool record_refused_fault(struct slice *faults, struct record_fault *fault)
{
    return take_fault(faults, fault);
}
