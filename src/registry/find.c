/*
 * Listing and finding. One thing that a client looks for may be several index entries: an external
 * id is indexed per contract, a wallet per namespace. So the rows of all entries are gathered, sorted
 * by id and cut to the page; the cursor is the last id, whichever entry it came from.
 */
#include <stdlib.h>

#include "customer/customer.h"
#include "record/record.h"
#include "registry/registry_priv.h"
#include "json/json.h"

static const struct slice NAMESPACES[] = {
    {"eip155", 6},  {"tezos", 5},  {"aptos", 5}, {"polkadot", 8}, {"starknet", 8}, {"cosmos", 6}, {"solana", 6},
    {"cardano", 7}, {"bip122", 6}, {"xrpl", 4},  {"dash", 4},     {"tron", 4},     {"avax", 4},   {NULL, 0}};
#define NAMESPACE_COUNT (sizeof NAMESPACES / sizeof NAMESPACES[0])

/* Rows gathered so far. */
struct row {
    struct uuid id;
    size_t at; /* of its JSON in `text` */
    size_t size;
};

struct gathering {
    const struct registry *registry;
    const struct auth_tenant *tenant;
    struct buf rows; /* struct row */
    struct buf text;
};

static int put_short(struct gathering *gathering, const struct uuid *id, struct slice record)
{
    struct record_key keys[LIMIT_ITEM_KEYS];
    struct record_header header;
    struct record_body body;
    struct buf plain;
    buf_init(&plain, 0);
    int err = record_read_header(record, &header, keys);
    if (err == 0) {
        err = record_open(record, gathering->tenant->keys, &plain, &body);
    }
    if (err == 0) {
        struct json_writer writer;
        json_writer_init(&writer, &gathering->text);
        json_open_object(&writer);
        registry_name_record(&header, id);
        registry_put_uuid(&writer, "id", &header.id);
        json_name(&writer, "contract");
        json_put_string(&writer, registry_contract_name(gathering->registry, header.contract));
        json_name(&writer, "card");
        json_put_raw(&writer, body.card.size > 0 ? body.card : SLICE("{}"));
        registry_put_uuid(&writer, "import", &header.import);
        registry_put_time(&writer, "createdAt", header.created_ms);
        registry_put_time(&writer, "updatedAt", header.updated_ms);
        json_close_object(&writer);
    }
    crypto_wipe(plain.data, plain.size);
    buf_fini(&plain);
    return err;
}

static int gather_row(void *context, const struct uuid *id, struct slice record)
{
    struct gathering *gathering = context;
    struct row row = {.id = *id, .at = gathering->text.size};
    int err = put_short(gathering, id, record);
    row.size = gathering->text.size - row.at;
    buf_append(&gathering->rows, &row, sizeof row);
    return err;
}

static int find_one(struct gathering *gathering, const struct registry_query *query, struct slice value,
                    struct slice context)
{
    struct record_key key = {.kind = (uint8_t)query->kind, .unique = customer_identifier_is_unique(query->kind)};
    struct buf normal;
    buf_init(&normal, 0);
    bool exists = customer_identifier_normalise(query->kind, value, context, &normal);
    int err = buf_error(&normal); /* a shortened value would be found nowhere */
    if (err == 0 && exists) {
        crypto_blind(gathering->tenant->keys, query->kind, buf_view(&normal), key.mac);
        err = store_customer_find(gathering->registry->store, &gathering->tenant->id, &key, &query->after,
                                  query->limit + 1, gather_row, gathering);
    }
    buf_fini(&normal);
    return err;
}

static int find_external_id(struct gathering *gathering, const struct registry_query *query)
{
    int err = 0;
    for (size_t i = 0; i < gathering->registry->contract_count && err == 0; i++) {
        err = find_one(gathering, query, query->value, contract_info(gathering->registry->contracts[i])->name);
    }
    return err;
}

/* "eip155:0x…" names the namespace; a bare address is looked for in all. */
static int find_wallet(struct gathering *gathering, const struct registry_query *query)
{
    int err = 0;
    for (size_t i = 0; i < NAMESPACE_COUNT && err == 0; i++) {
        struct slice name = NAMESPACES[i];
        if (name.size > 0 && query->value.size > name.size && slice_starts(query->value, name) &&
            query->value.data[name.size] == ':') {
            return find_one(gathering, query, slice_from(query->value, name.size + 1), name);
        }
    }
    for (size_t i = 0; i < NAMESPACE_COUNT && err == 0; i++) {
        err = find_one(gathering, query, query->value, NAMESPACES[i]);
    }
    return err;
}

static int gather(struct gathering *gathering, const struct registry_query *query)
{
    switch (query->kind) {
    case IDENTIFIER_NONE:
        return store_customer_list(gathering->registry->store, &gathering->tenant->id, &query->after, query->limit + 1,
                                   gather_row, gathering);
    case IDENTIFIER_EXTERNAL_ID:
        return find_external_id(gathering, query);
    case IDENTIFIER_WALLET:
        return find_wallet(gathering, query);
    default:
        return find_one(gathering, query, query->value, SLICE_NONE);
    }
}

static int by_id(const void *a, const void *b)
{
    return uuid_compare(&((const struct row *)a)->id, &((const struct row *)b)->id);
}

static void put_page(const struct gathering *gathering, size_t limit, struct buf *json)
{
    struct row *rows = (struct row *)(void *)gathering->rows.data;
    size_t count = gathering->rows.size / sizeof *rows;
    if (count > 1) {
        qsort(rows, count, sizeof *rows, by_id);
    }
    struct json_writer writer;
    json_writer_init(&writer, json);
    json_open_object(&writer);
    json_name(&writer, "customers");
    json_open_array(&writer);
    size_t shown = 0;
    const struct uuid *last = NULL;
    bool more = false;
    for (size_t i = 0; i < count; i++) {
        if (last != NULL && uuid_equal(last, &rows[i].id)) {
            continue;
        }
        if (shown == limit) {
            more = true;
            break;
        }
        json_put_raw(&writer, slice_make(gathering->text.data + rows[i].at, rows[i].size));
        last = &rows[i].id;
        shown++;
    }
    json_close_array(&writer);
    if (more) {
        registry_put_uuid(&writer, "next", last);
    }
    json_close_object(&writer);
}

int registry_customer_list(const struct registry *registry, const struct auth_tenant *tenant,
                           const struct registry_query *query, struct buf *json)
{
    struct gathering gathering = {.registry = registry, .tenant = tenant};
    buf_init(&gathering.rows, 0);
    buf_init(&gathering.text, 0);
    int err = gather(&gathering, query);
    if (err == 0) {
        err = buf_error(&gathering.rows) != 0 ? buf_error(&gathering.rows) : buf_error(&gathering.text);
    }
    if (err == 0) {
        put_page(&gathering, query->limit, json);
        err = buf_error(json);
    }
    crypto_wipe(gathering.text.data, gathering.text.size);
    buf_fini(&gathering.rows);
    buf_fini(&gathering.text);
    return err;
}
