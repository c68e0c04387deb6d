/*
 * The rows that say what a store is: the version of its layout, and whether it is a copy that is not whole yet. Both
 * are looked at before anything else is read, so that no program works on rows that it would misread, and none serves
 * from half a registry.
 */
#include "store/format_priv.h"

static const struct slice version_key = {"format", 6};
static const struct slice copy_key = {"copy", 4};

const char *const store_family_names[STORE_FAMILY_COUNT] = {
    [STORE_FAMILY_FORMAT] = "default",    [STORE_FAMILY_BODY] = "body",       [STORE_FAMILY_UNIQUE] = "unique",
    [STORE_FAMILY_PLAIN] = "plain",       [STORE_FAMILY_SECRET] = "secret",   [STORE_FAMILY_PENDING] = "pending",
    [STORE_FAMILY_IMPORT] = "import",     [STORE_FAMILY_OUTCOME] = "outcome", [STORE_FAMILY_UNFINISHED] = "unfinished",
    [STORE_FAMILY_META] = "meta",         [STORE_FAMILY_REQUEST] = "request", [STORE_FAMILY_FAULT] = "fault",
    [STORE_FAMILY_REVISION] = "revision", [STORE_FAMILY_CHANGE] = "change",   [STORE_FAMILY_RUN] = "run",
};

void store_format_put(struct store_kv *kv, struct store_kv_batch *batch)
{
    const uint8_t version[4] = {STORE_FORMAT_VERSION, 0, 0, 0};
    store_kv_put(kv, batch, STORE_FAMILY_FORMAT, version_key, slice_make(version, sizeof version));
}

static int check_version(struct slice found, struct buf *why)
{
    const uint8_t version[4] = {STORE_FORMAT_VERSION, 0, 0, 0};
    if (slice_equal(found, slice_make(version, sizeof version))) {
        return 0;
    }
    buf_printf(why, "the store was written in format version %u, and this program reads version %u only",
               found.size == 4 ? (unsigned)(uint8_t)found.data[0] : 0, STORE_FORMAT_VERSION);
    return ERR_CORRUPT;
}

int store_format_check(struct store_kv *kv, struct buf *why)
{
    struct buf found;
    buf_init(&found, 0);
    int err = store_kv_get(kv, NULL, STORE_FAMILY_FORMAT, version_key, &found);
    err = err == 0 ? check_version(buf_view(&found), why) : err;
    buf_fini(&found);
    return err;
}

int store_format_is_copy(struct store_kv *kv, bool *is)
{
    struct buf found;
    buf_init(&found, 0);
    int err = store_kv_get(kv, NULL, STORE_FAMILY_FORMAT, copy_key, &found);
    buf_fini(&found);
    *is = err == 0;
    return err == ERR_NOT_FOUND ? 0 : err;
}

int store_format_refuse_copy(struct store_kv *kv, struct buf *why)
{
    bool is = false;
    int err = store_format_is_copy(kv, &is);
    if (err == 0 && is) {
        buf_append_text(why, "the store is a copy that is not whole yet: run `muster store copy` again to its end");
        err = ERR_CONFIG;
    }
    return err;
}

void store_format_put_copy(struct store_kv *kv, struct store_kv_batch *batch)
{
    const uint8_t version = 1;
    store_kv_put(kv, batch, STORE_FAMILY_FORMAT, copy_key, slice_make(&version, sizeof version));
}

void store_format_erase_copy(struct store_kv *kv, struct store_kv_batch *batch)
{
    store_kv_erase(kv, batch, STORE_FAMILY_FORMAT, copy_key);
}
