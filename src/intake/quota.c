/*
 * Quotas: how many items and bytes a tenant may send in a request and in a day of UTC. An import takes of
 * them as its body arrives and gives back what is not kept, so that requests side by side never take
 * more than there is. It counts for the day in which it began, however long it runs.
 *
 * The counters are in memory; the truth is in the import rows. The difficulty is where both meet: a
 * tenant's day is made up from the rows when a daily quota first asks for it, which may be long after
 * imports of that day have ended or while some run. Every import is counted from the start of the
 * process, asked or not, so:
 *
 *   Q1  day->used has what ended and was kept, once `loaded`: of the rows, and of uses that end later.
 *   Q2  day->taken has what the uses under way have taken.
 *   Q3  An import whose use is under way is in `taken` only, although its row may say that it is committed
 *       already: loading passes over it.
 *   Q4  A day that begins while the tenant is known is loaded with nothing.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/map.h"
#include "intake/intake_priv.h"

#define DAY_MS       86400000
#define PAGE_ROWS    1000u
#define RETRY_SOON_S 2u /* others under way hold what is left; they may give it back */

struct quota_day {
    struct list link; /* newest last */
    int64_t number;   /* since 1970 */
    size_t uses;
    bool loaded;
    uint64_t used[2]; /* items, bytes */
    uint64_t taken[2];
};

struct quota_tenant {
    struct uuid id;
    struct store *store;
    pthread_mutex_t lock; /* of all below, and of the uses */
    struct list days;
    struct list uses;
};

struct quota {
    struct store *store;
    struct auth *auth;
    pthread_mutex_t lock; /* of the map */
    struct map *tenants;  /* id -> quota_tenant */
};

/* ---- tenants ---- */

struct quota *quota_new(struct store *store, struct auth *auth)
{
    struct quota *quota = calloc(1, sizeof *quota);
    if (quota == NULL) {
        return NULL;
    }
    quota->store = store;
    quota->auth = auth;
    pthread_mutex_init(&quota->lock, NULL);
    quota->tenants = map_new();
    if (quota->tenants == NULL) {
        quota_free(&quota);
    }
    return quota;
}

static void tenant_free(struct quota_tenant *tenant)
{
    assert(list_empty(&tenant->uses));
    for (struct list *link = list_take_first(&tenant->days); link != NULL; link = list_take_first(&tenant->days)) {
        free(LIST_ENTRY(link, struct quota_day, link));
    }
    pthread_mutex_destroy(&tenant->lock);
    free(tenant);
}

void quota_free(struct quota **quota)
{
    struct quota *freed = *quota;
    *quota = NULL;
    if (freed == NULL) {
        return;
    }
    size_t at = 0;
    struct slice key;
    uint64_t value;
    while (freed->tenants != NULL && map_each(freed->tenants, &at, &key, &value)) {
        tenant_free((struct quota_tenant *)(uintptr_t)value);
    }
    map_free(&freed->tenants);
    pthread_mutex_destroy(&freed->lock);
    free(freed);
}

static struct quota_tenant *tenant_new(struct quota *quota, const struct uuid *id)
{
    struct quota_tenant *tenant = calloc(1, sizeof *tenant);
    if (tenant == NULL) {
        return NULL;
    }
    if (map_put(quota->tenants, uuid_view(id), (uint64_t)(uintptr_t)tenant) != 0) {
        free(tenant);
        return NULL;
    }
    tenant->id = *id;
    tenant->store = quota->store;
    pthread_mutex_init(&tenant->lock, NULL);
    list_init(&tenant->days);
    list_init(&tenant->uses);
    return tenant;
}

/* NULL: no memory. */
static struct quota_tenant *tenant_of(struct quota *quota, const struct uuid *id)
{
    uint64_t value = 0;
    pthread_mutex_lock(&quota->lock);
    (void)map_get(quota->tenants, uuid_view(id), &value);
    struct quota_tenant *tenant = (struct quota_tenant *)(uintptr_t)value;
    if (tenant == NULL) {
        tenant = tenant_new(quota, id);
    }
    pthread_mutex_unlock(&quota->lock);
    return tenant;
}

/* ---- days ---- */

static struct quota_day *newest_day(const struct quota_tenant *tenant)
{
    return list_empty(&tenant->days) ? NULL : LIST_ENTRY(tenant->days.prev, struct quota_day, link);
}

/* Yesterday goes when its last use ends. */
static void drop_if_over(struct quota_tenant *tenant, struct quota_day *day)
{
    if (day->uses == 0 && day != newest_day(tenant)) {
        list_remove(&day->link);
        free(day);
    }
}

/* The day of now; a clock that goes back stays in the newest. NULL: no memory. */
static struct quota_day *day_of(struct quota_tenant *tenant, int64_t now_ms)
{
    struct quota_day *newest = newest_day(tenant);
    int64_t number = now_ms / DAY_MS;
    if (newest != NULL && number <= newest->number) {
        return newest;
    }
    struct quota_day *day = calloc(1, sizeof *day);
    if (day == NULL) {
        return NULL;
    }
    day->number = number;
    day->loaded = newest != NULL;      /* Q4 */
    assert(tenant->days.prev != NULL); /* a list from its making on */
    list_append(&tenant->days, &day->link);
    if (newest != NULL) {
        drop_if_over(tenant, newest);
    }
    return day;
}

struct loading {
    const struct quota_tenant *tenant;
    struct quota_day *day;
    struct uuid last;
    size_t rows;
};

static bool is_under_way(const struct quota_tenant *tenant, const struct uuid *import)
{
    for (struct list *link = tenant->uses.next; link != &tenant->uses; link = link->next) {
        if (uuid_equal(&LIST_ENTRY(link, struct quota_use, link)->import, import)) {
            return true;
        }
    }
    return false;
}

/* 1: the rows of the day are through. */
static int load_row(void *context, const struct store_import *row)
{
    struct loading *loading = context;
    if (row->started_ms < loading->day->number * DAY_MS) {
        return 1;
    }
    loading->rows++;
    loading->last = row->id;
    bool kept = row->state == IMPORT_COMMITTED || row->state == IMPORT_UNDONE;
    if (kept && !is_under_way(loading->tenant, &row->id)) { /* Q3 */
        loading->day->used[0] += row->received;
        loading->day->used[1] += row->bytes;
    }
    return 0;
}

static int load(struct quota_tenant *tenant, struct quota_day *day)
{
    struct loading loading = {.tenant = tenant, .day = day};
    int err;
    day->used[0] = 0;
    day->used[1] = 0;
    do {
        loading.rows = 0;
        err = store_import_list(tenant->store, &tenant->id, &loading.last, PAGE_ROWS, load_row, &loading);
    } while (err == 0 && loading.rows == PAGE_ROWS);
    day->loaded = err >= 0;
    return err < 0 ? err : 0;
}

/* ---- uses ---- */

static const enum auth_limit REQUEST_LIMITS[2] = {AUTH_REQUEST_ITEMS, AUTH_REQUEST_BYTES};
static const enum auth_limit DAY_LIMITS[2] = {AUTH_DAY_ITEMS, AUTH_DAY_BYTES};
static const int TOO_MANY[2] = {ERR_TOO_MANY_ITEMS, ERR_TOO_LARGE};

static bool is_beyond(uint64_t limit, uint64_t amount)
{
    return limit != 0 && amount > limit;
}

/* Whether an import may have taken `wanted` in all; `has` is what it has taken. The lock is held. */
static int check(struct quota_use *use, const uint64_t has[2], const uint64_t wanted[2], int64_t now_ms)
{
    const struct quota_day *day = use->day;
    for (size_t i = 0; i < 2; i++) {
        uint64_t daily = use->limits.at[DAY_LIMITS[i]];
        if (is_beyond(use->limits.at[REQUEST_LIMITS[i]], wanted[i]) || is_beyond(daily, wanted[i])) {
            return TOO_MANY[i]; /* not tomorrow either */
        }
        if (is_beyond(daily, day->used[i] + day->taken[i] - has[i] + wanted[i])) {
            int64_t left_ms = (day->number + 1) * DAY_MS - now_ms;
            bool alone = is_beyond(daily, day->used[i] + wanted[i]);
            use->retry_after_s = alone && left_ms > 0 ? (unsigned)((left_ms + 999) / 1000) : RETRY_SOON_S;
            return ERR_QUOTA;
        }
    }
    return 0;
}

static bool has_daily(const struct auth_limits *limits)
{
    return limits->at[AUTH_DAY_ITEMS] != 0 || limits->at[AUTH_DAY_BYTES] != 0;
}

/* Lock held. */
static int begin(struct quota_tenant *tenant, struct quota_use *use, uint64_t body_bytes, int64_t now_ms)
{
    static const uint64_t nothing[2];
    uint64_t least[2] = {1, body_bytes > 0 ? body_bytes : 1}; /* an empty body is refused on a day that is used up */
    use->day = day_of(tenant, now_ms);
    if (use->day == NULL) {
        return ERR_NO_MEMORY;
    }
    int err = !use->day->loaded && has_daily(&use->limits) ? load(tenant, use->day) : 0;
    if (err == 0) {
        err = check(use, nothing, least, now_ms);
    }
    if (err == 0) {
        use->day->uses++;
        list_append(&tenant->uses, &use->link);
    }
    return err;
}

int quota_begin(struct quota *quota, const struct auth_tenant *tenant, const struct uuid *import, uint64_t body_bytes,
                int64_t now_ms, struct quota_use *use)
{
    *use = (struct quota_use){.import = *import};
    list_init(&use->link);
    auth_tenant_limits(quota->auth, tenant, &use->limits);
    struct quota_tenant *found = tenant_of(quota, &tenant->id);
    if (found == NULL) {
        return ERR_NO_MEMORY;
    }
    pthread_mutex_lock(&found->lock);
    int err = begin(found, use, body_bytes, now_ms);
    pthread_mutex_unlock(&found->lock);
    use->tenant = err == 0 ? found : NULL;
    return err;
}

int quota_reach(struct quota_use *use, uint64_t items, uint64_t bytes, int64_t now_ms)
{
    const uint64_t has[2] = {use->items, use->bytes};
    const uint64_t wanted[2] = {items, bytes};
    pthread_mutex_lock(&use->tenant->lock);
    int err = check(use, has, wanted, now_ms);
    if (err == 0) {
        use->day->taken[0] += items - use->items;
        use->day->taken[1] += bytes - use->bytes;
        use->items = items;
        use->bytes = bytes;
    }
    pthread_mutex_unlock(&use->tenant->lock);
    return err;
}

void quota_end(struct quota_use *use, bool kept)
{
    struct quota_tenant *tenant = use->tenant;
    if (tenant == NULL) {
        return;
    }
    struct quota_day *day = use->day;
    pthread_mutex_lock(&tenant->lock);
    day->taken[0] -= use->items;
    day->taken[1] -= use->bytes;
    if (kept) {
        day->used[0] += use->items;
        day->used[1] += use->bytes;
    }
    list_remove(&use->link);
    day->uses--;
    drop_if_over(tenant, day);
    pthread_mutex_unlock(&tenant->lock);
    use->tenant = NULL;
}
