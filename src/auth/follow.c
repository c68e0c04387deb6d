/*
 * What other servers of a shared store have changed. Tenants, projects and checked credentials are remembered in
 * memory; a revoke through another server must end what is remembered here as one through this server does. The store
 * has a stamp that is another one after each change, at most STORE_STAMP_MS late, and each way into what is remembered
 * looks at it first. When the stamp can't be had, nothing that is remembered counts: the answer is the store's error.
 *
 * The difficulty is a row that is being read while the stamp changes. Credentials carry their generation (cache.c), and
 * tenants and projects are remembered under `change`, as this is: either the row was read before, and is forgotten
 * here, or after, and is as new as the stamp.
 */
#include "auth/auth_priv.h"

static void forget_all(struct auth *auth)
{
    size_t at = 0;
    struct slice key;
    uint64_t value;
    pthread_rwlock_wrlock(&auth->lock);
    while (map_each(auth->tenants_by_name, &at, &key, &value)) {
        ((struct auth_tenant_entry *)(uintptr_t)value)->stale = true;
    }
    map_clear(auth->projects);
    pthread_rwlock_unlock(&auth->lock);
    auth_cache_forget(auth->cache);
}

int auth_follow(struct auth *auth)
{
    uint64_t stamp;
    int err = store_meta_stamp(auth->store, &stamp);
    if (err != 0 || atomic_load(&auth->stamp) == stamp) {
        return err;
    }
    pthread_mutex_lock(&auth->change);
    err = store_meta_stamp(auth->store, &stamp); /* others may have waited here with an older one */
    if (err == 0 && atomic_load(&auth->stamp) != stamp) {
        forget_all(auth);
        atomic_store(&auth->stamp, stamp);
    }
    pthread_mutex_unlock(&auth->change);
    return err;
}
