/*
 * Reading customers: a record is opened with its tenant's keys and shown with what its import's row
 * adds (project and type, which the envelope of the batch said for all of them).
 */
#include <stdlib.h>

#include "base/clock.h"
#include "customer/customer.h"
#include "record/record.h"
#include "registry/registry_priv.h"
#include "json/json.h"

struct slice registry_contract_name(const struct registry *registry, uint8_t number)
{
    for (size_t i = 0; i < registry->contract_count; i++) {
        const struct contract_info *info = contract_info(registry->contracts[i]);
        if (info->number == number) {
            return info->name;
        }
    }
    return SLICE("unknown");
}

void registry_put_uuid(struct json_writer *writer, const char *name, const struct uuid *uuid)
{
    char text[UUID_TEXT_BYTES + 1];
    uuid_to_text(uuid, text);
    json_name(writer, name);
    json_put_text(writer, text);
}

void registry_put_time(struct json_writer *writer, const char *name, int64_t ms)
{
    char text[CLOCK_TEXT_BYTES];
    if (ms == 0) {
        return;
    }
    clock_to_text(ms, text);
    json_name(writer, name);
    json_put_text(writer, text);
}

void registry_name_record(struct record_header *header, const struct uuid *id)
{
    if (!uuid_equal(&header->id, id)) {
        header->created_ms = (int64_t)uuid_time_ms(id);
        header->id = *id;
    }
}

/* A record opened for showing. */
struct opened {
    struct record_key keys[LIMIT_ITEM_KEYS];
    struct record_header header;
    struct buf plain;
    struct record_body body;
};

static int open_record(struct opened *opened, const struct auth_tenant *tenant, const struct uuid *id,
                       struct slice record)
{
    buf_init(&opened->plain, 0);
    int err = record_read_header(record, &opened->header, opened->keys);
    if (err == 0) {
        err = record_open(record, tenant->keys, &opened->plain, &opened->body);
    }
    if (err == 0) {
        registry_name_record(&opened->header, id);
    } else {
        buf_fini(&opened->plain);
    }
    return err;
}

static void close_record(struct opened *opened)
{
    crypto_wipe(opened->plain.data, opened->plain.size);
    buf_fini(&opened->plain);
}

/* The members of the card's object, copied into the one that is being written, behind its first. */
static void put_card(struct json_writer *writer, struct slice card)
{
    if (card.size <= 2) {
        return;
    }
    buf_append_byte(writer->out, ',');
    buf_append(writer->out, card.data + 1, card.size - 2);
}

static void put_head(struct json_writer *writer, const struct registry *registry, const struct opened *opened)
{
    const struct record_header *header = &opened->header;
    registry_put_uuid(writer, "id", &header->id);
    json_name(writer, "contract");
    json_put_string(writer, registry_contract_name(registry, header->contract));
    put_card(writer, opened->body.card);
    registry_put_uuid(writer, "import", &header->import);
    registry_put_time(writer, "createdAt", header->created_ms);
    registry_put_time(writer, "updatedAt", header->updated_ms);
}

/* Project and type that the import's envelope said. */
static int put_import_members(struct json_writer *writer, const struct registry *registry,
                              const struct record_header *header)
{
    struct store_import import;
    struct buf envelope;
    buf_init(&envelope, 0);
    int err = store_import_get(registry->store, &header->tenant, &header->import, &import, &envelope);
    buf_fini(&envelope);
    if (err != 0) {
        return err == ERR_NOT_FOUND ? 0 : err;
    }
    if (import.project[0] != '\0') {
        json_name(writer, "project");
        json_put_text(writer, import.project);
    }
    if (import.type[0] != '\0') {
        json_name(writer, "type");
        json_put_text(writer, import.type);
    }
    return 0;
}

static const char *state_name(uint8_t state)
{
    return state == SECRET_PENDING ? "pending" : "ready";
}

/* Kind, place and state of each secret; never its value. */
static int put_secrets(struct json_writer *writer, const struct registry *registry, const struct auth_tenant *tenant,
                       const struct uuid *id)
{
    struct buf row, plain;
    struct record_secret secrets[RECORD_SECRETS_MAX];
    size_t count = 0;
    buf_init(&row, 0);
    buf_init(&plain, 0);
    struct uuid owner;
    int err = store_secrets_get(registry->store, &tenant->id, id, &owner, &row);
    if (err == 0) {
        err = record_secrets_open(&tenant->id, &owner, buf_view(&row), tenant->keys, &plain, secrets, &count);
    }
    json_name(writer, "secrets");
    json_open_array(writer);
    for (size_t i = 0; err == 0 && i < count; i++) {
        json_open_object(writer);
        json_name(writer, "kind");
        json_put_text(writer, secret_kind_to_text(secrets[i].kind));
        json_name(writer, "pointer");
        json_put_string(writer, secrets[i].pointer);
        json_name(writer, "state");
        json_put_text(writer, state_name(secrets[i].state));
        json_close_object(writer);
    }
    json_close_array(writer);
    crypto_wipe(plain.data, plain.size);
    buf_fini(&plain);
    buf_fini(&row);
    return err == ERR_NOT_FOUND ? 0 : err;
}

static int put_customer(const struct registry *registry, const struct auth_tenant *tenant, const struct opened *opened,
                        struct buf *json)
{
    struct json_writer writer;
    json_writer_init(&writer, json);
    json_open_object(&writer);
    put_head(&writer, registry, opened);
    int err = put_import_members(&writer, registry, &opened->header);
    if (err == 0) {
        err = put_secrets(&writer, registry, tenant, &opened->header.id);
    }
    json_name(&writer, "findings");
    json_put_raw(&writer, opened->body.findings.size > 0 ? opened->body.findings : SLICE("[]"));
    json_name(&writer, "document");
    json_put_raw(&writer, opened->body.document);
    json_close_object(&writer);
    return err == 0 ? buf_error(json) : err;
}

int registry_customer_get(const struct registry *registry, const struct auth_tenant *tenant, const struct uuid *id,
                          struct buf *json)
{
    struct buf record;
    struct opened opened;
    buf_init(&record, 0);
    int err = store_customer_get(registry->store, &tenant->id, id, &record);
    if (err == 0) {
        err = open_record(&opened, tenant, id, buf_view(&record));
        if (err == 0) {
            err = put_customer(registry, tenant, &opened, json);
            close_record(&opened);
        }
    }
    buf_fini(&record);
    return err;
}
