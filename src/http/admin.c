/*
 * Handlers of /v1/admin: the operator makes tenants and what is theirs. A secret is in the answer of
 * the request that made it and nowhere afterwards.
 */
#include "http/http_priv.h"

/* What a body may hold: a member that is misspelt or of another type must not be passed over in silence, because
 * what it asks for would not be done. */
struct form_kind {
    const char *sentence;
    const char *name_rule;
    struct {
        const char *name;
        enum json_type type; /* TRUE stands for both */
    } members[8];
};

static const char PRINTABLE_RULE[] = "name must be 1 to 64 bytes of printable UTF-8.";

static const char LIMIT_RULE[] = "A limit must be a whole number from 1 to 2^53; leave it out, or null, for none.";

static const struct form_kind TENANT_FORM = {
    "The body may have name (a text), createProjects and strict (true or false), and itemsPerRequest, "
    "bytesPerRequest, itemsPerDay and bytesPerDay (whole numbers).",
    "name must be 1 to 64 of a-z A-Z 0-9 . _ - and begin with a letter or digit.",
    {{"name", JSON_STRING},
     {"createProjects", JSON_TRUE},
     {"strict", JSON_TRUE},
     {"itemsPerRequest", JSON_INT},
     {"bytesPerRequest", JSON_INT},
     {"itemsPerDay", JSON_INT},
     {"bytesPerDay", JSON_INT}}};
static const struct form_kind LIMITS_FORM = {
    "The body may have itemsPerRequest, bytesPerRequest, itemsPerDay and bytesPerDay (whole numbers, or null for "
    "none).",
    LIMIT_RULE,
    {{"itemsPerRequest", JSON_INT},
     {"bytesPerRequest", JSON_INT},
     {"itemsPerDay", JSON_INT},
     {"bytesPerDay", JSON_INT}}};
static const struct form_kind PROJECT_FORM = {
    "The body may have name (a text).", PRINTABLE_RULE, {{"name", JSON_STRING}}};
static const struct form_kind CLIENT_FORM = {
    "The body may have name (a text), scopes (a list of names) and project (a text: the only one).",
    PRINTABLE_RULE,
    {{"name", JSON_STRING}, {"scopes", JSON_ARRAY}, {"project", JSON_STRING}}};
static const struct form_kind KEY_FORM = {
    "The body may have name (a text), kind, scopes (a list of names) and project (a text: the only one).",
    PRINTABLE_RULE,
    {{"name", JSON_STRING}, {"kind", JSON_STRING}, {"scopes", JSON_ARRAY}, {"project", JSON_STRING}}};

/* The parsed body of an admin request. */
struct form {
    struct json_parser *parser;
    struct json_doc doc;
};

static bool form_has(const struct form_kind *kind, struct slice name, enum json_type type)
{
    for (size_t i = 0; i < sizeof kind->members / sizeof kind->members[0] && kind->members[i].name != NULL; i++) {
        if (slice_equal_text(name, kind->members[i].name)) {
            enum json_type wanted = kind->members[i].type;
            return wanted == (type == JSON_FALSE ? JSON_TRUE : type) || (wanted == JSON_INT && type == JSON_NULL);
        }
    }
    return false;
}

static int form_check(struct http_request *request, const struct form *form, const struct form_kind *kind)
{
    const struct json_doc *doc = &form->doc;
    if (json_type(doc, json_root(doc)) != JSON_OBJECT) {
        request->what = "The body must be a JSON object.";
        return ERR_BAD_PARAMETER;
    }
    for (json_at at = json_first(doc, json_root(doc)); !json_is_end(doc, at); at = json_next(doc, json_value_of(at))) {
        if (!form_has(kind, json_string(doc, at), json_type(doc, json_value_of(at)))) {
            request->what = kind->sentence;
            return ERR_BAD_PARAMETER;
        }
    }
    return 0;
}

static int form_open(struct http_request *request, const struct form_kind *kind, struct form *form)
{
    struct json_error place;
    form->parser = json_parser_new(request->body.size + JSON_PADDING);
    int err = form->parser == NULL ? ERR_NO_MEMORY : buf_reserve(&request->body, JSON_PADDING);
    if (err == 0) {
        err = json_parse(form->parser, buf_view(&request->body), &JSON_LIMITS_DEFAULT, &form->doc, &place);
    }
    return err == 0 ? form_check(request, form, kind) : err;
}

static void form_close(struct form *form)
{
    json_parser_free(&form->parser);
}

static struct slice form_text(const struct form *form, const char *name)
{
    json_at at = json_member(&form->doc, json_root(&form->doc), slice_from_text(name));
    return at != 0 && json_type(&form->doc, at) == JSON_STRING ? json_string(&form->doc, at) : SLICE_NONE;
}

static bool form_flag(const struct form *form, const char *name)
{
    json_at at = json_member(&form->doc, json_root(&form->doc), slice_from_text(name));
    return at != 0 && json_type(&form->doc, at) == JSON_TRUE;
}

/* The limits that the body has, and which those are; null stands for none. */
static int form_limits(struct http_request *request, const struct form *form, bool set[AUTH_LIMITS],
                       struct auth_limits *limits)
{
    for (enum auth_limit i = 0; i < AUTH_LIMITS; i++) {
        json_at at = json_member(&form->doc, json_root(&form->doc), slice_from_text(auth_limit_name(i)));
        limits->at[i] = 0;
        set[i] = at != 0;
        if (at == 0 || json_type(&form->doc, at) == JSON_NULL) {
            continue;
        }
        int64_t value = json_int(&form->doc, at);
        if (value < 1 || (uint64_t)value > AUTH_LIMIT_MAX) {
            request->what = LIMIT_RULE;
            return ERR_BAD_PARAMETER;
        }
        limits->at[i] = (uint64_t)value;
    }
    return 0;
}

/* The only project, if the body names one. */
static int form_project(struct http_request *request, const struct form *form, struct slice *project)
{
    *project = form_text(form, "project");
    if (project->size == 0 && json_member(&form->doc, json_root(&form->doc), SLICE("project")) != 0) {
        request->what = "project must name a project; leave it out for all of them.";
        return ERR_BAD_PARAMETER;
    }
    return 0;
}

/* `scopes`: a list of names, at least one. */
static int form_scopes(struct http_request *request, const struct form *form, uint32_t *scopes)
{
    const struct json_doc *doc = &form->doc;
    json_at list = json_member(doc, json_root(doc), SLICE("scopes"));
    *scopes = 0;
    request->what = "scopes must be a list of scope names, such as [\"customers:create\", \"customers:read\"].";
    if (list == 0 || json_type(doc, list) != JSON_ARRAY) {
        return ERR_BAD_PARAMETER;
    }
    for (json_at at = json_first(doc, list); !json_is_end(doc, at); at = json_next(doc, at)) {
        uint32_t bit = json_type(doc, at) == JSON_STRING ? scope_from_text(json_string(doc, at)) : 0;
        if (bit == 0) {
            return ERR_BAD_PARAMETER;
        }
        *scopes |= bit;
    }
    if (*scopes == 0) {
        return ERR_BAD_PARAMETER;
    }
    request->what = NULL;
    return 0;
}

static int path_tenant(const struct http_request *request, const struct auth_tenant **tenant)
{
    return auth_tenant_get(request->server->options.auth, request->params[0], tenant);
}

static int created(struct http_request *request, const struct form_kind *kind, int err)
{
    request->status = 201;
    request->no_store = true;
    if (err == ERR_BAD_PARAMETER && request->what == NULL) {
        request->what = kind->name_rule;
    }
    return err;
}

static int gone(struct http_request *request, int err)
{
    request->status = 204;
    return err;
}

static void put_member(struct json_writer *writer, const char *name, struct slice value)
{
    json_name(writer, name);
    json_put_string(writer, value);
}

/* ---- tenants ---- */

int http_tenant_create(struct http_request *request)
{
    struct form form;
    struct auth_limits limits;
    bool set[AUTH_LIMITS];
    int err = form_open(request, &TENANT_FORM, &form);
    if (err == 0) {
        err = form_limits(request, &form, set, &limits);
    }
    if (err == 0) {
        struct slice name = form_text(&form, "name");
        err = auth_tenant_create_limited(request->server->options.auth, name, form_flag(&form, "createProjects"),
                                         form_flag(&form, "strict"), &limits);
        struct json_writer writer;
        json_writer_init(&writer, &request->answer);
        json_open_object(&writer);
        put_member(&writer, "name", name);
        json_close_object(&writer);
    }
    form_close(&form);
    return created(request, &TENANT_FORM, err);
}

/* Changes the limits that the body has and answers with all of them. */
int http_tenant_limit(struct http_request *request)
{
    struct form form;
    struct auth_limits limits;
    bool set[AUTH_LIMITS];
    int err = form_open(request, &LIMITS_FORM, &form);
    if (err == 0) {
        err = form_limits(request, &form, set, &limits);
    }
    if (err == 0) {
        err = auth_tenant_limit(request->server->options.auth, request->params[0], set, &limits);
    }
    form_close(&form);
    struct json_writer writer;
    json_writer_init(&writer, &request->answer);
    json_open_object(&writer);
    put_member(&writer, "name", request->params[0]);
    for (enum auth_limit i = 0; err == 0 && i < AUTH_LIMITS; i++) {
        json_name(&writer, auth_limit_name(i));
        if (limits.at[i] == 0) {
            json_put_null(&writer);
        } else {
            json_put_uint(&writer, limits.at[i]);
        }
    }
    json_close_object(&writer);
    request->status = 200;
    return err;
}

/* {"tenants":[…]} around a ready list. */
static int wrap_list(struct http_request *request, const char *name, int err, struct buf *list)
{
    struct json_writer writer;
    json_writer_init(&writer, &request->answer);
    json_open_object(&writer);
    json_name(&writer, name);
    json_put_raw(&writer, buf_view(list));
    json_close_object(&writer);
    buf_fini(list);
    request->status = 200;
    return err;
}

int http_tenant_list(struct http_request *request)
{
    struct buf list;
    buf_init(&list, 0);
    int err = auth_list_tenants(request->server->options.auth, &list);
    return wrap_list(request, "tenants", err, &list);
}

int http_tenant_revoke(struct http_request *request)
{
    return gone(request, auth_tenant_revoke(request->server->options.auth, request->params[0]));
}

/* Lists what a tenant has. */
static int list_of_tenant(struct http_request *request, const char *name,
                          int (*list_fn)(struct auth *, const struct auth_tenant *, struct buf *))
{
    const struct auth_tenant *tenant;
    struct buf list;
    buf_init(&list, 0);
    int err = path_tenant(request, &tenant);
    if (err == 0) {
        err = list_fn(request->server->options.auth, tenant, &list);
    }
    return wrap_list(request, name, err, &list);
}

/* Revokes one thing of a tenant. */
static int revoke_of_tenant(struct http_request *request,
                            int (*revoke_fn)(struct auth *, const struct auth_tenant *, struct slice))
{
    const struct auth_tenant *tenant;
    int err = path_tenant(request, &tenant);
    if (err == 0) {
        err = revoke_fn(request->server->options.auth, tenant, request->params[1]);
    }
    return gone(request, err);
}

/* ---- projects ---- */

int http_project_create(struct http_request *request)
{
    const struct auth_tenant *tenant;
    struct form form;
    int err = form_open(request, &PROJECT_FORM, &form);
    if (err == 0) {
        err = path_tenant(request, &tenant);
    }
    if (err == 0) {
        struct slice name = form_text(&form, "name");
        err = auth_project_create(request->server->options.auth, tenant, name);
        struct json_writer writer;
        json_writer_init(&writer, &request->answer);
        json_open_object(&writer);
        put_member(&writer, "name", name);
        json_close_object(&writer);
    }
    form_close(&form);
    return created(request, &PROJECT_FORM, err);
}

int http_project_list(struct http_request *request)
{
    return list_of_tenant(request, "projects", auth_list_projects);
}

int http_project_revoke(struct http_request *request)
{
    return revoke_of_tenant(request, auth_project_revoke);
}

/* ---- clients and keys ---- */

/* Two fresh texts under their names; the second is a secret. */
static void put_fresh(struct http_request *request, const char *id_name, struct buf *id, const char *secret_name,
                      struct buf *secret)
{
    struct json_writer writer;
    json_writer_init(&writer, &request->answer);
    json_open_object(&writer);
    put_member(&writer, id_name, buf_view(id));
    put_member(&writer, secret_name, buf_view(secret));
    json_close_object(&writer);
    crypto_wipe(secret->data, secret->size);
    buf_fini(id);
    buf_fini(secret);
}

/* Of whom a client or key will be, and what it may. */
static int read_rights(struct http_request *request, const struct form *form, bool has_scopes,
                       struct auth_rights *rights, const struct auth_tenant **tenant)
{
    int err = has_scopes ? form_scopes(request, form, &rights->scopes) : 0;
    if (err == 0) {
        err = path_tenant(request, tenant);
    }
    return err != 0 ? err : form_project(request, form, &rights->project);
}

int http_client_create(struct http_request *request)
{
    const struct auth_tenant *tenant;
    struct form form;
    struct auth_rights rights = {0};
    struct buf id, secret;
    buf_init(&id, 0);
    buf_init(&secret, 0);
    int err = form_open(request, &CLIENT_FORM, &form);
    if (err == 0) {
        err = read_rights(request, &form, true, &rights, &tenant);
    }
    if (err == 0) {
        err =
            auth_client_create(request->server->options.auth, tenant, form_text(&form, "name"), &rights, &id, &secret);
    }
    put_fresh(request, "clientId", &id, "clientSecret", &secret);
    form_close(&form);
    return created(request, &CLIENT_FORM, err);
}

int http_client_list(struct http_request *request)
{
    return list_of_tenant(request, "clients", auth_list_clients);
}

int http_client_revoke(struct http_request *request)
{
    return revoke_of_tenant(request, auth_client_revoke);
}

static int form_key_kind(struct http_request *request, const struct form *form, enum auth_key_kind *kind)
{
    struct slice text = form_text(form, "kind");
    if (slice_equal_text(text, "tenant-token")) {
        *kind = AUTH_TENANT_TOKEN;
        return 0;
    }
    if (text.size == 0 || slice_equal_text(text, "api-key")) {
        *kind = AUTH_API_KEY;
        return 0;
    }
    request->what = "kind must be api-key or tenant-token.";
    return ERR_BAD_PARAMETER;
}

int http_key_create(struct http_request *request)
{
    const struct auth_tenant *tenant;
    struct form form;
    struct auth_rights rights = {0};
    enum auth_key_kind kind = AUTH_API_KEY;
    struct buf id, key;
    buf_init(&id, 0);
    buf_init(&key, 0);
    int err = form_open(request, &KEY_FORM, &form);
    if (err == 0) {
        err = form_key_kind(request, &form, &kind);
    }
    if (err == 0) {
        err = read_rights(request, &form, kind == AUTH_API_KEY, &rights, &tenant);
    }
    if (err == 0) {
        err =
            auth_key_create(request->server->options.auth, tenant, kind, form_text(&form, "name"), &rights, &id, &key);
    }
    put_fresh(request, "id", &id, "key", &key);
    form_close(&form);
    return created(request, &KEY_FORM, err);
}

int http_key_list(struct http_request *request)
{
    return list_of_tenant(request, "keys", auth_list_keys);
}

int http_key_revoke(struct http_request *request)
{
    return revoke_of_tenant(request, auth_key_revoke);
}
