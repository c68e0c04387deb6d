/*
 * API keys (mk_…) and tenant tokens (mt_…): 32 random bytes behind a prefix, shown once, kept as a
 * keyed hash. The id that is shown is the beginning of that hash, so the text of a key leads to its
 * row without a second table; who has no ring can't compute it, and what is found is still compared
 * whole, so looking up tells nothing about other keys.
 */
#include "auth/auth_priv.h"
#include "base/clock.h"
#include "base/text.h"

/* Of the hash, in the id: enough that two keys never meet. */
#define KEY_ID_HASH_BYTES 16

static const char *const PREFIXES[] = {[AUTH_API_KEY] = "mk_", [AUTH_TENANT_TOKEN] = "mt_"};

/* False without memory. */
static bool id_of_hash(const uint8_t hash[CRYPTO_TOKEN_HASH_BYTES], char id[AUTH_ID_BYTES])
{
    struct buf text;
    buf_init(&text, 0);
    buf_append_text(&text, "key-");
    text_append_hex(&text, slice_make(hash, KEY_ID_HASH_BYTES));
    bool whole = buf_error(&text) == 0;
    auth_text_copy(id, AUTH_ID_BYTES, whole ? buf_view(&text) : SLICE_NONE);
    buf_fini(&text);
    return whole;
}

static int save_new(struct auth *auth, struct auth_row *row)
{
    if (!id_of_hash(row->hash, row->id)) {
        return ERR_NO_MEMORY;
    }
    row->created_ms = clock_real_ms();
    struct auth_row_name row_name = auth_row_name_of_key(slice_from_text(row->id));
    return auth_row_add(auth->store, &row_name, AUTH_ROW_KEY, row);
}

int auth_key_create(struct auth *auth, const struct auth_tenant *tenant, enum auth_key_kind kind, struct slice name,
                    const struct auth_rights *rights, struct buf *id, struct buf *key)
{
    struct auth_row row = {.key_kind = kind};
    size_t from = key->size;
    int err = auth_name_is_printable(name) ? 0 : ERR_BAD_PARAMETER;
    if (err == 0 && kind == AUTH_API_KEY) {
        err = auth_rights_check(auth, tenant, rights);
    }
    if (err != 0) {
        return err;
    }
    crypto_token_make(PREFIXES[kind], key);
    err = buf_error(key);
    if (err != 0) {
        return err;
    }
    crypto_token_hash(auth->ring, slice_from(buf_view(key), from), row.hash);
    auth_text_copy(row.name, sizeof row.name, name);
    auth_text_copy(row.tenant, sizeof row.tenant, slice_from_text(tenant->name));
    if (kind == AUTH_API_KEY) {
        row.scopes = rights->scopes;
        auth_text_copy(row.project, sizeof row.project, rights->project);
    }
    err = save_new(auth, &row);
    if (err == 0) {
        buf_append_text(id, row.id);
        err = buf_error(id);
    }
    return err;
}

int auth_key_load(struct auth *auth, const uint8_t hash[CRYPTO_TOKEN_HASH_BYTES], enum auth_key_kind kind,
                  struct auth_row *row)
{
    char id[AUTH_ID_BYTES];
    if (!id_of_hash(hash, id)) {
        return ERR_NO_MEMORY;
    }
    struct auth_row_name row_name = auth_row_name_of_key(slice_from_text(id));
    int err = auth_row_load(auth->store, &row_name, AUTH_ROW_KEY, row);
    if (err != 0) {
        return err;
    }
    bool same = slice_equal_secret(slice_make(row->hash, sizeof row->hash), slice_make(hash, CRYPTO_TOKEN_HASH_BYTES));
    return same && row->key_kind == kind && !row->revoked ? 0 : ERR_NOT_FOUND;
}

int auth_key_revoke(struct auth *auth, const struct auth_tenant *tenant, struct slice id)
{
    if (!auth_name_is_id(id, "key-")) {
        return ERR_NOT_FOUND;
    }
    struct auth_row_name row_name = auth_row_name_of_key(id);
    return auth_row_revoke(auth, &row_name, AUTH_ROW_KEY, tenant);
}

int auth_list_keys(struct auth *auth, const struct auth_tenant *tenant, struct buf *json)
{
    return auth_row_list(auth->store, SLICE("key/"), AUTH_ROW_KEY, slice_from_text(tenant->name), json);
}
