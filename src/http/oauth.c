/*
 * The authorization server's endpoints: the token endpoint for client credentials (RFC 6749 section
 * 4.4), whose errors have their own shape (section 5.2), the key set and the metadata.
 */
#include "base/clock.h"
#include "base/text.h"
#include "http/http_priv.h"

struct credentials {
    struct buf id;
    struct buf secret;
    struct buf grant;
    struct buf scope;
};

static void credentials_init(struct credentials *credentials)
{
    *credentials = (struct credentials){0};
    buf_init(&credentials->id, 0);
    buf_init(&credentials->secret, 0);
    buf_init(&credentials->grant, 0);
    buf_init(&credentials->scope, 0);
}

static void credentials_fini(struct credentials *credentials)
{
    crypto_wipe(credentials->secret.data, credentials->secret.size);
    buf_fini(&credentials->id);
    buf_fini(&credentials->secret);
    buf_fini(&credentials->grant);
    buf_fini(&credentials->scope);
}

static struct slice until(struct slice text, char end)
{
    const char *at = text.size == 0 ? NULL : memchr(text.data, end, text.size);
    return at == NULL ? text : slice_make(text.data, (size_t)(at - text.data));
}

/* One name=value of the form; a name that is not known is passed over (section 3.2). False when a
 * known one is repeated or badly encoded. */
static bool read_pair(struct credentials *credentials, struct slice pair)
{
    struct slice name = until(pair, '=');
    struct slice value = name.size < pair.size ? slice_from(pair, name.size + 1) : SLICE_NONE;
    struct buf *to = slice_equal_text(name, "grant_type")      ? &credentials->grant
                     : slice_equal_text(name, "client_id")     ? &credentials->id
                     : slice_equal_text(name, "client_secret") ? &credentials->secret
                     : slice_equal_text(name, "scope")         ? &credentials->scope
                                                               : NULL;
    return to == NULL || (to->size == 0 && text_decode_percent(value, true, to));
}

static bool read_form(struct credentials *credentials, struct slice form)
{
    while (form.size > 0) {
        struct slice pair = until(form, '&');
        if (!read_pair(credentials, pair)) {
            return false;
        }
        form = slice_from(form, pair.size < form.size ? pair.size + 1 : pair.size);
    }
    return true;
}

/* Basic: base64 of form-encoded id and secret with a colon between (section 2.3.1). */
static bool read_basic(struct credentials *credentials, struct slice authorization)
{
    static const struct slice scheme = {"Basic ", 6};
    if (authorization.size == 0) {
        return true;
    }
    if (authorization.size < scheme.size || !slice_equal_nocase(slice_make(authorization.data, scheme.size), scheme) ||
        credentials->id.size > 0 || credentials->secret.size > 0) {
        return false;
    }
    struct buf pair;
    buf_init(&pair, 0);
    bool good = text_decode_base64(slice_from(authorization, scheme.size), &pair);
    struct slice id = until(buf_view(&pair), ':');
    good = good && id.size < pair.size && text_decode_percent(id, true, &credentials->id) &&
           text_decode_percent(slice_from(buf_view(&pair), id.size + 1), true, &credentials->secret);
    crypto_wipe(pair.data, pair.size);
    buf_fini(&pair);
    return good;
}

static void put_error(struct http_request *request, unsigned status, const char *code, const char *description)
{
    struct json_writer writer;
    request->status = status;
    json_writer_init(&writer, &request->answer);
    json_open_object(&writer);
    json_name(&writer, "error");
    json_put_text(&writer, code);
    json_name(&writer, "error_description");
    json_put_text(&writer, description);
    json_close_object(&writer);
}

static void put_token(struct http_request *request, const struct buf *token, uint32_t scopes)
{
    struct json_writer writer;
    struct buf names;
    buf_init(&names, 0);
    auth_scopes_to_text(scopes, &names);
    request->status = 200;
    json_writer_init(&writer, &request->answer);
    json_open_object(&writer);
    json_name(&writer, "access_token");
    json_put_string(&writer, buf_view(token));
    json_name(&writer, "token_type");
    json_put_text(&writer, "Bearer");
    json_name(&writer, "expires_in");
    json_put_uint(&writer, AUTH_TOKEN_SECONDS);
    json_name(&writer, "scope");
    json_put_string(&writer, buf_view(&names));
    json_close_object(&writer);
    buf_fail(&request->answer, buf_error(&names));
    buf_fini(&names);
}

/* A storage failure is returned; everything else is answered here. */
static int issue(struct http_request *request, const struct credentials *credentials)
{
    struct buf token;
    uint32_t granted = 0;
    buf_init(&token, 0);
    int err = auth_issue(request->server->options.auth, buf_view(&credentials->id), buf_view(&credentials->secret),
                         buf_view(&credentials->scope), clock_real_ms(), &token, &granted);
    if (err == 0) {
        put_token(request, &token, granted);
    } else if (err == ERR_TOKEN_INVALID) {
        put_error(request, 401, "invalid_client", "The client is unknown or its secret is wrong.");
        err = 0;
    } else if (err == ERR_SCOPE_MISSING || err == ERR_BAD_PARAMETER) {
        put_error(request, 400, "invalid_scope", "The client may not have every scope that it asks for.");
        err = 0;
    }
    crypto_wipe(token.data, token.size);
    buf_fini(&token);
    return err;
}

int http_token(struct http_request *request)
{
    struct credentials credentials;
    credentials_init(&credentials);
    request->no_store = true;
    request->challenge = "Basic realm=\"muster\"";
    int err = 0;
    if (!read_form(&credentials, buf_view(&request->body)) ||
        !read_basic(&credentials, http_header(request, MHD_HTTP_HEADER_AUTHORIZATION))) {
        put_error(request, 400, "invalid_request", "The form is malformed, or names the client in two ways.");
    } else if (credentials.grant.size == 0) {
        put_error(request, 400, "invalid_request", "Send a form with grant_type=client_credentials.");
    } else if (!slice_equal_text(buf_view(&credentials.grant), "client_credentials")) {
        put_error(request, 400, "unsupported_grant_type", "Send grant_type=client_credentials.");
    } else {
        err = issue(request, &credentials);
    }
    credentials_fini(&credentials);
    return err;
}

int http_jwks(struct http_request *request)
{
    request->status = 200;
    return auth_jwks(request->server->options.auth, &request->answer);
}

int http_metadata(struct http_request *request)
{
    request->status = 200;
    return auth_metadata(request->server->options.auth, &request->answer);
}
