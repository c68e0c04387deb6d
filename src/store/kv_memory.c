/*
 * The key-value interface in memory, for tests: a skip list per family, rows as chains of versions.
 * A write gives its versions the next sequence number and then moves the number on, so a view is no
 * more than the number it was opened at.
 *
 * The difficulty: what a view may still look at must stay. Nodes are never taken out (an erased row
 * is a version that says so), so a walk may stand on one without a lock; old versions are freed only
 * by a write that finds no view open.
 */
#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/kv_priv.h"

#define MAX_HEIGHT 16

struct version {
    uint64_t sequence;
    struct version *older;
    bool erased;
    size_t size;
    char data[];
};

struct node {
    struct version *newest;
    size_t key_size;
    const char *key; /* behind the links */
    struct node *next[];
};

struct change {
    enum store_family family;
    struct node *node;
    struct version *version;
    size_t key_size;
    char *key;
};

struct memory {
    struct store_kv kv;
    pthread_mutex_t lock;
    uint64_t sequence;
    size_t views;
    uint64_t random;
    struct node *heads[STORE_FAMILY_COUNT];
};

struct store_kv_view {
    uint64_t sequence;
};

struct store_kv_walk {
    struct memory *memory;
    enum store_family family;
    uint64_t sequence;
    bool backward;
    struct node *at;
    size_t prefix_size;
    char prefix[STORE_PREFIX_MAX];
};

struct store_kv_batch {
    struct change *changes;
    size_t count;
    size_t room;
    int error;
};

static struct memory *memory_of(struct store_kv *kv)
{
    return (struct memory *)(void *)kv;
}

/* ---- the skip list; the lock is held ---- */

static struct slice key_of(const struct node *node)
{
    return slice_make(node->key, node->key_size);
}

static struct node *node_new(struct slice key, size_t height)
{
    size_t links = height * sizeof(struct node *);
    struct node *node = calloc(1, sizeof *node + links + key.size);
    if (node != NULL) {
        char *bytes = (char *)(node->next + height);
        if (key.size > 0) {
            memcpy(bytes, key.data, key.size);
        }
        node->key = bytes;
        node->key_size = key.size;
    }
    return node;
}

/* The last node below `key` (the head when there is none); before[] are those to link from. */
static struct node *below(struct node *head, struct slice key, struct node *before[MAX_HEIGHT])
{
    struct node *at = head;
    for (size_t level = MAX_HEIGHT; level > 0; level--) {
        struct node *next = at->next[level - 1];
        while (next != NULL && slice_compare(key_of(next), key) < 0) {
            at = next;
            next = at->next[level - 1];
        }
        if (before != NULL) {
            before[level - 1] = at;
        }
    }
    return at;
}

static size_t random_height(struct memory *memory)
{
    memory->random = memory->random * 6364136223846793005u + 1442695040888963407u;
    uint64_t bits = memory->random >> 33;
    size_t height = 1;
    while (height < MAX_HEIGHT && (bits & 3) == 0) {
        height++;
        bits >>= 2;
    }
    return height;
}

static struct node *find_or_add(struct memory *memory, enum store_family family, struct slice key)
{
    struct node *before[MAX_HEIGHT];
    struct node *node = below(memory->heads[family], key, before)->next[0];
    if (node != NULL && slice_equal(key_of(node), key)) {
        return node;
    }
    size_t height = random_height(memory);
    node = node_new(key, height);
    for (size_t level = 0; node != NULL && level < height; level++) {
        node->next[level] = before[level]->next[level];
        before[level]->next[level] = node;
    }
    return node;
}

static void free_older(struct version *version)
{
    struct version *older = version->older;
    version->older = NULL;
    while (older != NULL) {
        struct version *next = older->older;
        free(older);
        older = next;
    }
}

/* What the row was at `sequence`; NULL when it was not there. */
static const struct version *version_at(const struct node *node, uint64_t sequence)
{
    const struct version *version = node->newest;
    while (version != NULL && version->sequence > sequence) {
        version = version->older;
    }
    return version != NULL && !version->erased ? version : NULL;
}

/* ---- views and single rows ---- */

static struct store_kv_view *memory_view_open(struct store_kv *kv)
{
    struct memory *memory = memory_of(kv);
    struct store_kv_view *view = calloc(1, sizeof *view);
    if (view != NULL) {
        pthread_mutex_lock(&memory->lock);
        view->sequence = memory->sequence;
        memory->views++;
        pthread_mutex_unlock(&memory->lock);
    }
    return view;
}

static void memory_view_close(struct store_kv *kv, struct store_kv_view *view)
{
    struct memory *memory = memory_of(kv);
    pthread_mutex_lock(&memory->lock);
    memory->views--;
    pthread_mutex_unlock(&memory->lock);
    free(view);
}

static int memory_get(struct store_kv *kv, struct store_kv_view *view, enum store_family family, struct slice key,
                      struct buf *value)
{
    struct memory *memory = memory_of(kv);
    int err = ERR_NOT_FOUND;
    pthread_mutex_lock(&memory->lock);
    uint64_t sequence = view == NULL ? memory->sequence : view->sequence;
    const struct node *node = below(memory->heads[family], key, NULL)->next[0];
    if (node != NULL && slice_equal(key_of(node), key)) {
        const struct version *version = version_at(node, sequence);
        if (version != NULL) {
            buf_append(value, version->data, version->size);
            err = buf_error(value);
        }
    }
    pthread_mutex_unlock(&memory->lock);
    return err;
}

static int memory_get_many(struct store_kv *kv, struct store_kv_view *view, enum store_family family,
                           const struct slice *keys, size_t count, store_kv_found_fn *found, void *context)
{
    struct buf value;
    buf_init(&value, 0);
    int err = 0;
    for (size_t i = 0; i < count && err == 0; i++) {
        buf_clear(&value);
        err = memory_get(kv, view, family, keys[i], &value);
        err = err == 0 ? found(context, i, buf_view(&value)) : err == ERR_NOT_FOUND ? 0 : err;
    }
    buf_fini(&value);
    return err;
}

/* ---- walks ---- */

static struct store_kv_walk *memory_walk_open(struct store_kv *kv, struct store_kv_view *view, enum store_family family,
                                              struct slice prefix)
{
    struct store_kv_walk *walk = calloc(1, sizeof *walk);
    assert(prefix.size <= STORE_PREFIX_MAX);
    if (walk == NULL) {
        return NULL;
    }
    walk->memory = memory_of(kv);
    walk->family = family;
    walk->sequence = view->sequence;
    walk->prefix_size = prefix.size;
    if (prefix.size > 0) {
        memcpy(walk->prefix, prefix.data, prefix.size);
    }
    return walk;
}

static struct slice prefix_of(const struct store_kv_walk *walk)
{
    return slice_make(walk->prefix, walk->prefix_size);
}

/* Moves on from `at` to a row that the view has and that may still have the prefix. */
static void settle(struct store_kv_walk *walk)
{
    struct node *head = walk->memory->heads[walk->family];
    while (walk->at != NULL && version_at(walk->at, walk->sequence) == NULL) {
        walk->at = walk->backward ? below(head, key_of(walk->at), NULL) : walk->at->next[0];
        walk->at = walk->at == head ? NULL : walk->at;
    }
}

static void memory_walk_seek(struct store_kv_walk *walk, struct slice key, bool backward)
{
    struct node *head = walk->memory->heads[walk->family];
    walk->backward = backward;
    pthread_mutex_lock(&walk->memory->lock);
    if (!backward) {
        struct slice from = slice_compare(key, prefix_of(walk)) < 0 ? prefix_of(walk) : key;
        walk->at = below(head, from, NULL)->next[0];
    } else {
        walk->at = below(head, key, NULL);
        walk->at = walk->at == head ? NULL : walk->at;
    }
    settle(walk);
    pthread_mutex_unlock(&walk->memory->lock);
}

static void memory_walk_step(struct store_kv_walk *walk)
{
    struct node *head = walk->memory->heads[walk->family];
    pthread_mutex_lock(&walk->memory->lock);
    walk->at = walk->backward ? below(head, key_of(walk->at), NULL) : walk->at->next[0];
    walk->at = walk->at == head ? NULL : walk->at;
    settle(walk);
    pthread_mutex_unlock(&walk->memory->lock);
}

static bool memory_walk_at(struct store_kv_walk *walk, struct slice *key, struct slice *value)
{
    if (walk->at == NULL || !slice_starts(key_of(walk->at), prefix_of(walk))) {
        return false;
    }
    pthread_mutex_lock(&walk->memory->lock);
    const struct version *version = version_at(walk->at, walk->sequence);
    pthread_mutex_unlock(&walk->memory->lock);
    assert(version != NULL); /* the walk settled on a row that the view has */
    *key = key_of(walk->at);
    *value = slice_make(version->data, version->size);
    return true;
}

static int memory_walk_close(struct store_kv_walk *walk)
{
    free(walk);
    return 0;
}

/* ---- batches ---- */

static struct store_kv_batch *memory_batch_new(struct store_kv *kv)
{
    (void)kv;
    return calloc(1, sizeof(struct store_kv_batch));
}

static void memory_batch_clear(struct store_kv_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        free(batch->changes[i].key);
        free(batch->changes[i].version);
    }
    batch->count = 0;
    batch->error = 0;
}

static void memory_batch_free(struct store_kv_batch *batch)
{
    memory_batch_clear(batch);
    free(batch->changes);
    free(batch);
}

static struct change *change_add(struct store_kv_batch *batch)
{
    if (batch->count == batch->room) {
        size_t room = batch->room == 0 ? 64 : 2 * batch->room;
        struct change *changes = realloc(batch->changes, room * sizeof *changes);
        if (changes == NULL) {
            return NULL;
        }
        batch->changes = changes;
        batch->room = room;
    }
    struct change *change = &batch->changes[batch->count++];
    *change = (struct change){0};
    return change;
}

static void change_row(struct store_kv_batch *batch, enum store_family family, struct slice key, struct slice value,
                       bool erased)
{
    struct change *change = batch->error == 0 ? change_add(batch) : NULL;
    if (change == NULL) {
        batch->error = ERR_NO_MEMORY;
        return;
    }
    change->family = family;
    change->key = malloc(key.size + 1);
    change->version = calloc(1, sizeof *change->version + value.size);
    if (change->key == NULL || change->version == NULL) {
        batch->error = ERR_NO_MEMORY;
        return;
    }
    memcpy(change->key, key.data, key.size);
    change->key_size = key.size;
    change->version->erased = erased;
    change->version->size = value.size;
    if (value.size > 0) {
        memcpy(change->version->data, value.data, value.size);
    }
}

static void memory_put(struct store_kv_batch *batch, enum store_family family, struct slice key, struct slice value)
{
    change_row(batch, family, key, value, false);
}

static void memory_erase(struct store_kv_batch *batch, enum store_family family, struct slice key)
{
    change_row(batch, family, key, SLICE_NONE, true);
}

/* Nodes first (an empty one is no row), so that nothing can fail once the first version is linked. */
static int add_nodes(struct memory *memory, struct store_kv_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        struct change *change = &batch->changes[i];
        change->node = find_or_add(memory, change->family, slice_make(change->key, change->key_size));
        if (change->node == NULL) {
            return ERR_NO_MEMORY;
        }
    }
    return 0;
}

static void link_versions(struct memory *memory, struct store_kv_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        struct change *change = &batch->changes[i];
        change->version->sequence = memory->sequence + 1;
        change->version->older = change->node->newest;
        change->node->newest = change->version;
        if (memory->views == 0) {
            free_older(change->version);
        }
        change->version = NULL;
    }
    memory->sequence++;
}

static int memory_write(struct store_kv *kv, struct store_kv_batch *batch, bool sync)
{
    (void)sync;
    struct memory *memory = memory_of(kv);
    if (batch->error != 0) {
        return batch->error;
    }
    pthread_mutex_lock(&memory->lock);
    int err = add_nodes(memory, batch);
    if (err == 0) {
        link_versions(memory, batch);
    }
    pthread_mutex_unlock(&memory->lock);
    return err;
}

/* ---- sorted files: batches of one family, written together ---- */

struct store_kv_file {
    enum store_family family;
    struct store_kv_batch batch;
};

static struct store_kv_file *memory_file_new(struct store_kv *kv, enum store_family family)
{
    struct store_kv_file *file = calloc(1, sizeof *file);
    (void)kv;
    if (file != NULL) {
        file->family = family;
    }
    return file;
}

static void memory_file_put(struct store_kv_file *file, struct slice key, struct slice value)
{
    const struct store_kv_batch *batch = &file->batch;
    if (batch->count > 0) {
        const struct change *last = &batch->changes[batch->count - 1];
        assert(slice_compare(slice_make(last->key, last->key_size), key) < 0);
    }
    memory_put(&file->batch, file->family, key, value);
}

static int memory_file_seal(struct store_kv_file *file)
{
    return file->batch.error;
}

static void memory_file_free(struct store_kv_file *file)
{
    memory_batch_clear(&file->batch);
    free(file->batch.changes);
    free(file);
}

static int memory_ingest(struct store_kv *kv, struct store_kv_file *const *files, size_t count)
{
    struct memory *memory = memory_of(kv);
    int err = 0;
    pthread_mutex_lock(&memory->lock);
    for (size_t i = 0; i < count && err == 0; i++) {
        err = add_nodes(memory, &files[i]->batch);
    }
    for (size_t i = 0; i < count && err == 0; i++) {
        link_versions(memory, &files[i]->batch);
    }
    pthread_mutex_unlock(&memory->lock);
    return err;
}

/* ---- opening and closing ---- */

/* Its writes fail for want of memory only, which passes by itself. */
static int memory_resume(struct store_kv *kv)
{
    (void)kv;
    return 0;
}

static void memory_close(struct store_kv *kv)
{
    struct memory *memory = memory_of(kv);
    for (size_t i = 0; i < STORE_FAMILY_COUNT; i++) {
        struct node *node = memory->heads[i];
        while (node != NULL) {
            struct node *next = node->next[0];
            if (node->newest != NULL) {
                free_older(node->newest);
                free(node->newest);
            }
            free(node);
            node = next;
        }
    }
    pthread_mutex_destroy(&memory->lock);
    free(memory);
}

static void memory_describe(struct store_kv *kv, struct store_facts *facts)
{
    (void)kv;
    (void)snprintf(facts->kind, sizeof facts->kind, "memory");
    (void)snprintf(facts->engine, sizeof facts->engine, "memory");
    (void)snprintf(facts->durability, sizeof facts->durability, "none");
}

static const struct store_kv_ops memory_ops = {
    .close = memory_close,
    .describe = memory_describe,
    .view_open = memory_view_open,
    .view_close = memory_view_close,
    .get = memory_get,
    .get_many = memory_get_many,
    .walk_open = memory_walk_open,
    .walk_seek = memory_walk_seek,
    .walk_step = memory_walk_step,
    .walk_at = memory_walk_at,
    .walk_close = memory_walk_close,
    .batch_new = memory_batch_new,
    .batch_free = memory_batch_free,
    .batch_clear = memory_batch_clear,
    .put = memory_put,
    .erase = memory_erase,
    .write = memory_write,
    .file_new = memory_file_new,
    .file_put = memory_file_put,
    .file_seal = memory_file_seal,
    .file_free = memory_file_free,
    .ingest = memory_ingest,
    .resume = memory_resume,
};

int store_kv_memory_open(struct store_kv **kv)
{
    struct memory *memory = calloc(1, sizeof *memory);
    if (memory == NULL) {
        return ERR_NO_MEMORY;
    }
    memory->kv.ops = &memory_ops;
    memory->random = 1;
    pthread_mutex_init(&memory->lock, NULL);
    for (size_t i = 0; i < STORE_FAMILY_COUNT; i++) {
        memory->heads[i] = node_new(SLICE_NONE, MAX_HEIGHT);
        if (memory->heads[i] == NULL) {
            memory_close(&memory->kv);
            return ERR_NO_MEMORY;
        }
    }
    *kv = &memory->kv;
    return 0;
}
