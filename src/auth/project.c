/*
 * Projects: names that a tenant's customers are filed under. Each batch names one, so those that may
 * be used are remembered; the difficulty is the same as with tenants: a project is remembered only
 * while `change` is held, so never from a row that is just being revoked.
 *
 * A revoked project keeps its row. Otherwise a tenant that makes projects on first use would make it
 * again with the next batch; only an explicit create brings it back.
 */
#include "auth/auth_priv.h"
#include "base/clock.h"

/* Beyond this many remembered ones all are forgotten: the bound of the memory. */
#define REMEMBERED_MAX 65536u

/* Tenant's id and the name. */
struct project_key {
    char bytes[UUID_BYTES + LIMIT_NAME_BYTES];
    size_t size;
};

static struct project_key key_of(const struct auth_tenant *tenant, struct slice name)
{
    struct project_key key = {.size = UUID_BYTES + name.size};
    memcpy(key.bytes, tenant->id.bytes, UUID_BYTES);
    memcpy(key.bytes + UUID_BYTES, name.data, name.size);
    return key;
}

static bool is_remembered(struct auth *auth, const struct project_key *key)
{
    pthread_rwlock_rdlock(&auth->lock);
    bool found = map_get(auth->projects, slice_make(key->bytes, key->size), NULL);
    pthread_rwlock_unlock(&auth->lock);
    return found;
}

/* Under `change`. Without memory it is not remembered, only slower. */
static void remember(struct auth *auth, const struct project_key *key)
{
    pthread_rwlock_wrlock(&auth->lock);
    if (map_count(auth->projects) >= REMEMBERED_MAX) {
        map_clear(auth->projects);
    }
    int err = map_put(auth->projects, slice_make(key->bytes, key->size), 1);
    pthread_rwlock_unlock(&auth->lock);
    (void)err;
}

static void forget(struct auth *auth, const struct project_key *key)
{
    pthread_rwlock_wrlock(&auth->lock);
    (void)map_delete(auth->projects, slice_make(key->bytes, key->size));
    pthread_rwlock_unlock(&auth->lock);
}

static int save_new(struct auth *auth, const struct auth_tenant *tenant, struct slice name,
                    const struct auth_row_name *row_name)
{
    struct auth_row row = {.created_ms = clock_real_ms()};
    auth_text_copy(row.name, sizeof row.name, name);
    auth_text_copy(row.tenant, sizeof row.tenant, slice_from_text(tenant->name));
    return auth_row_add(auth->store, row_name, AUTH_ROW_PROJECT, &row);
}

static int bring_back(void *context, struct auth_row *row)
{
    (void)context;
    if (!row->revoked) {
        return ERR_EXISTS;
    }
    row->revoked = false;
    row->created_ms = clock_real_ms();
    return 0;
}

int auth_project_create(struct auth *auth, const struct auth_tenant *tenant, struct slice name)
{
    if (!auth_name_is_printable(name)) {
        return ERR_BAD_PARAMETER;
    }
    struct auth_row_name row_name = auth_row_name_of_project(slice_from_text(tenant->name), name);
    struct auth_row row;
    pthread_mutex_lock(&auth->change);
    int err = auth_row_change(auth->store, &row_name, AUTH_ROW_PROJECT, bring_back, NULL, &row);
    if (err == ERR_NOT_FOUND) {
        err = save_new(auth, tenant, name, &row_name);
    }
    pthread_mutex_unlock(&auth->change);
    return err;
}

static int mark_revoked(void *context, struct auth_row *row)
{
    (void)context;
    row->revoked = true;
    return 0;
}

int auth_project_revoke(struct auth *auth, const struct auth_tenant *tenant, struct slice name)
{
    if (!auth_name_is_printable(name)) {
        return ERR_NOT_FOUND;
    }
    struct project_key key = key_of(tenant, name);
    struct auth_row_name row_name = auth_row_name_of_project(slice_from_text(tenant->name), name);
    struct auth_row row;
    pthread_mutex_lock(&auth->change);
    int err = auth_row_change(auth->store, &row_name, AUTH_ROW_PROJECT, mark_revoked, NULL, &row);
    forget(auth, &key);
    pthread_mutex_unlock(&auth->change);
    return err;
}

static int find(struct auth *auth, const struct auth_row_name *row_name)
{
    struct auth_row row;
    int err = auth_row_load(auth->store, row_name, AUTH_ROW_PROJECT, &row);
    return err == 0 && row.revoked ? ERR_PROJECT_UNKNOWN : err;
}

/* Under `change`: the row says whether it may be used; a first use may make it. */
static int find_or_make(struct auth *auth, const struct auth_tenant *tenant, struct slice name)
{
    struct auth_row_name row_name = auth_row_name_of_project(slice_from_text(tenant->name), name);
    int err = find(auth, &row_name);
    if (err != ERR_NOT_FOUND) {
        return err;
    }
    if (!tenant->makes_projects) {
        return ERR_PROJECT_UNKNOWN;
    }
    err = save_new(auth, tenant, name, &row_name);
    return err == ERR_EXISTS ? find(auth, &row_name) : err; /* another server was first */
}

int auth_project_use(struct auth *auth, const struct auth_tenant *tenant, struct slice name)
{
    if (!auth_name_is_printable(name)) {
        return ERR_PROJECT_UNKNOWN;
    }
    struct project_key key = key_of(tenant, name);
    int err = auth_follow(auth);
    if (err != 0 || is_remembered(auth, &key)) {
        return err;
    }
    pthread_mutex_lock(&auth->change);
    err = find_or_make(auth, tenant, name);
    if (err == 0) {
        remember(auth, &key);
    }
    pthread_mutex_unlock(&auth->change);
    return err;
}

int auth_list_projects(struct auth *auth, const struct auth_tenant *tenant, struct buf *json)
{
    struct buf prefix;
    buf_init(&prefix, 0);
    buf_printf(&prefix, "project/%s/", tenant->name);
    int err = buf_error(&prefix);
    if (err == 0) {
        err = auth_row_list(auth->store, buf_view(&prefix), AUTH_ROW_PROJECT, SLICE_NONE, json);
    }
    buf_fini(&prefix);
    return err;
}
