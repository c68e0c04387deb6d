/*
 * What tenants may send. The limits stand in the tenant's row and in its entry in memory; a request takes
 * a copy when it is admitted, so a change counts for those that come after it.
 */
#include "auth/auth_priv.h"

static const char *const NAMES[AUTH_LIMITS] = {
    [AUTH_REQUEST_ITEMS] = "itemsPerRequest",
    [AUTH_REQUEST_BYTES] = "bytesPerRequest",
    [AUTH_DAY_ITEMS] = "itemsPerDay",
    [AUTH_DAY_BYTES] = "bytesPerDay",
};

const char *auth_limit_name(enum auth_limit limit)
{
    return NAMES[limit];
}

/* The entry of a tenant that is loaded. Lock held. */
static struct auth_tenant_entry *entry_of(const struct map *map, struct slice key)
{
    uint64_t value = 0;
    (void)map_get(map, key, &value);
    return (struct auth_tenant_entry *)(uintptr_t)value;
}

void auth_tenant_limits(struct auth *auth, const struct auth_tenant *tenant, struct auth_limits *limits)
{
    pthread_rwlock_rdlock(&auth->lock);
    const struct auth_tenant_entry *entry = entry_of(auth->tenants_by_id, uuid_view(&tenant->id));
    *limits = entry != NULL ? entry->limits : (struct auth_limits){{0}};
    pthread_rwlock_unlock(&auth->lock);
}

static void publish(struct auth *auth, struct slice name, const struct auth_limits *limits)
{
    pthread_rwlock_wrlock(&auth->lock);
    struct auth_tenant_entry *entry = entry_of(auth->tenants_by_name, name);
    if (entry != NULL) {
        entry->limits = *limits;
    }
    pthread_rwlock_unlock(&auth->lock);
}

struct limiting {
    const bool *set;
    const struct auth_limits *limits;
};

static int set_limits(void *context, struct auth_row *row)
{
    const struct limiting *limiting = context;
    if (row->revoked) {
        return ERR_NOT_FOUND;
    }
    for (enum auth_limit i = 0; i < AUTH_LIMITS; i++) {
        row->limits.at[i] = limiting->set[i] ? limiting->limits->at[i] : row->limits.at[i];
    }
    return 0;
}

/* Under `change`. */
static int change_row(struct auth *auth, struct slice name, const bool set[AUTH_LIMITS], struct auth_limits *limits)
{
    struct auth_row_name row_name = auth_row_name_of_tenant(name);
    struct limiting limiting = {.set = set, .limits = limits};
    struct auth_row row;
    int err = auth_row_change(auth->store, &row_name, AUTH_ROW_TENANT, set_limits, &limiting, &row);
    if (err == 0) {
        *limits = row.limits;
    }
    crypto_wipe(&row, sizeof row);
    return err;
}

int auth_tenant_limit(struct auth *auth, struct slice name, const bool set[AUTH_LIMITS], struct auth_limits *limits)
{
    if (!auth_name_is_tenant(name)) {
        return ERR_NOT_FOUND;
    }
    pthread_mutex_lock(&auth->change);
    int err = change_row(auth, name, set, limits);
    if (err == 0) {
        publish(auth, name, limits);
    }
    pthread_mutex_unlock(&auth->change);
    return err;
}
