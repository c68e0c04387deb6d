/*
 * The demo tenant: everything that the documented requests need, written to demo.json. Credentials are
 * made anew at each start and the old ones revoked, because the store has only their hashes.
 */
#include "base/clock.h"
#include "daemon/daemon_priv.h"
#include "json/json.h"

#define DEMO "demo"

struct demo {
    struct buf client_id;
    struct buf client_secret;
    struct buf access_token;
    struct buf tenant_token;
    struct buf api_key;
    struct buf ids; /* that the file of the next start revokes */
};

/* A text of the file, which somebody may have edited; empty when it is none. */
static struct slice old_text(const struct json_doc *doc, const char *name)
{
    json_at at = json_member(doc, json_root(doc), slice_from_text(name));
    return at != 0 && json_type(doc, at) == JSON_STRING ? json_string(doc, at) : SLICE_NONE;
}

/* The ids of keys and clients of an earlier start, from its file. */
static int revoke_old(struct auth *auth, const struct auth_tenant *tenant, const char *data)
{
    struct buf text;
    struct json_doc doc;
    struct json_error place;
    struct json_parser *parser = json_parser_new(64u << 10);
    buf_init(&text, 60u << 10);
    int err = parser == NULL ? ERR_NO_MEMORY : folder_read(data, "demo.json", &text);
    if (err == 0) {
        err = buf_reserve(&text, JSON_PADDING);
    }
    if (err == 0 && json_parse(parser, buf_view(&text), &JSON_LIMITS_DEFAULT, &doc, &place) == 0) {
        static const char *const keys[] = {"apiKeyId", "tenantTokenId"};
        for (size_t i = 0; i < 2 && (err == 0 || err == ERR_NOT_FOUND); i++) {
            err = auth_key_revoke(auth, tenant, old_text(&doc, keys[i]));
        }
        if (err == 0 || err == ERR_NOT_FOUND) {
            err = auth_client_revoke(auth, tenant, old_text(&doc, "clientId"));
        }
    }
    json_parser_free(&parser);
    crypto_wipe(text.data, text.size);
    buf_fini(&text);
    return err == ERR_NOT_FOUND ? 0 : err;
}

static int make_tenant(struct auth *auth, const struct auth_tenant **tenant)
{
    int err = auth_tenant_get(auth, SLICE(DEMO), tenant);
    if (err == ERR_NOT_FOUND) {
        err = auth_tenant_create(auth, SLICE(DEMO), true, false);
        if (err == 0 || err == ERR_EXISTS) { /* made by another server meanwhile */
            err = auth_tenant_get(auth, SLICE(DEMO), tenant);
        }
    }
    if (err == 0) {
        err = auth_project_use(auth, *tenant, SLICE(DEMO));
    }
    return err;
}

static void put(struct json_writer *writer, const char *name, struct slice value)
{
    json_name(writer, name);
    json_put_string(writer, value);
}

static int make_keys(struct auth *auth, const struct auth_tenant *tenant, struct demo *demo, struct json_writer *writer)
{
    struct auth_rights rights = {.scopes = SCOPE_ALL & ~(uint32_t)SCOPE_ADMIN};
    uint32_t granted;
    buf_clear(&demo->ids);
    int err = auth_key_create(auth, tenant, AUTH_API_KEY, SLICE(DEMO), &rights, &demo->ids, &demo->api_key);
    put(writer, "apiKeyId", buf_view(&demo->ids));
    put(writer, "apiKey", buf_view(&demo->api_key));
    buf_clear(&demo->ids);
    if (err == 0) {
        err = auth_key_create(auth, tenant, AUTH_TENANT_TOKEN, SLICE(DEMO), &rights, &demo->ids, &demo->tenant_token);
    }
    put(writer, "tenantTokenId", buf_view(&demo->ids));
    put(writer, "tenantToken", buf_view(&demo->tenant_token));
    if (err == 0) {
        err = auth_client_create(auth, tenant, SLICE(DEMO), &rights, &demo->client_id, &demo->client_secret);
    }
    if (err == 0) {
        err = auth_issue(auth, buf_view(&demo->client_id), buf_view(&demo->client_secret), SLICE_NONE, clock_real_ms(),
                         &demo->access_token, &granted);
    }
    put(writer, "clientId", buf_view(&demo->client_id));
    put(writer, "clientSecret", buf_view(&demo->client_secret));
    put(writer, "accessToken", buf_view(&demo->access_token));
    return err;
}

static void demo_fini(struct demo *demo)
{
    struct buf *bufs[] = {&demo->client_id,    &demo->client_secret, &demo->access_token,
                          &demo->tenant_token, &demo->api_key,       &demo->ids};
    for (size_t i = 0; i < sizeof bufs / sizeof bufs[0]; i++) {
        crypto_wipe(bufs[i]->data, bufs[i]->size);
        buf_fini(bufs[i]);
    }
}

int demo_prepare(struct auth *auth, const char *data, struct slice url, struct slice operator_key, struct buf *why)
{
    const struct auth_tenant *tenant;
    struct demo demo = {0};
    struct buf text;
    struct json_writer writer;
    buf_init(&text, 0);
    json_writer_init(&writer, &text);
    json_open_object(&writer);
    put(&writer, "url", url);
    put(&writer, "tenantId", SLICE(DEMO));
    put(&writer, "cmsProjectId", SLICE(DEMO));
    put(&writer, "operatorKey", operator_key);
    int err = make_tenant(auth, &tenant);
    if (err == 0) {
        err = revoke_old(auth, tenant, data);
    }
    if (err == 0) {
        err = make_keys(auth, tenant, &demo, &writer);
    }
    json_close_object(&writer);
    buf_append_text(&text, "\n");
    if (err == 0) {
        err = folder_write(data, "demo.json", 0600, buf_view(&text), why);
    } else {
        buf_printf(why, "the demo tenant could not be made: %s", err_text(err));
    }
    crypto_wipe(text.data, text.size);
    buf_fini(&text);
    demo_fini(&demo);
    return err;
}
