/*
 * Tenants: a row with the policy and the wrapped key, a second row that leads from the id to the
 * name, and an entry in memory with the opened subkeys, which lives as long as the auth because
 * requests hold pointers to it.
 *
 * The two rows are two writes, so the id's row goes first: one without its tenant leads nowhere and
 * is harmless, while a tenant without it could not be found by id. The difficulty in loading is the
 * revoke: entries are made only while `change` is held, so none is made from a row that is just
 * being revoked. An entry that another server may have changed is stale: as good as not loaded, and
 * brought up to its row in place.
 */
#include <assert.h>
#include <stdlib.h>

#include "auth/auth_priv.h"
#include "base/clock.h"

static void entry_free(struct auth_tenant_entry *entry)
{
    crypto_tenant_free(&entry->keys);
    free(entry);
}

void auth_tenants_free(struct auth *auth)
{
    size_t at = 0;
    struct slice key;
    uint64_t value;
    while (auth->tenants_by_name != NULL && map_each(auth->tenants_by_name, &at, &key, &value)) {
        entry_free((struct auth_tenant_entry *)(uintptr_t)value);
    }
    map_free(&auth->tenants_by_name);
    map_free(&auth->tenants_by_id);
}

/* Looks among the loaded ones: 0, or ERR_NOT_FOUND with *known set when it is there but revoked. A stale one is not
 * known, but *tenant is it. */
static int find_loaded(struct auth *auth, const struct map *map, struct slice key, const struct auth_tenant **tenant,
                       bool *known)
{
    uint64_t value = 0;
    int err = ERR_NOT_FOUND;
    pthread_rwlock_rdlock(&auth->lock);
    *known = map_get(map, key, &value);
    if (*known) {
        const struct auth_tenant_entry *entry = (const struct auth_tenant_entry *)(uintptr_t)value;
        *tenant = &entry->tenant;
        *known = !entry->stale;
        err = entry->revoked || entry->stale ? ERR_NOT_FOUND : 0;
    }
    pthread_rwlock_unlock(&auth->lock);
    return err;
}

/* Under `change`. The entry is stale; what can change of a tenant is taken from its row. False: there is no entry. */
static bool bring_up(struct auth *auth, const struct auth_row *row, const struct auth_tenant **tenant)
{
    uint64_t value = 0;
    pthread_rwlock_wrlock(&auth->lock);
    bool found = map_get(auth->tenants_by_name, slice_from_text(row->name), &value);
    if (found) {
        struct auth_tenant_entry *entry = (struct auth_tenant_entry *)(uintptr_t)value;
        entry->revoked = row->revoked;
        entry->limits = row->limits;
        entry->stale = false;
        *tenant = &entry->tenant;
    }
    pthread_rwlock_unlock(&auth->lock);
    return found;
}

static int entry_new(struct auth *auth, const struct auth_row *row, struct auth_tenant_entry **made)
{
    struct auth_tenant_entry *entry = calloc(1, sizeof *entry);
    if (entry == NULL) {
        return ERR_NO_MEMORY;
    }
    int err = uuid_from_text(slice_from_text(row->id), &entry->tenant.id) ? 0 : ERR_CORRUPT;
    if (err == 0) {
        err = crypto_tenant_open(auth->ring, &entry->tenant.id, row->wrapped, &entry->keys);
    }
    if (err != 0) {
        free(entry);
        return err;
    }
    auth_text_copy(entry->tenant.name, sizeof entry->tenant.name, slice_from_text(row->name));
    entry->revoked = row->revoked;
    entry->tenant.makes_projects = row->makes_projects;
    entry->tenant.strict = row->strict;
    entry->limits = row->limits;
    entry->tenant.keys = entry->keys;
    *made = entry;
    return 0;
}

static int entry_publish(struct auth *auth, struct auth_tenant_entry *entry)
{
    struct slice name = slice_from_text(entry->tenant.name);
    uint64_t value = (uint64_t)(uintptr_t)entry;
    pthread_rwlock_wrlock(&auth->lock);
    int err = map_put(auth->tenants_by_name, name, value);
    if (err == 0) {
        err = map_put(auth->tenants_by_id, uuid_view(&entry->tenant.id), value);
        if (err != 0) {
            (void)map_delete(auth->tenants_by_name, name);
        }
    }
    pthread_rwlock_unlock(&auth->lock);
    return err;
}

/* Under `change`, which keeps the row as it is until the entry is there. */
static int load(struct auth *auth, struct slice name, const struct auth_tenant **tenant)
{
    struct auth_row_name row_name = auth_row_name_of_tenant(name);
    struct auth_row row;
    struct auth_tenant_entry *entry = NULL;
    int err = auth_row_load(auth->store, &row_name, AUTH_ROW_TENANT, &row);
    if (err == 0 && bring_up(auth, &row, tenant)) {
        err = row.revoked ? ERR_NOT_FOUND : 0;
        crypto_wipe(&row, sizeof row);
        return err;
    }
    if (err == 0) {
        err = entry_new(auth, &row, &entry);
    }
    crypto_wipe(&row, sizeof row);
    if (err != 0) {
        return err;
    }
    err = entry_publish(auth, entry);
    if (err != 0) {
        entry_free(entry);
        return err;
    }
    *tenant = &entry->tenant;
    return entry->revoked ? ERR_NOT_FOUND : 0;
}

int auth_tenant_get(struct auth *auth, struct slice name, const struct auth_tenant **tenant)
{
    bool known;
    if (!auth_name_is_tenant(name)) {
        return ERR_NOT_FOUND;
    }
    int err = auth_follow(auth);
    if (err != 0) {
        return err;
    }
    err = find_loaded(auth, auth->tenants_by_name, name, tenant, &known);
    if (known) {
        return err;
    }
    pthread_mutex_lock(&auth->change);
    err = find_loaded(auth, auth->tenants_by_name, name, tenant, &known);
    if (!known) {
        err = load(auth, name, tenant);
    }
    pthread_mutex_unlock(&auth->change);
    return err;
}

int auth_tenant_by_id(struct auth *auth, const struct uuid *id, const struct auth_tenant **tenant)
{
    bool known;
    int err = auth_follow(auth);
    if (err != 0) {
        return err;
    }
    err = find_loaded(auth, auth->tenants_by_id, uuid_view(id), tenant, &known);
    if (known) {
        return err;
    }
    struct auth_row_name row_name = auth_row_name_of_tenant_id(id);
    struct buf name;
    buf_init(&name, 0);
    err = store_meta_get(auth->store, slice_from_text(row_name.text), &name);
    if (err == 0) {
        err = buf_error(&name);
    }
    if (err == 0) {
        err = auth_tenant_get(auth, buf_view(&name), tenant);
    }
    buf_fini(&name);
    /* A create that was cut off may have left the id of a tenant that was then made under another one. */
    return err == 0 && !uuid_equal(&(*tenant)->id, id) ? ERR_NOT_FOUND : err;
}

int auth_tenant_of_data(struct auth *auth, const struct uuid *id, const struct auth_tenant **tenant)
{
    int err = auth_tenant_by_id(auth, id, tenant);
    if (err != ERR_NOT_FOUND) {
        return err;
    }
    bool known;
    *tenant = NULL; /* else it is revoked, and whether that is news does not matter */
    (void)find_loaded(auth, auth->tenants_by_id, uuid_view(id), tenant, &known);
    return *tenant != NULL ? 0 : ERR_NOT_FOUND;
}

static int save_new(struct auth *auth, const struct auth_row_name *row_name, struct auth_row *row)
{
    struct uuid id = auth_uuid_make(auth);
    struct auth_row_name id_name = auth_row_name_of_tenant_id(&id);
    uuid_to_text(&id, row->id);
    crypto_tenant_key_make(auth->ring, &id, row->wrapped);
    row->created_ms = clock_real_ms();
    int err = store_meta_put(auth->store, slice_from_text(id_name.text), slice_from_text(row->name));
    return err != 0 ? err : auth_row_add(auth->store, row_name, AUTH_ROW_TENANT, row);
}

int auth_tenant_create(struct auth *auth, struct slice name, bool makes_projects, bool strict)
{
    static const struct auth_limits none;
    return auth_tenant_create_limited(auth, name, makes_projects, strict, &none);
}

int auth_tenant_create_limited(struct auth *auth, struct slice name, bool makes_projects, bool strict,
                               const struct auth_limits *limits)
{
    if (!auth_name_is_tenant(name)) {
        return ERR_BAD_PARAMETER;
    }
    struct auth_row_name row_name = auth_row_name_of_tenant(name);
    struct auth_row row;
    pthread_mutex_lock(&auth->change);
    int err = auth_row_load(auth->store, &row_name, AUTH_ROW_TENANT, &row);
    if (err == 0) {
        err = ERR_EXISTS;
    } else if (err == ERR_NOT_FOUND) {
        row = (struct auth_row){.makes_projects = makes_projects, .strict = strict, .limits = *limits};
        auth_text_copy(row.name, sizeof row.name, name);
        err = save_new(auth, &row_name, &row);
    }
    pthread_mutex_unlock(&auth->change);
    crypto_wipe(&row, sizeof row);
    return err;
}

static int mark_row(void *context, struct auth_row *row)
{
    (void)context;
    row->revoked = true;
    return 0;
}

static void mark_revoked(struct auth *auth, struct slice name)
{
    uint64_t value = 0;
    pthread_rwlock_wrlock(&auth->lock);
    if (map_get(auth->tenants_by_name, name, &value)) {
        ((struct auth_tenant_entry *)(uintptr_t)value)->revoked = true;
    }
    pthread_rwlock_unlock(&auth->lock);
    auth_cache_forget(auth->cache);
}

int auth_tenant_revoke(struct auth *auth, struct slice name)
{
    if (!auth_name_is_tenant(name)) {
        return ERR_NOT_FOUND;
    }
    struct auth_row_name row_name = auth_row_name_of_tenant(name);
    struct auth_row row;
    pthread_mutex_lock(&auth->change);
    int err = auth_row_change(auth->store, &row_name, AUTH_ROW_TENANT, mark_row, NULL, &row);
    if (err != ERR_NOT_FOUND) {
        mark_revoked(auth, name); /* also when it is unknown whether the row was kept: rather none than one too many */
    }
    pthread_mutex_unlock(&auth->change);
    crypto_wipe(&row, sizeof row);
    return err;
}

int auth_list_tenants(struct auth *auth, struct buf *json)
{
    return auth_row_list(auth->store, SLICE("tenant/"), AUTH_ROW_TENANT, SLICE_NONE, json);
}
