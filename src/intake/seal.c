/*
 * Seal: one checked item becomes the rows that a store may see: identifiers as blind indexes, the
 * document without its secrets encrypted, the secrets in a row of their own.
 *
 * Rows are written one behind the other into chunk->records, which moves while it grows; so until
 * seal_finish the slices of a customer hold offsets (data NULL plus offset, size), not addresses.
 *
 * The fingerprint is taken over the content as the client meant it: documented spellings in place
 * of aliases, secrets included, one-time codes left out (they differ from try to try).
 */
#include <assert.h>

#include "customer/customer.h"
#include "intake/intake_priv.h"

int seal_prepare(struct intake_chunk *chunk)
{
    size_t count = chunk_count(chunk);
    struct arena *arena = chunk->arena;
    uint64_t *random = arena_take(arena, (count + 1) * sizeof *random);
    chunk->ids = arena_take(arena, count * sizeof *chunk->ids);
    chunk->nonces = arena_take(arena, count * 2 * (size_t)CRYPTO_NONCE_BYTES + 1);
    chunk->customers = arena_take_zeroed(arena, count, sizeof *chunk->customers);
    chunk->commit.outcomes = arena_take_zeroed(arena, count, sizeof *chunk->commit.outcomes);
    if (arena_error(arena) != 0) {
        return ERR_NO_MEMORY;
    }
    crypto_random(random, count * sizeof *random);
    crypto_random(chunk->nonces, count * 2 * (size_t)CRYPTO_NONCE_BYTES);
    for (size_t i = 0; i < count; i++) {
        chunk->ids[i] = uuid_make(&chunk->id_maker, 0, random[i]);
    }
    return 0;
}

static struct slice offset_slice(size_t at, size_t size)
{
    return (struct slice){.data = (const char *)(uintptr_t)at, .size = size};
}

static void place_slice(struct slice *slice, const struct buf *records)
{
    if (slice->size > 0) {
        slice->data = records->data + (uintptr_t)slice->data;
    }
}

void seal_finish(struct intake_chunk *chunk)
{
    if (chunk->error == 0) {
        chunk->error = buf_error(&chunk->records);
    }
    if (chunk->error != 0 || chunk->customers == NULL) {
        return;
    }
    for (size_t i = 0; i < chunk_count(chunk); i++) {
        place_slice(&chunk->customers[i].record, &chunk->records);
        place_slice(&chunk->customers[i].secrets, &chunk->records);
    }
}

/* ---- identifiers ---- */

static bool has_key(const struct record_key *keys, size_t count, const struct record_key *key)
{
    for (size_t i = 0; i < count; i++) {
        if (keys[i].kind == key->kind && memcmp(keys[i].mac, key->mac, sizeof key->mac) == 0) {
            return true;
        }
    }
    return false;
}

static void add_key(struct intake_worker *worker, const struct intake_import *import, const struct contract_fact *fact,
                    struct record_key *keys, size_t *count)
{
    struct slice context = fact->context;
    if (fact->kind == IDENTIFIER_EXTERNAL_ID) {
        context = contract_info(import->admission.contract)->name;
    }
    buf_clear(&worker->normal);
    if (!customer_identifier_normalise(fact->kind, fact->value, context, &worker->normal)) {
        return;
    }
    struct record_key key = {.kind = fact->kind, .unique = customer_identifier_is_unique(fact->kind)};
    crypto_blind(import->admission.grant.tenant->keys, fact->kind, buf_view(&worker->normal), key.mac);
    if (*count < LIMIT_ITEM_KEYS && !has_key(keys, *count, &key)) {
        keys[(*count)++] = key;
    }
}

static int gather_keys(struct intake_worker *worker, const struct intake_chunk *chunk,
                       const struct contract_result *result, struct store_customer *customer)
{
    struct record_key keys[LIMIT_ITEM_KEYS];
    size_t count = 0;
    for (size_t i = 0; i < result->fact_count; i++) {
        if (result->facts[i].role == FACT_IDENTIFIER) {
            add_key(worker, chunk->import, &result->facts[i], keys, &count);
        }
    }
    if (buf_error(&worker->normal) != 0) {
        return buf_error(&worker->normal);
    }
    struct record_key *kept = arena_take(chunk->arena, count * sizeof *kept);
    if (kept == NULL) {
        return ERR_NO_MEMORY;
    }
    memcpy(kept, keys, count * sizeof *kept);
    customer->keys = kept;
    customer->key_count = count;
    return 0;
}

/* ---- fingerprint ---- */

static bool is_kept_secret(const struct contract_result *result, json_at at)
{
    for (size_t i = 0; i < result->fact_count; i++) {
        const struct contract_fact *fact = &result->facts[i];
        if (fact->role == FACT_SECRET && fact->kind != SECRET_CODE && fact->at == at) {
            return true;
        }
    }
    return false;
}

/* The edits without those that take out secrets, which count as content. */
static size_t content_edits(const struct contract_result *result, struct json_edit *edits)
{
    size_t count = 0;
    for (size_t i = 0; i < result->edit_count; i++) {
        if (result->edits[i].kind != JSON_EDIT_DROP || !is_kept_secret(result, result->edits[i].at)) {
            edits[count++] = result->edits[i];
        }
    }
    return count;
}

static int fingerprint(struct intake_worker *worker, const struct crypto_tenant *keys, const struct json_doc *doc,
                       const struct contract_result *result, uint8_t mac[CRYPTO_MAC_BYTES])
{
    struct json_edit *edits = arena_take(worker->arena, result->edit_count * sizeof *edits);
    if (edits == NULL) {
        return ERR_NO_MEMORY;
    }
    size_t count = content_edits(result, edits);
    buf_clear(&worker->canonical);
    json_append_canonical(&worker->canonical, doc, json_root(doc), edits, count);
    crypto_fingerprint(keys, buf_view(&worker->canonical), mac);
    if (result->edit_count > 0) {
        crypto_wipe(worker->canonical.data, worker->canonical.size);
    }
    return buf_error(&worker->canonical);
}

/* ---- the sealed parts ---- */

static void write_findings(struct buf *out, const struct contract_result *result)
{
    buf_clear(out);
    if (result->finding_count == 0) {
        return;
    }
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_open_array(&writer);
    for (size_t i = 0; i < result->finding_count; i++) {
        const struct contract_fault *finding = &result->findings[i];
        json_open_object(&writer);
        json_name(&writer, "code");
        json_put_text(&writer, finding->code);
        json_name(&writer, "pointer");
        json_put_string(&writer, finding->pointer);
        json_name(&writer, "detail");
        json_put_string(&writer, finding->detail);
        json_close_object(&writer);
    }
    json_close_array(&writer);
}

static void write_card(struct buf *out, const struct contract_result *result)
{
    struct json_writer writer;
    buf_clear(out);
    json_writer_init(&writer, out);
    json_open_object(&writer);
    for (size_t i = 0; i < result->fact_count; i++) {
        const struct contract_fact *fact = &result->facts[i];
        if (fact->role == FACT_CARD) {
            json_name(&writer, card_role_to_text(fact->kind));
            json_put_string(&writer, fact->value);
        }
    }
    json_close_object(&writer);
}

static int write_record(struct intake_worker *worker, struct intake_chunk *chunk, size_t index,
                        const struct json_doc *doc, const struct contract_result *result)
{
    const struct intake_import *import = chunk->import;
    struct store_customer *customer = &chunk->customers[index];
    struct record_header header = {.contract = contract_info(import->admission.contract)->number,
                                   .tenant = import->admission.grant.tenant->id,
                                   .id = chunk->ids[index],
                                   .import = import->id,
                                   .created_ms = import->started_ms,
                                   .updated_ms = import->started_ms,
                                   .keys = customer->keys,
                                   .key_count = customer->key_count};
    memcpy(header.fingerprint, customer->fingerprint, sizeof header.fingerprint);
    buf_clear(&worker->document);
    json_append_minified(&worker->document, doc, json_root(doc), result->edits, result->edit_count);
    write_findings(&worker->findings, result);
    write_card(&worker->card, result);
    if (buf_error(&worker->document) != 0 || buf_error(&worker->findings) != 0 || buf_error(&worker->card) != 0) {
        return ERR_NO_MEMORY;
    }
    struct record_body body = {.document = buf_view(&worker->document),
                               .findings = buf_view(&worker->findings),
                               .card = buf_view(&worker->card)};
    size_t at = chunk->records.size;
    record_write(&header, &body, import->admission.grant.tenant->keys, chunk->nonces + index * 2 * CRYPTO_NONCE_BYTES,
                 &chunk->records);
    customer->record = offset_slice(at, chunk->records.size - at);
    return buf_error(&chunk->records);
}

static size_t gather_secrets(const struct contract_result *result, struct record_secret *secrets, bool *pending)
{
    size_t count = 0;
    for (size_t i = 0; i < result->fact_count && count < RECORD_SECRETS_MAX; i++) {
        const struct contract_fact *fact = &result->facts[i];
        if (fact->role != FACT_SECRET || fact->kind == SECRET_CODE) {
            continue;
        }
        bool hashed = crypto_hash_recognise(fact->value) != CRYPTO_HASH_NONE;
        *pending = *pending || !hashed;
        secrets[count++] = (struct record_secret){.kind = fact->kind,
                                                  .state = hashed ? SECRET_GIVEN : SECRET_PENDING,
                                                  .pointer = fact->pointer,
                                                  .value = fact->value};
    }
    return count;
}

static int write_secrets(struct intake_chunk *chunk, size_t index, const struct contract_result *result)
{
    const struct auth_tenant *tenant = chunk->import->admission.grant.tenant;
    struct store_customer *customer = &chunk->customers[index];
    struct record_secret secrets[RECORD_SECRETS_MAX];
    size_t count = gather_secrets(result, secrets, &customer->secrets_pending);
    if (count == 0) {
        return 0;
    }
    size_t at = chunk->records.size;
    record_secrets_write(&tenant->id, &chunk->ids[index], secrets, count, tenant->keys,
                         chunk->nonces + (index * 2 + 1) * CRYPTO_NONCE_BYTES, &chunk->records);
    customer->secrets = offset_slice(at, chunk->records.size - at);
    return buf_error(&chunk->records);
}

int seal_item(struct intake_worker *worker, struct intake_chunk *chunk, size_t index, const struct json_doc *doc,
              const struct contract_result *result)
{
    struct store_customer *customer = &chunk->customers[index];
    uint8_t *mac = arena_take(chunk->arena, CRYPTO_MAC_BYTES);
    if (mac == NULL) {
        return ERR_NO_MEMORY;
    }
    customer->id = chunk->ids[index];
    customer->fingerprint = mac;
    int err = fingerprint(worker, chunk->import->admission.grant.tenant->keys, doc, result, mac);
    if (err == 0) {
        err = gather_keys(worker, chunk, result, customer);
    }
    if (err == 0) {
        err = write_record(worker, chunk, index, doc, result);
    }
    return err == 0 ? write_secrets(chunk, index, result) : err;
}

int seal_envelope(struct intake_worker *worker, struct intake_import *import, const struct json_doc *doc,
                  const struct contract_result *result)
{
    const struct auth_tenant *tenant = import->admission.grant.tenant;
    int err = fingerprint(worker, tenant->keys, doc, result, import->row.envelope_mac);
    if (err != 0) {
        return err;
    }
    uint8_t nonce[CRYPTO_NONCE_BYTES];
    crypto_random(nonce, sizeof nonce);
    buf_clear(&worker->document);
    json_append_minified(&worker->document, doc, json_root(doc), result->edits, result->edit_count);
    crypto_seal(tenant->keys, CRYPTO_ENVELOPE, nonce, uuid_view(&import->id), buf_view(&worker->document),
                &import->envelope);
    import->row.envelope = buf_view(&import->envelope);
    return buf_error(&import->envelope);
}
