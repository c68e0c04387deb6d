/*
 * OAuth clients (RFC 6749 section 2.3.1) and what clients and keys have in common: their rights and
 * their revoke. A client's id is public; its secret is shown once and kept as a keyed hash.
 *
 * The difficulty of a revoke is its order: first the row, then the cache's generation. The other way
 * round a check could read the old row and still be remembered under the new generation.
 */
#include "auth/auth_priv.h"
#include "base/clock.h"
#include "base/text.h"

#define CLIENT_ID_RANDOM_BYTES 12

int auth_rights_check(struct auth *auth, const struct auth_tenant *tenant, const struct auth_rights *rights)
{
    if ((rights->scopes & ~(uint32_t)SCOPE_ALL) != 0) {
        return ERR_BAD_PARAMETER;
    }
    return rights->project.size == 0 ? 0 : auth_project_use(auth, tenant, rights->project);
}

static void make_id(char id[AUTH_ID_BYTES])
{
    uint8_t random[CLIENT_ID_RANDOM_BYTES];
    struct buf text;
    crypto_random(random, sizeof random);
    buf_init(&text, 0);
    buf_append_text(&text, "client-");
    text_append_hex(&text, slice_make(random, sizeof random));
    auth_text_copy(id, AUTH_ID_BYTES, buf_view(&text));
    buf_fini(&text);
}

static int save_new(struct auth *auth, const struct auth_tenant *tenant, struct slice name,
                    const struct auth_rights *rights, struct slice secret, struct auth_row *row)
{
    *row = (struct auth_row){.scopes = rights->scopes, .created_ms = clock_real_ms()};
    make_id(row->id);
    auth_text_copy(row->name, sizeof row->name, name);
    auth_text_copy(row->tenant, sizeof row->tenant, slice_from_text(tenant->name));
    auth_text_copy(row->project, sizeof row->project, rights->project);
    crypto_token_hash(auth->ring, secret, row->hash);
    if (!auth_name_is_id(slice_from_text(row->id), "client-")) {
        return ERR_NO_MEMORY;
    }
    struct auth_row_name row_name = auth_row_name_of_client(slice_from_text(row->id));
    return auth_row_add(auth->store, &row_name, AUTH_ROW_CLIENT, row);
}

int auth_client_create(struct auth *auth, const struct auth_tenant *tenant, struct slice name,
                       const struct auth_rights *rights, struct buf *client_id, struct buf *secret)
{
    struct auth_row row;
    size_t from = secret->size;
    int err = auth_name_is_printable(name) ? auth_rights_check(auth, tenant, rights) : ERR_BAD_PARAMETER;
    if (err != 0) {
        return err;
    }
    crypto_token_make("ms_", secret);
    err = buf_error(secret);
    if (err == 0) {
        err = save_new(auth, tenant, name, rights, slice_from(buf_view(secret), from), &row);
    }
    if (err == 0) {
        buf_append_text(client_id, row.id);
        err = buf_error(client_id);
    }
    return err;
}

int auth_client_load(struct auth *auth, struct slice client_id, struct auth_row *row)
{
    if (!auth_name_is_id(client_id, "client-")) {
        return ERR_NOT_FOUND;
    }
    struct auth_row_name row_name = auth_row_name_of_client(client_id);
    int err = auth_row_load(auth->store, &row_name, AUTH_ROW_CLIENT, row);
    return err == 0 && row->revoked ? ERR_NOT_FOUND : err;
}

/* Of a tenant's own row. */
static int mark_revoked(void *context, struct auth_row *row)
{
    const struct auth_tenant *tenant = context;
    if (strcmp(row->tenant, tenant->name) != 0) {
        return ERR_NOT_FOUND;
    }
    row->revoked = true;
    return 0;
}

int auth_row_revoke(struct auth *auth, const struct auth_row_name *name, enum auth_row_kind kind,
                    const struct auth_tenant *tenant)
{
    struct auth_row row;
    struct auth_tenant owner = *tenant;
    pthread_mutex_lock(&auth->change);
    int err = auth_row_change(auth->store, name, kind, mark_revoked, &owner, &row);
    if (err != ERR_NOT_FOUND) {
        auth_cache_forget(auth->cache); /* also when it is unknown whether it was kept */
    }
    pthread_mutex_unlock(&auth->change);
    return err;
}

int auth_client_revoke(struct auth *auth, const struct auth_tenant *tenant, struct slice client_id)
{
    if (!auth_name_is_id(client_id, "client-")) {
        return ERR_NOT_FOUND;
    }
    struct auth_row_name row_name = auth_row_name_of_client(client_id);
    return auth_row_revoke(auth, &row_name, AUTH_ROW_CLIENT, tenant);
}

int auth_list_clients(struct auth *auth, const struct auth_tenant *tenant, struct buf *json)
{
    return auth_row_list(auth->store, SLICE("client/"), AUTH_ROW_CLIENT, slice_from_text(tenant->name), json);
}
