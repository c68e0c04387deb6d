/*
 * What a family holds, in three numbers. The digest is a chain: each row's lengths, key and value are digested together
 * with the digest so far, so it tells a changed, missing, doubled or moved byte wherever it is. It proves that two
 * stores have the same rows, not who wrote them: the rows are sealed for that.
 */
#include <assert.h>

#include "crypto/digest.h"
#include "store/copy_priv.h"

#define TELL_ROWS 10000u

static_assert(sizeof((struct store_copy_count){0}.digest) <= 64, "a part of a digest of 64 bytes");

struct chain {
    uint8_t digest[64];
    struct buf row;
};

static void add(struct chain *chain, struct slice key, struct slice value)
{
    buf_clear(&chain->row);
    buf_append(&chain->row, chain->digest, sizeof chain->digest);
    buf_append_u64(&chain->row, key.size);
    buf_append_u64(&chain->row, value.size);
    buf_append_slice(&chain->row, key);
    buf_append_slice(&chain->row, value);
    crypto_digest_blake2b_512(buf_view(&chain->row), chain->digest);
}

static int count_all(struct store_copy *copy, struct store_copy_walk *walk, struct chain *chain,
                     struct store_copy_count *count)
{
    struct slice key, value;
    int err = 0;
    while (err == 0 && store_kv_walk_at(walk->kv, walk->walk, &key, &value)) {
        add(chain, key, value);
        count->rows++;
        count->bytes += key.size + value.size;
        copy->progress.rows = count->rows;
        err = buf_error(&chain->row);
        if (err == 0 && count->rows % TELL_ROWS == 0) {
            err = store_copy_tell(copy);
        }
        store_kv_walk_step(walk->kv, walk->walk);
    }
    return err;
}

int store_copy_count(struct store_copy *copy, struct store_kv *kv, enum store_family family,
                     struct store_copy_count *count)
{
    struct store_copy_walk walk = {0};
    struct chain chain = {0};
    *count = (struct store_copy_count){0};
    copy->progress = (struct store_copy_progress){.family = store_family_names[family], .comparing = true};
    buf_init(&chain.row, 0);
    int err = store_copy_walk_open(&walk, kv, family);
    err = err == 0 ? count_all(copy, &walk, &chain, count) : err;
    int broken = store_copy_walk_close(&walk);
    buf_fini(&chain.row);
    memcpy(count->digest, chain.digest, sizeof count->digest);
    return err == 0 ? broken : err;
}
