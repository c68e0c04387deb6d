/*
 * The bytes of every row; the table stands in rows_priv.h.
 *
 * An import row: version 1 (=1), state 1, contract 1, flags 1 (bit 0: partial), received 8,
 * created 8, existing 8, faults 8, findings 8, bytes 8, chunks 4, started_ms 8, ended_ms 8, error 2
 * (two's complement), envelope_mac 16, project (length 1, text), type (length 1, text), number of
 * finding counts 1, each (length 1, text, count 8), envelope (length 4, bytes).
 *
 * An outcome row is its outcomes one behind the other: kind 1, customer 16, and for anything but
 * CREATED key_kind 1 and import 16.
 *
 * The difficulty: rows outlive the program that wrote them. Every reader checks lengths and ranges
 * and says ERR_CORRUPT; nothing here trusts a byte.
 */
#include "store/rows_priv.h"

#include <assert.h>

#include "base/reader.h"

#define IMPORT_VERSION 1
#define FLAG_PARTIAL   1

static uint8_t *append(uint8_t *at, const void *bytes, size_t size)
{
    memcpy(at, bytes, size);
    return at + size;
}

static struct slice view(const uint8_t *key, const uint8_t *end)
{
    return slice_make(key, (size_t)(end - key));
}

struct slice store_rows_pair_key(uint8_t *key, const struct uuid *tenant, const struct uuid *id)
{
    uint8_t *end = append(key, tenant->bytes, UUID_BYTES);
    return view(key, append(end, id->bytes, UUID_BYTES));
}

struct slice store_rows_unique_key(uint8_t *key, const struct uuid *tenant, const struct record_key *index)
{
    uint8_t *end = append(key, tenant->bytes, UUID_BYTES);
    *end = index->kind;
    return view(key, append(end + 1, index->mac, CRYPTO_MAC_BYTES));
}

struct slice store_rows_plain_key(uint8_t *key, const struct uuid *tenant, const struct record_key *index,
                                  const struct uuid *id)
{
    struct slice front = store_rows_unique_key(key, tenant, index);
    return view(key, append(key + front.size, id->bytes, UUID_BYTES));
}

struct slice store_rows_outcome_key(uint8_t *key, const struct uuid *tenant, const struct uuid *import, uint32_t chunk)
{
    struct slice front = store_rows_pair_key(key, tenant, import);
    uint8_t number[4] = {(uint8_t)(chunk >> 24), (uint8_t)(chunk >> 16), (uint8_t)(chunk >> 8), (uint8_t)chunk};
    return view(key, append(key + front.size, number, sizeof number));
}

struct uuid store_rows_uuid_at(struct slice bytes, size_t at)
{
    struct uuid uuid;
    assert(bytes.size >= at + UUID_BYTES);
    memcpy(uuid.bytes, bytes.data + at, UUID_BYTES);
    return uuid;
}

uint32_t store_rows_outcome_chunk(struct slice key)
{
    assert(key.size == STORE_OUTCOME_BYTES);
    const uint8_t *at = (const uint8_t *)key.data + STORE_PAIR_BYTES;
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

struct slice store_rows_holder_write(uint8_t value[STORE_HOLDER_BYTES], const struct store_holder *holder)
{
    uint8_t *end = append(value, holder->id.bytes, UUID_BYTES);
    end = append(end, holder->import.bytes, UUID_BYTES);
    return view(value, append(end, holder->fingerprint, CRYPTO_MAC_BYTES));
}

int store_rows_holder_read(struct slice value, struct store_holder *holder)
{
    if (value.size != STORE_HOLDER_BYTES) {
        return ERR_CORRUPT;
    }
    holder->id = store_rows_uuid_at(value, 0);
    holder->import = store_rows_uuid_at(value, UUID_BYTES);
    memcpy(holder->fingerprint, value.data + STORE_PAIR_BYTES, CRYPTO_MAC_BYTES);
    return 0;
}

void store_rows_outcome_write(struct buf *row, const struct store_outcome *outcome)
{
    buf_append_byte(row, outcome->kind);
    buf_append(row, outcome->id.bytes, UUID_BYTES);
    if (outcome->kind != STORE_CREATED) {
        buf_append_byte(row, outcome->key_kind);
        buf_append(row, outcome->import.bytes, UUID_BYTES);
    }
}

bool store_rows_outcome_read(struct slice *row, struct store_outcome *outcome, int *err)
{
    *outcome = (struct store_outcome){0};
    if (row->size == 0) {
        return false;
    }
    struct reader reader;
    reader_init(&reader, *row);
    outcome->kind = reader_u8(&reader);
    reader_copy(&reader, outcome->id.bytes, UUID_BYTES);
    if (outcome->kind != STORE_CREATED) {
        outcome->key_kind = reader_u8(&reader);
        reader_copy(&reader, outcome->import.bytes, UUID_BYTES);
    }
    if (reader_error(&reader) != 0 || outcome->kind < STORE_CREATED || outcome->kind > STORE_BUSY) {
        *err = ERR_CORRUPT;
        return false;
    }
    *row = slice_from(*row, row->size - reader_left(&reader));
    return true;
}

/* A text of a fixed field: its length in a byte, then its bytes. */
static void write_text(struct buf *row, const char *text, size_t room)
{
    size_t size = strnlen(text, room - 1);
    buf_append_byte(row, (uint8_t)size);
    buf_append(row, text, size);
}

static void read_text(struct reader *reader, char *text, size_t room)
{
    size_t size = reader_u8(reader);
    if (size >= room) {
        reader->failed = true;
        return;
    }
    reader_copy(reader, text, size);
    text[size] = '\0';
}

static void write_findings(struct buf *row, const struct store_import *import)
{
    unsigned count = 0;
    for (size_t i = 0; i < STORE_FINDING_CODES; i++) {
        count += import->finding_counts[i].code[0] != '\0' ? 1u : 0u;
    }
    buf_append_byte(row, (uint8_t)count);
    for (size_t i = 0; i < STORE_FINDING_CODES; i++) {
        const struct store_finding_count *finding = &import->finding_counts[i];
        if (finding->code[0] != '\0') {
            write_text(row, finding->code, sizeof finding->code);
            buf_append_u64(row, finding->count);
        }
    }
}

static void read_findings(struct reader *reader, struct store_import *import)
{
    size_t count = reader_u8(reader);
    if (count > STORE_FINDING_CODES) {
        reader->failed = true;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        read_text(reader, import->finding_counts[i].code, sizeof import->finding_counts[i].code);
        import->finding_counts[i].count = reader_u64(reader);
    }
}

void store_rows_import_write(struct buf *row, const struct store_import *import)
{
    buf_append_byte(row, IMPORT_VERSION);
    buf_append_byte(row, import->state);
    buf_append_byte(row, import->contract);
    buf_append_byte(row, import->partial ? FLAG_PARTIAL : 0);
    buf_append_u64(row, import->received);
    buf_append_u64(row, import->created);
    buf_append_u64(row, import->existing);
    buf_append_u64(row, import->faults);
    buf_append_u64(row, import->findings);
    buf_append_u64(row, import->bytes);
    buf_append_u32(row, import->chunks);
    buf_append_u64(row, (uint64_t)import->started_ms);
    buf_append_u64(row, (uint64_t)import->ended_ms);
    buf_append_u16(row, (uint16_t)import->error);
    buf_append(row, import->envelope_mac, CRYPTO_MAC_BYTES);
    write_text(row, import->project, sizeof import->project);
    write_text(row, import->type, sizeof import->type);
    write_findings(row, import);
    assert(import->envelope.size <= UINT32_MAX);
    buf_append_u32(row, (uint32_t)import->envelope.size);
    buf_append_slice(row, import->envelope);
}

static bool state_known(uint8_t state)
{
    return state == IMPORT_OPEN || state == IMPORT_COMMITTED || state == IMPORT_ABORTED;
}

static void read_numbers(struct reader *reader, struct store_import *import)
{
    import->received = reader_u64(reader);
    import->created = reader_u64(reader);
    import->existing = reader_u64(reader);
    import->faults = reader_u64(reader);
    import->findings = reader_u64(reader);
    import->bytes = reader_u64(reader);
    import->chunks = reader_u32(reader);
    import->started_ms = (int64_t)reader_u64(reader);
    import->ended_ms = (int64_t)reader_u64(reader);
    import->error = (int16_t)reader_u16(reader);
    reader_copy(reader, import->envelope_mac, CRYPTO_MAC_BYTES);
}

int store_rows_import_read(struct slice key, struct slice row, struct store_import *import)
{
    *import = (struct store_import){0};
    if (key.size != STORE_PAIR_BYTES) {
        return ERR_CORRUPT;
    }
    import->tenant = store_rows_uuid_at(key, 0);
    import->id = store_rows_uuid_at(key, UUID_BYTES);
    struct reader reader;
    reader_init(&reader, row);
    uint8_t version = reader_u8(&reader);
    import->state = reader_u8(&reader);
    import->contract = reader_u8(&reader);
    import->partial = reader_u8(&reader) == FLAG_PARTIAL;
    read_numbers(&reader, import);
    read_text(&reader, import->project, sizeof import->project);
    read_text(&reader, import->type, sizeof import->type);
    read_findings(&reader, import);
    import->envelope = reader_bytes(&reader, reader_u32(&reader));
    bool whole = reader_error(&reader) == 0 && reader_left(&reader) == 0;
    return whole && version == IMPORT_VERSION && state_known(import->state) ? 0 : ERR_CORRUPT;
}

uint8_t store_rows_import_state(struct slice row)
{
    if (row.size < 2 || row.data[0] != IMPORT_VERSION || !state_known((uint8_t)row.data[1])) {
        return 0;
    }
    return (uint8_t)row.data[1];
}

bool store_outcomes_read(struct slice *outcomes, struct store_outcome *outcome)
{
    int err = 0;
    return store_rows_outcome_read(outcomes, outcome, &err);
}
