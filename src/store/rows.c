/*
 * The bytes of every row; the table stands in rows_priv.h.
 *
 * An import row: version 1 (=2), state 1, contract 1, format 1, on_existing 1, flags 1 (bit 0: partial,
 * 1: strict, 2: dry run, 3: resumable, 4: expired), received 8, created 8, existing 8, updated 8, skipped 8,
 * faults 8, findings 8, bytes 8, chunks 4, started_ms 8, ended_ms 8, error 2 (two's complement),
 * envelope_mac 16, body_mac 16, request 16, project (length 1, text), type (length 1, text), number of finding
 * counts 1, each (length 1, text, count 8), number of fault counts 1, each the same, envelope (length 4, bytes).
 *
 * An outcome row is the chain 16, then its outcomes one behind the other: kind 1, then nothing for FAULT, else
 * customer 16, and for anything but CREATED key_kind 1 and import 16.
 *
 * The difficulty: rows outlive the program that wrote them. Every reader checks lengths and ranges
 * and says ERR_CORRUPT; nothing here trusts a byte.
 */
#include "store/rows_priv.h"

#include <assert.h>

#include "base/reader.h"

#define IMPORT_VERSION 2

#define FLAG_PARTIAL   0x01u
#define FLAG_STRICT    0x02u
#define FLAG_DRY_RUN   0x04u
#define FLAG_RESUMABLE 0x08u
#define FLAG_EXPIRED   0x10u
#define FLAGS_KNOWN    0x1fu

#define REVISES      0x80u /* beside the state in a mark */
#define WROTE        0x01u /* in the part of a mark that many nodes share */
#define REFUSED      0x02u
#define UPDATED      2  /* first byte of what an update wrote; a record or secrets row begins with its version, 1 */
#define RECORD_ID_AT 20 /* see record.c */

static_assert(RECORD_VERSION != UPDATED, "a record is told from what an update wrote by its first byte");

/* Where what is read without the rest stands. */
enum { STATE_AT = 1, FLAGS_AT = 5 };

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

struct slice store_rows_request_key(uint8_t *key, const struct uuid *tenant, const uint8_t mac[CRYPTO_MAC_BYTES])
{
    uint8_t *end = append(key, tenant->bytes, UUID_BYTES);
    return view(key, append(end, mac, CRYPTO_MAC_BYTES));
}

struct slice store_rows_outcome_key(uint8_t *key, const struct uuid *tenant, const struct uuid *import, uint32_t chunk)
{
    struct slice front = store_rows_pair_key(key, tenant, import);
    uint8_t number[4] = {(uint8_t)(chunk >> 24), (uint8_t)(chunk >> 16), (uint8_t)(chunk >> 8), (uint8_t)chunk};
    return view(key, append(key + front.size, number, sizeof number));
}

struct slice store_rows_change_key(uint8_t *key, const struct uuid *tenant, const struct uuid *import,
                                   const struct uuid *customer)
{
    struct slice front = store_rows_pair_key(key, tenant, import);
    return view(key, append(key + front.size, customer->bytes, UUID_BYTES));
}

struct slice store_rows_revision_key(uint8_t *key, const struct uuid *tenant, const struct uuid *customer,
                                     uint64_t number)
{
    struct slice front = store_rows_pair_key(key, tenant, customer);
    uint8_t bytes[8];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(number >> (8 * (sizeof bytes - 1 - i)));
    }
    return view(key, append(key + front.size, bytes, sizeof bytes));
}

uint64_t store_rows_revision_number(struct slice key)
{
    uint64_t number = 0;
    assert(key.size == STORE_REVISION_BYTES);
    for (size_t i = STORE_PAIR_BYTES; i < key.size; i++) {
        number = number << 8 | (uint8_t)key.data[i];
    }
    return number;
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
    end = append(end, holder->fingerprint, CRYPTO_MAC_BYTES);
    if (!uuid_is_zero(&holder->next)) {
        end = append(end, holder->next.bytes, UUID_BYTES);
        end = holder->released ? end : append(end, holder->next_fingerprint, CRYPTO_MAC_BYTES);
    }
    return view(value, end);
}

int store_rows_holder_read(struct slice value, struct store_holder *holder)
{
    struct reader reader;
    memset(holder, 0, sizeof *holder);
    reader_init(&reader, value);
    reader_copy(&reader, holder->id.bytes, UUID_BYTES);
    reader_copy(&reader, holder->import.bytes, UUID_BYTES);
    reader_copy(&reader, holder->fingerprint, CRYPTO_MAC_BYTES);
    if (reader_left(&reader) > 0) {
        reader_copy(&reader, holder->next.bytes, UUID_BYTES);
        holder->released = reader_left(&reader) == 0;
        if (!holder->released) {
            reader_copy(&reader, holder->next_fingerprint, CRYPTO_MAC_BYTES);
        }
    }
    return reader_error(&reader) == 0 && reader_left(&reader) == 0 ? 0 : ERR_CORRUPT;
}

void store_rows_revision_write(struct buf *row, const struct store_revision *revision)
{
    buf_append_slice(row, uuid_view(&revision->import));
    buf_append_byte(row, revision->pending ? 1 : 0);
    buf_append_u32(row, (uint32_t)revision->secrets.size);
    buf_append_slice(row, revision->secrets);
    buf_append_slice(row, revision->record);
}

int store_rows_revision_read(struct slice value, struct store_revision *revision)
{
    struct reader reader;
    reader_init(&reader, value);
    reader_copy(&reader, revision->import.bytes, UUID_BYTES);
    uint8_t pending = reader_u8(&reader);
    revision->pending = pending == 1;
    revision->secrets = reader_bytes(&reader, reader_u32(&reader));
    revision->record = reader_bytes(&reader, reader_left(&reader));
    return reader_error(&reader) == 0 && pending <= 1 ? 0 : ERR_CORRUPT;
}

void store_rows_body_write(struct buf *row, const struct uuid *customer, struct slice record)
{
    buf_append_byte(row, UPDATED);
    buf_append_slice(row, uuid_view(customer));
    buf_append_slice(row, record);
}

/* Whose record it is stands in its header, or in front of one that is sealed as another. */
int store_rows_body_read(struct slice value, const struct uuid *customer, struct slice *record)
{
    bool updated = value.size > 0 && (uint8_t)value.data[0] == UPDATED;
    size_t id_at = updated ? 1 : RECORD_ID_AT;
    if (value.size < id_at + UUID_BYTES || memcmp(value.data + id_at, customer->bytes, UUID_BYTES) != 0) {
        return ERR_CORRUPT;
    }
    *record = updated ? slice_from(value, 1 + UUID_BYTES) : value;
    return 0;
}

void store_rows_secret_write(struct buf *row, const struct uuid *import, const struct uuid *owner, struct slice secrets)
{
    buf_append_slice(row, uuid_view(import));
    buf_append_byte(row, UPDATED);
    buf_append_slice(row, uuid_view(owner));
    buf_append_slice(row, secrets);
}

int store_rows_secret_read(struct slice value, const struct uuid *customer, struct uuid *owner, struct slice *secrets)
{
    *owner = *customer;
    if (value.size < UUID_BYTES) {
        return ERR_CORRUPT;
    }
    *secrets = slice_from(value, UUID_BYTES);
    if (secrets->size == 0 || (uint8_t)secrets->data[0] != UPDATED) {
        return 0;
    }
    if (secrets->size < 1 + UUID_BYTES) {
        return ERR_CORRUPT;
    }
    *owner = store_rows_uuid_at(*secrets, 1);
    *secrets = slice_from(*secrets, 1 + UUID_BYTES);
    return 0;
}

static bool state_known(uint8_t state)
{
    return state >= IMPORT_OPEN && state <= IMPORT_UNDONE;
}

struct slice store_rows_mark_write(uint8_t value[STORE_MARK_BYTES], const struct store_unfinished *entry)
{
    assert(state_known(entry->state));
    value[0] = (uint8_t)(entry->state | (entry->revises ? REVISES : 0));
    return view(value, entry->claimed ? append(value + 1, entry->mac, CRYPTO_MAC_BYTES) : value + 1);
}

struct slice store_rows_mark_write_owned(uint8_t value[STORE_MARK_BYTES + STORE_OWNED_BYTES],
                                         const struct store_unfinished *entry)
{
    struct slice mark = store_rows_mark_write(value, entry);
    uint8_t *end = value + mark.size;
    uint64_t touched = (uint64_t)entry->touched_ms;
    *end++ = (uint8_t)((entry->wrote ? WROTE : 0) | (entry->refused ? REFUSED : 0));
    end = append(end, entry->owner.bytes, UUID_BYTES);
    for (size_t i = 0; i < sizeof touched; i++) {
        *end++ = (uint8_t)(touched >> (8 * i));
    }
    return view(value, end);
}

static void read_owned(struct slice value, size_t at, struct store_unfinished *entry)
{
    uint64_t touched = 0;
    entry->wrote = ((uint8_t)value.data[at] & WROTE) != 0;
    entry->refused = ((uint8_t)value.data[at] & REFUSED) != 0;
    entry->owner = store_rows_uuid_at(value, at + 1);
    for (size_t i = 0; i < sizeof touched; i++) {
        touched |= (uint64_t)(uint8_t)value.data[at + 1 + UUID_BYTES + i] << (8 * i);
    }
    entry->touched_ms = (int64_t)touched;
}

int store_rows_mark_read(struct slice key, struct slice value, struct store_unfinished *entry)
{
    bool owned = value.size > STORE_MARK_BYTES;
    size_t size = owned ? value.size - STORE_OWNED_BYTES : value.size;
    *entry = (struct store_unfinished){.wrote = true, .claimed = size == STORE_MARK_BYTES};
    if (key.size != STORE_PAIR_BYTES || (size != 1 && size != STORE_MARK_BYTES)) {
        return ERR_CORRUPT;
    }
    if (owned) {
        read_owned(value, size, entry);
    }
    entry->tenant = store_rows_uuid_at(key, 0);
    entry->import = store_rows_uuid_at(key, UUID_BYTES);
    entry->state = (uint8_t)((uint8_t)value.data[0] & ~REVISES);
    entry->revises = ((uint8_t)value.data[0] & REVISES) != 0;
    if (entry->claimed) {
        memcpy(entry->mac, value.data + 1, CRYPTO_MAC_BYTES);
    }
    return state_known(entry->state) ? 0 : ERR_CORRUPT;
}

struct slice store_rows_request_write(uint8_t value[STORE_REQUEST_BYTES], const struct store_request *request)
{
    uint64_t created = (uint64_t)request->created_ms;
    uint8_t *end = append(value, request->import.bytes, UUID_BYTES);
    end = append(end, request->terms, CRYPTO_MAC_BYTES);
    for (size_t i = 0; i < sizeof created; i++) {
        *end++ = (uint8_t)(created >> (8 * i));
    }
    return view(value, end);
}

int store_rows_request_read(struct slice value, struct store_request *request)
{
    struct reader reader;
    reader_init(&reader, value);
    reader_copy(&reader, request->import.bytes, UUID_BYTES);
    reader_copy(&reader, request->terms, CRYPTO_MAC_BYTES);
    request->created_ms = (int64_t)reader_u64(&reader);
    return reader_error(&reader) == 0 && reader_left(&reader) == 0 ? 0 : ERR_CORRUPT;
}

void store_rows_chain_write(struct buf *row, const uint8_t *chain)
{
    static const uint8_t none[CRYPTO_MAC_BYTES];
    buf_append(row, chain == NULL ? none : chain, CRYPTO_MAC_BYTES);
}

int store_rows_chain_read(struct slice *row, uint8_t *chain)
{
    if (row->size < CRYPTO_MAC_BYTES) {
        return ERR_CORRUPT;
    }
    if (chain != NULL) {
        memcpy(chain, row->data, CRYPTO_MAC_BYTES);
    }
    *row = slice_from(*row, CRYPTO_MAC_BYTES);
    return 0;
}

void store_rows_outcome_write(struct buf *row, const struct store_outcome *outcome)
{
    buf_append_byte(row, outcome->kind);
    if (outcome->kind == STORE_FAULT) {
        return;
    }
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
    if (outcome->kind != STORE_FAULT) {
        reader_copy(&reader, outcome->id.bytes, UUID_BYTES);
    }
    if (outcome->kind != STORE_CREATED && outcome->kind != STORE_FAULT) {
        outcome->key_kind = reader_u8(&reader);
        reader_copy(&reader, outcome->import.bytes, UUID_BYTES);
    }
    if (reader_error(&reader) != 0 || outcome->kind < STORE_CREATED || outcome->kind > STORE_SKIPPED) {
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

static void write_counts(struct buf *row, const struct store_finding_count *counts, size_t room)
{
    unsigned count = 0;
    for (size_t i = 0; i < room; i++) {
        count += counts[i].code[0] != '\0' ? 1u : 0u;
    }
    buf_append_byte(row, (uint8_t)count);
    for (size_t i = 0; i < room; i++) {
        if (counts[i].code[0] != '\0') {
            write_text(row, counts[i].code, sizeof counts[i].code);
            buf_append_u64(row, counts[i].count);
        }
    }
}

static void read_counts(struct reader *reader, struct store_finding_count *counts, size_t room)
{
    size_t count = reader_u8(reader);
    if (count > room) {
        reader->failed = true;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        read_text(reader, counts[i].code, sizeof counts[i].code);
        counts[i].count = reader_u64(reader);
    }
}

static uint8_t flags_of(const struct store_import *import)
{
    return (uint8_t)((import->partial ? FLAG_PARTIAL : 0) | (import->strict ? FLAG_STRICT : 0) |
                     (import->dry_run ? FLAG_DRY_RUN : 0) | (import->resumable ? FLAG_RESUMABLE : 0) |
                     (import->expired ? FLAG_EXPIRED : 0));
}

static void set_flags(struct store_import *import, uint8_t flags)
{
    import->partial = (flags & FLAG_PARTIAL) != 0;
    import->strict = (flags & FLAG_STRICT) != 0;
    import->dry_run = (flags & FLAG_DRY_RUN) != 0;
    import->resumable = (flags & FLAG_RESUMABLE) != 0;
    import->expired = (flags & FLAG_EXPIRED) != 0;
}

void store_rows_import_write(struct buf *row, const struct store_import *import)
{
    buf_append_byte(row, IMPORT_VERSION);
    buf_append_byte(row, import->state);
    buf_append_byte(row, import->contract);
    buf_append_byte(row, import->format);
    buf_append_byte(row, import->on_existing);
    buf_append_byte(row, flags_of(import));
    buf_append_u64(row, import->received);
    buf_append_u64(row, import->created);
    buf_append_u64(row, import->existing);
    buf_append_u64(row, import->updated);
    buf_append_u64(row, import->skipped);
    buf_append_u64(row, import->faults);
    buf_append_u64(row, import->findings);
    buf_append_u64(row, import->bytes);
    buf_append_u32(row, import->chunks);
    buf_append_u64(row, (uint64_t)import->started_ms);
    buf_append_u64(row, (uint64_t)import->ended_ms);
    buf_append_u16(row, (uint16_t)import->error);
    buf_append(row, import->envelope_mac, CRYPTO_MAC_BYTES);
    buf_append(row, import->body_mac, CRYPTO_MAC_BYTES);
    buf_append_slice(row, uuid_view(&import->request));
    write_text(row, import->project, sizeof import->project);
    write_text(row, import->type, sizeof import->type);
    write_counts(row, import->finding_counts, STORE_FINDING_CODES);
    write_counts(row, import->fault_counts, STORE_FAULT_CODES);
    assert(import->envelope.size <= UINT32_MAX);
    buf_append_u32(row, (uint32_t)import->envelope.size);
    buf_append_slice(row, import->envelope);
}

static void read_numbers(struct reader *reader, struct store_import *import)
{
    import->received = reader_u64(reader);
    import->created = reader_u64(reader);
    import->existing = reader_u64(reader);
    import->updated = reader_u64(reader);
    import->skipped = reader_u64(reader);
    import->faults = reader_u64(reader);
    import->findings = reader_u64(reader);
    import->bytes = reader_u64(reader);
    import->chunks = reader_u32(reader);
    import->started_ms = (int64_t)reader_u64(reader);
    import->ended_ms = (int64_t)reader_u64(reader);
    import->error = (int16_t)reader_u16(reader);
    reader_copy(reader, import->envelope_mac, CRYPTO_MAC_BYTES);
    reader_copy(reader, import->body_mac, CRYPTO_MAC_BYTES);
    reader_copy(reader, import->request.bytes, UUID_BYTES);
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
    import->format = reader_u8(&reader);
    import->on_existing = reader_u8(&reader);
    uint8_t flags = reader_u8(&reader);
    set_flags(import, flags);
    read_numbers(&reader, import);
    read_text(&reader, import->project, sizeof import->project);
    read_text(&reader, import->type, sizeof import->type);
    read_counts(&reader, import->finding_counts, STORE_FINDING_CODES);
    read_counts(&reader, import->fault_counts, STORE_FAULT_CODES);
    import->envelope = reader_bytes(&reader, reader_u32(&reader));
    bool whole = reader_error(&reader) == 0 && reader_left(&reader) == 0;
    bool known = version == IMPORT_VERSION && state_known(import->state) && import->format <= IMPORT_CSV &&
                 import->on_existing <= IMPORT_EXISTING_FAIL && (flags & ~FLAGS_KNOWN) == 0;
    return whole && known ? 0 : ERR_CORRUPT;
}

uint8_t store_rows_import_state(struct slice row)
{
    if (row.size <= FLAGS_AT || row.data[0] != IMPORT_VERSION || !state_known((uint8_t)row.data[STATE_AT])) {
        return 0;
    }
    return (uint8_t)row.data[STATE_AT];
}

bool store_rows_import_resumes(struct slice row)
{
    return store_rows_import_state(row) == IMPORT_OPEN && ((uint8_t)row.data[FLAGS_AT] & FLAG_RESUMABLE) != 0;
}

bool store_outcomes_read(struct slice *outcomes, struct store_outcome *outcome)
{
    int err = 0;
    return store_rows_outcome_read(outcomes, outcome, &err);
}
