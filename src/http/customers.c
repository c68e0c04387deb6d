/* Handlers of /v1/customers. */
#include "base/text.h"
#include "http/http_priv.h"

/* The id in the path; what is no UUID names nothing. */
static int path_uuid(const struct http_request *request, struct uuid *id)
{
    return uuid_from_text(request->params[0], id) ? 0 : ERR_NOT_FOUND;
}

int http_customer_get(struct http_request *request)
{
    struct uuid id;
    int err = path_uuid(request, &id);
    if (err == 0) {
        err = registry_customer_get(request->server->options.registry, request->grant.tenant, &id, &request->answer);
    }
    request->status = 200;
    return err;
}

/* The one identifier that the query names, if any. */
static int query_identifier(struct http_request *request, struct registry_query *query)
{
    static const struct {
        const char *name;
        enum identifier_kind kind;
    } rows[] = {{"externalId", IDENTIFIER_EXTERNAL_ID},
                {"email", IDENTIFIER_EMAIL},
                {"phone", IDENTIFIER_PHONE},
                {"wallet", IDENTIFIER_WALLET},
                {"did", IDENTIFIER_DID}};
    size_t named = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (http_query(request, rows[i].name, &query->value)) {
            query->kind = rows[i].kind;
            named++;
            break;
        }
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct slice other;
        if (rows[i].kind != query->kind && http_query(request, rows[i].name, &other)) {
            request->what = "Look for one identifier at a time: externalId, email, phone, wallet or did.";
            return ERR_BAD_PARAMETER;
        }
    }
    if (named > 0 && query->value.size == 0) {
        request->what = "The identifier to look for is empty.";
        return ERR_BAD_PARAMETER;
    }
    return 0;
}

int http_customer_list(struct http_request *request)
{
    static const char *const names[] = {"limit", "cursor", "externalId", "email", "phone", "wallet", "did", NULL};
    struct registry_query query = {.kind = IDENTIFIER_NONE};
    int err = http_query_read(request, names);
    if (err == 0) {
        err = http_query_limit(request, &query.limit);
    }
    if (err == 0) {
        err = http_query_uuid(request, "cursor", &query.after);
    }
    if (err == 0) {
        err = query_identifier(request, &query);
    }
    if (err == 0) {
        err =
            registry_customer_list(request->server->options.registry, request->grant.tenant, &query, &request->answer);
    }
    request->status = 200;
    return err;
}

/* {"kind":"password","value":"…"} */
static int read_verify(struct http_request *request, enum secret_kind *kind, struct buf *value)
{
    struct json_doc doc;
    struct json_error place;
    struct json_parser *parser = json_parser_new(request->body.size + JSON_PADDING);
    int err = parser == NULL ? ERR_NO_MEMORY : buf_reserve(&request->body, JSON_PADDING);
    if (err == 0) {
        err = json_parse(parser, buf_view(&request->body), &JSON_LIMITS_DEFAULT, &doc, &place);
    }
    if (err == 0) {
        json_at name = json_member(&doc, json_root(&doc), SLICE("kind"));
        json_at text = json_member(&doc, json_root(&doc), SLICE("value"));
        bool strings =
            name != 0 && text != 0 && json_type(&doc, name) == JSON_STRING && json_type(&doc, text) == JSON_STRING;
        *kind = strings ? secret_kind_from_text(json_string(&doc, name)) : SECRET_NONE;
        if (*kind == SECRET_NONE || *kind == SECRET_CODE) {
            request->what = "Send {\"kind\": \"password\", \"pin\" or \"answer\", \"value\": \"…\"}.";
            err = ERR_BAD_PARAMETER;
        } else {
            buf_append_slice(value, json_string(&doc, text));
        }
    }
    json_parser_free(&parser);
    return err;
}

int http_secret_verify(struct http_request *request)
{
    struct uuid id;
    struct buf value;
    enum secret_kind kind = SECRET_NONE;
    bool match = false;
    buf_init(&value, 0);
    int err = path_uuid(request, &id);
    if (err == 0) {
        err = read_verify(request, &kind, &value);
    }
    if (err == 0) {
        err = registry_secret_verify(request->server->options.registry, request->grant.tenant, &id, kind,
                                     buf_view(&value), &match);
    }
    crypto_wipe(value.data, value.size);
    buf_fini(&value);
    request->status = 200;
    buf_append_text(&request->answer, match ? "{\"match\":true}" : "{\"match\":false}");
    return err;
}
