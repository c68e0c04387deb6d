/*
 * The claims of an access token (RFC 9068 section 2.2): iss, aud, sub, client_id, iat, exp, jti,
 * scope, and two of Muster's own, `tenant` (its name) and `project` (only when the client is bound to
 * one). The signature has been checked before anything is read here.
 *
 * Which of two failures is told matters to a client: "expired" means that asking again will help, so
 * it is said only of a token that is right in everything else.
 */
#include "auth/auth_priv.h"

/* Clocks of servers that share an issuer may differ by this much. */
#define LEEWAY_S 30

static void put(struct json_writer *writer, const char *name, struct slice text)
{
    json_name(writer, name);
    json_put_string(writer, text);
}

void auth_claims_write(const struct auth_claims *claims, struct slice issuer, struct buf *json)
{
    struct json_writer writer;
    struct buf scopes;
    char id[UUID_TEXT_BYTES + 1];
    uuid_to_text(&claims->token_id, id);
    buf_init(&scopes, 0);
    auth_scopes_to_text(claims->scopes, &scopes);
    json_writer_init(&writer, json);
    json_open_object(&writer);
    put(&writer, "iss", issuer);
    put(&writer, "aud", issuer);
    put(&writer, "sub", slice_from_text(claims->client));
    put(&writer, "client_id", slice_from_text(claims->client));
    json_name(&writer, "iat");
    json_put_int(&writer, claims->issued_s);
    json_name(&writer, "exp");
    json_put_int(&writer, claims->expires_s);
    put(&writer, "jti", slice_from_text(id));
    put(&writer, "scope", buf_view(&scopes));
    put(&writer, "tenant", slice_from_text(claims->tenant));
    if (claims->project[0] != '\0') {
        put(&writer, "project", slice_from_text(claims->project));
    }
    json_close_object(&writer);
    buf_fail(json, buf_error(&scopes));
    buf_fini(&scopes);
}

static json_at find(const struct json_doc *doc, const char *name)
{
    return json_member(doc, json_root(doc), slice_from_text(name));
}

static bool get_string(const struct json_doc *doc, const char *name, struct slice *text)
{
    json_at at = find(doc, name);
    if (at == 0 || json_type(doc, at) != JSON_STRING) {
        return false;
    }
    *text = json_string(doc, at);
    return true;
}

static bool get_text(const struct json_doc *doc, const char *name, char *to, size_t room)
{
    struct slice text;
    if (!get_string(doc, name, &text) || text.size >= room || memchr(text.data, '\0', text.size) != NULL) {
        return false;
    }
    auth_text_copy(to, room, text);
    return true;
}

/* A time in whole seconds that can be told in milliseconds. */
static bool get_time(const struct json_doc *doc, const char *name, int64_t *seconds)
{
    json_at at = find(doc, name);
    if (at == 0 || json_type(doc, at) != JSON_INT) {
        return false;
    }
    *seconds = json_int(doc, at);
    return *seconds >= 0 && *seconds <= INT64_MAX / 1000 - LEEWAY_S;
}

static bool read_names(const struct json_doc *doc, struct slice issuer, struct auth_claims *claims)
{
    struct slice text;
    bool ours = get_string(doc, "iss", &text) && slice_equal(text, issuer) && get_string(doc, "aud", &text) &&
                slice_equal(text, issuer);
    return ours && get_text(doc, "client_id", claims->client, sizeof claims->client) && get_string(doc, "sub", &text) &&
           slice_equal_text(text, claims->client) && get_text(doc, "tenant", claims->tenant, sizeof claims->tenant) &&
           (find(doc, "project") == 0 || get_text(doc, "project", claims->project, sizeof claims->project)) &&
           get_string(doc, "jti", &text) && uuid_from_text(text, &claims->token_id) &&
           get_string(doc, "scope", &text) && auth_scopes_from_text(text, &claims->scopes) == 0;
}

static int judge_times(const struct json_doc *doc, int64_t now_ms, struct auth_claims *claims)
{
    int64_t not_before_s = 0;
    if (!get_time(doc, "iat", &claims->issued_s) || !get_time(doc, "exp", &claims->expires_s) ||
        (find(doc, "nbf") != 0 && !get_time(doc, "nbf", &not_before_s))) {
        return ERR_TOKEN_INVALID;
    }
    int64_t latest_ms = now_ms + LEEWAY_S * 1000;
    if (claims->issued_s * 1000 > latest_ms || not_before_s * 1000 > latest_ms) {
        return ERR_TOKEN_INVALID;
    }
    return now_ms >= claims->expires_s * 1000 ? ERR_TOKEN_EXPIRED : 0;
}

static int judge(const struct json_doc *doc, struct slice issuer, int64_t now_ms, struct auth_claims *claims)
{
    if (json_type(doc, json_root(doc)) != JSON_OBJECT || !read_names(doc, issuer, claims)) {
        return ERR_TOKEN_INVALID;
    }
    return judge_times(doc, now_ms, claims);
}

int auth_claims_read(struct buf *payload, struct slice issuer, int64_t now_ms, struct auth_claims *claims)
{
    struct json_doc doc;
    struct json_error error;
    *claims = (struct auth_claims){0};
    if (buf_reserve(payload, JSON_PADDING) != 0) {
        return ERR_NO_MEMORY;
    }
    struct json_parser *parser = json_parser_new(payload->size);
    if (parser == NULL) {
        return ERR_NO_MEMORY;
    }
    int err = json_parse(parser, buf_view(payload), &JSON_LIMITS_DEFAULT, &doc, &error);
    if (err == 0) {
        err = judge(&doc, issuer, now_ms, claims);
    } else if (err == ERR_MALFORMED_JSON) {
        err = ERR_TOKEN_INVALID;
    }
    json_parser_free(&parser);
    return err;
}
