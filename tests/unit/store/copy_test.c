/*
 * Copying a store: between two in memory, where it can break off at every row and the world can move under it, and
 * between folders, with everything that may be mistyped.
 */
#include "../test.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/copy_priv.h"
#include "store/local_priv.h"

struct row {
    enum store_family family;
    const char *key;
    const char *value;
};

/* An empty value, one with the other's bytes, keys that are prefixes of others, and families without rows between. */
static const struct row rows[] = {
    {STORE_FAMILY_BODY, "a", "record"},      {STORE_FAMILY_BODY, "ab", "record"},   {STORE_FAMILY_BODY, "b", ""},
    {STORE_FAMILY_BODY, "\377\377", "last"}, {STORE_FAMILY_UNIQUE, "k", "holder"},  {STORE_FAMILY_PLAIN, "p", ""},
    {STORE_FAMILY_PLAIN, "q", ""},           {STORE_FAMILY_SECRET, "s", "sealed"},  {STORE_FAMILY_OUTCOME, "o", "kept"},
    {STORE_FAMILY_META, "tenant/demo", "t"}, {STORE_FAMILY_REQUEST, "r", "claim"},  {STORE_FAMILY_FAULT, "f", "fault"},
    {STORE_FAMILY_CHANGE, "c", "import"},    {STORE_FAMILY_REVISION, "v", "again"},
};

static void write_row(struct store_kv *kv, const struct row *row)
{
    struct store_kv_batch *batch = store_kv_batch_new(kv);
    store_kv_put(kv, batch, row->family, slice_from_text(row->key), slice_from_text(row->value));
    assert_int_equal(store_kv_write(kv, batch, true), 0);
    store_kv_batch_free(kv, &batch);
}

static void erase_row(struct store_kv *kv, const struct row *row)
{
    struct store_kv_batch *batch = store_kv_batch_new(kv);
    store_kv_erase(kv, batch, row->family, slice_from_text(row->key));
    assert_int_equal(store_kv_write(kv, batch, true), 0);
    store_kv_batch_free(kv, &batch);
}

static void write_all(struct store_kv *kv)
{
    struct store_kv_batch *batch = store_kv_batch_new(kv);
    store_format_put(kv, batch);
    assert_int_equal(store_kv_write(kv, batch, true), 0);
    store_kv_batch_free(kv, &batch);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        write_row(kv, &rows[i]);
    }
}

/* The target has these rows and no more. */
static void expect_all(struct store_kv *kv)
{
    size_t found = 0;
    for (enum store_family family = STORE_FAMILY_FORMAT + 1; family < STORE_FAMILY_COUNT; family++) {
        struct store_copy_walk walk = {0};
        struct slice key, value;
        assert_int_equal(store_copy_walk_open(&walk, kv, family), 0);
        for (; store_kv_walk_at(kv, walk.walk, &key, &value); store_kv_walk_step(kv, walk.walk)) {
            assert_true(found < COUNT_OF(rows));
            bool has = false;
            for (size_t i = 0; i < COUNT_OF(rows); i++) {
                has = has || (rows[i].family == family && slice_equal_text(key, rows[i].key) &&
                              slice_equal_text(value, rows[i].value));
            }
            assert_true(has);
            found++;
        }
        assert_int_equal(store_copy_walk_close(&walk), 0);
    }
    assert_int_equal(found, COUNT_OF(rows));
}

static bool is_marked(struct store_kv *kv)
{
    bool is = false;
    assert_int_equal(store_format_is_copy(kv, &is), 0);
    return is;
}

static bool says(struct buf *why, const char *text)
{
    return why->size > 0 && memmem(why->data, why->size, text, strlen(text)) != NULL;
}

/* ---- between two in memory ---- */

struct world {
    struct store_kv *from;
    struct store_kv *to;
    struct store_copy_options options;
    struct store_copy_result result;
    struct buf why;
    size_t told;
    size_t stop_at;         /* breaks off when it is told for this time; 0: never */
    const struct row *move; /* written to `moved` when it is told of the family `when` */
    struct store_kv *moved;
    const char *when;
};

static int on_tell(void *context, const struct store_copy_progress *progress)
{
    struct world *world = context;
    assert_non_null(progress->family);
    if (world->move != NULL && strcmp(progress->family, world->when) == 0) {
        write_row(world->moved, world->move);
        world->move = NULL;
    }
    return ++world->told == world->stop_at ? ERR_STOPPING : 0;
}

static void world_init(struct world *world)
{
    *world = (struct world){0};
    assert_int_equal(store_kv_memory_open(&world->from), 0);
    assert_int_equal(store_kv_memory_open(&world->to), 0);
    write_all(world->from);
    world->options = (struct store_copy_options){.batch_rows = 1, .tell = on_tell, .context = world};
    buf_init(&world->why, 0);
}

static void world_fini(struct world *world)
{
    store_kv_close(&world->from);
    store_kv_close(&world->to);
    buf_fini(&world->why);
}

static int run(struct world *world)
{
    struct store_copy copy = {.options = &world->options, .from = world->from, .to = world->to};
    world->result = (struct store_copy_result){0};
    world->told = 0;
    buf_clear(&world->why);
    return store_copy_run(&copy, &world->result, &world->why);
}

static void copies(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    assert_int_equal(run(&world), 0);
    assert_true(world.result.same);
    assert_false(world.result.again);
    assert_int_equal(world.result.written, COUNT_OF(rows));
    assert_int_equal(world.result.count, STORE_FAMILY_COUNT - 1);
    assert_string_equal(world.result.families[0].name, "body");
    assert_int_equal(world.result.families[0].to.rows, 4);
    assert_int_equal(world.result.families[0].to.bytes, 6 + 16);
    expect_all(world.to);
    assert_false(is_marked(world.to));
    assert_int_equal(store_format_check(world.to, &world.why), 0);
    assert_int_equal(run(&world), ERR_EXISTS); /* it is a store in use now, were it the very same rows */
    world_fini(&world);
}

/* Wherever it breaks off, the target is marked, and the next run writes the rest and no more. */
static void breaks_off_anywhere(void **state)
{
    (void)state;
    for (size_t batch = 1; batch <= 3; batch++) {
        bool broke = true;
        for (size_t stop_at = 1; broke; stop_at++) {
            struct world world;
            world_init(&world);
            world.options.batch_rows = batch;
            world.stop_at = stop_at;
            int err = run(&world);
            broke = err != 0;
            uint64_t written = world.result.written;
            if (broke) {
                assert_int_equal(err, ERR_STOPPING);
                assert_true(is_marked(world.to));
                assert_true(written > 0);
                world.stop_at = 0;
                assert_int_equal(run(&world), 0);
                assert_true(world.result.again);
                assert_int_equal(world.result.written, COUNT_OF(rows) - written);
            }
            expect_all(world.to);
            assert_false(is_marked(world.to));
            assert_true(!broke || stop_at <= COUNT_OF(rows));
            world_fini(&world);
        }
    }
}

static void target_in_use(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct world world;
        world_init(&world);
        struct row other = {rows[i].family, "other", "registry"};
        write_row(world.to, &other);
        assert_int_equal(run(&world), ERR_EXISTS);
        assert_true(says(&world.why, store_family_names[other.family]));
        assert_false(is_marked(world.to));
        erase_row(world.to, &other);
        assert_int_equal(run(&world), 0); /* nothing else was written */
        assert_int_equal(world.result.written, COUNT_OF(rows));
        world_fini(&world);
    }
}

/* Whatever a broken-off copy has become, or the source since: the target is made the source. */
static void heals(void **state)
{
    (void)state;
    static const struct row more[] = {{STORE_FAMILY_BODY, "", "first"},     {STORE_FAMILY_BODY, "aa", "between"},
                                      {STORE_FAMILY_BODY, "ab", "changed"}, {STORE_FAMILY_BODY, "\377\377\377", "end"},
                                      {STORE_FAMILY_IMPORT, "i", "alone"},  {STORE_FAMILY_RUN, "z", "last family"}};
    struct world world;
    world_init(&world);
    world.stop_at = COUNT_OF(rows);
    assert_int_equal(run(&world), ERR_STOPPING);
    for (size_t i = 0; i < COUNT_OF(more); i++) {
        write_row(world.to, &more[i]);
    }
    erase_row(world.to, &rows[0]);
    world.stop_at = 0;
    assert_int_equal(run(&world), 0);
    assert_int_equal(world.result.written, COUNT_OF(more) + 1);
    expect_all(world.to);
    world_fini(&world);
}

/* A row that comes to either side when its family is through: the two differ, and the target stays marked. */
static void moves_meanwhile(void **state)
{
    (void)state;
    static const struct row late[] = {{STORE_FAMILY_BODY, "late", "x"}, {STORE_FAMILY_BODY, "a", "recorD"}};
    for (size_t i = 0; i < 2 * COUNT_OF(late); i++) {
        struct world world;
        world_init(&world);
        world.move = &late[i / 2];
        world.moved = i % 2 == 0 ? world.from : world.to;
        world.when = "meta";
        assert_int_equal(run(&world), ERR_IMPORT_CHANGED);
        assert_false(world.result.same);
        assert_true(says(&world.why, "differ"));
        assert_true(is_marked(world.to));
        assert_int_not_equal(memcmp(world.result.families[0].from.digest, world.result.families[0].to.digest, 16), 0);
        assert_memory_equal(world.result.families[1].from.digest, world.result.families[1].to.digest, 16);
        assert_int_equal(run(&world), 0);
        assert_true(world.result.same);
        world_fini(&world);
    }
}

static void digest_of(const char *key, const char *value, uint8_t digest[16])
{
    struct world world;
    struct store_copy_count count;
    world_init(&world);
    struct store_copy copy = {.options = &world.options};
    struct row row = {STORE_FAMILY_IMPORT, key, value};
    write_row(world.from, &row);
    assert_int_equal(store_copy_count(&copy, world.from, STORE_FAMILY_IMPORT, &count), 0);
    assert_int_equal(count.rows, 1);
    memcpy(digest, count.digest, sizeof count.digest);
    world_fini(&world);
}

/* The bytes alone don't make it: where a key ends does, too. */
static void digests(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        const char *value;
    } pairs[] = {{"key", "value"}, {"keyv", "alue"}, {"keyvalue", ""}, {"key", "valuf"}, {"key", "valu"}};
    uint8_t seen[COUNT_OF(pairs)][16];
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        digest_of(pairs[i].key, pairs[i].value, seen[i]);
        for (size_t j = 0; j < i; j++) {
            assert_int_not_equal(memcmp(seen[i], seen[j], sizeof seen[i]), 0);
        }
    }
}

/* ---- between folders ---- */

static char scratch[64];

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info;
    (void)kind;
    (void)at;
    return remove(path);
}

static int make_scratch(void **state)
{
    (void)state;
    snprintf(scratch, sizeof scratch, "/tmp/muster-copy-XXXXXX");
    return mkdtemp(scratch) == NULL ? -1 : 0;
}

static int remove_scratch(void **state)
{
    (void)state;
    return nftw(scratch, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static const char *in(const char *name)
{
    static char paths[2][128];
    static size_t next;
    char *path = paths[next++ % 2];
    snprintf(path, sizeof paths[0], "%s/%s", scratch, name);
    return path;
}

static void make_source(const char *name)
{
    struct store_kv *kv = NULL;
    struct buf why;
    buf_init(&why, 0);
    assert_int_equal(store_kv_rocks_open(in(name), NULL, &kv, &why), 0);
    write_all(kv);
    store_kv_close(&kv);
    buf_fini(&why);
}

static void expect_target(const char *name)
{
    struct store *store = NULL;
    struct buf why;
    buf_init(&why, 0);
    assert_int_equal(store_open_rocks(in(name), NULL, &store, &why), 0);
    expect_all(store_local_of(store)->kv);
    store_close(&store);
    buf_fini(&why);
}

static void folders(void **state)
{
    (void)state;
    struct world world = {0};
    struct store *store = NULL;
    struct buf why;
    buf_init(&why, 0);
    world.options = (struct store_copy_options){.batch_rows = 5, .tell = on_tell, .context = &world};
    make_source("source");
    world.stop_at = 2;
    assert_int_equal(store_copy(in("source"), in("target"), &world.options, &world.result, &why), ERR_STOPPING);
    buf_clear(&why);
    assert_int_equal(store_open_rocks(in("target"), NULL, &store, &why), ERR_CONFIG);
    assert_true(says(&why, "not whole yet"));
    assert_int_equal(store_copy(in("target"), in("third"), &world.options, &world.result, &why), ERR_CONFIG);
    world.stop_at = 0;
    buf_clear(&why);
    assert_int_equal(store_copy(in("source"), in("target"), &world.options, &world.result, &why), 0);
    assert_true(world.result.again);
    expect_target("target");
    expect_target("source");
    buf_fini(&why);
}

static void source_in_use(void **state)
{
    (void)state;
    struct store_copy_options options = {0};
    struct store_copy_result result;
    struct store *store = NULL;
    struct buf why;
    buf_init(&why, 0);
    make_source("source");
    assert_int_equal(store_open_rocks(in("source"), NULL, &store, &why), 0);
    assert_int_equal(store_copy(in("source"), in("target"), &options, &result, &why), ERR_STORAGE_IO);
    assert_true(says(&why, "lock"));
    assert_int_not_equal(access(in("target"), F_OK), 0);
    store_close(&store);
    buf_clear(&why);
    assert_int_equal(store_copy(in("source"), in("source"), &options, &result, &why), ERR_STORAGE_IO);
    buf_fini(&why);
}

static void mistyped(void **state)
{
    (void)state;
    static const struct {
        const char *from;
        const char *to;
        const char *word;
    } wrong[] = {
        {"nothing", "new", "holds no store"},
        {"data", "new", "did you mean"},
        {"data/keys", "new", "holds no store"},
        {"data/store", "data", "neither a store nor an empty folder"},
        {"data/store", "data/keys", "neither a store nor an empty folder"},
    };
    struct store_copy_options options = {0};
    struct store_copy_result result;
    assert_int_equal(mkdir(in("data"), 0700), 0);
    assert_int_equal(mkdir(in("data/keys"), 0700), 0);
    fclose(fopen(in("data/keys/root.key"), "we"));
    make_source("data/store");
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct buf why;
        buf_init(&why, 0);
        assert_int_equal(store_copy(in(wrong[i].from), in(wrong[i].to), &options, &result, &why), ERR_NOT_FOUND);
        assert_true(says(&why, wrong[i].word));
        assert_int_not_equal(access(in("new"), F_OK), 0);
        assert_int_not_equal(access(in("nothing"), F_OK), 0);
        buf_fini(&why);
    }
}

/* A target that was killed while RocksDB made it: only what it leaves then is taken for nothing. */
static void half_made_target(void **state)
{
    (void)state;
    static const struct {
        const char *left;
        int error;
    } left[] = {
        {"t/000004.log", ERR_NOT_FOUND}, {"t/acknowledged", 0},         {"t/000001.dbtmp", 0},     {"t/LOG.old.1", 0},
        {"t/log", ERR_NOT_FOUND},        {"t/root.key", ERR_NOT_FOUND}, {"t/x.sst", ERR_NOT_FOUND}};
    struct store_copy_options options = {0};
    struct store_copy_result result;
    make_source("source");
    for (size_t i = 0; i < COUNT_OF(left); i++) {
        struct buf why;
        buf_init(&why, 0);
        assert_int_equal(mkdir(in("t"), 0700), 0);
        fclose(fopen(in(left[i].left), "we"));
        assert_int_equal(store_copy(in("source"), in("t"), &options, &result, &why), left[i].error);
        if (left[i].error == 0) {
            expect_target("t");
        }
        assert_int_equal(nftw(in("t"), remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
        buf_fini(&why);
    }
}

static void another_version(void **state)
{
    (void)state;
    static const struct row newer = {STORE_FAMILY_FORMAT, "format", "\377\377\377\377"};
    struct world world;
    world_init(&world);
    write_row(world.to, &newer);
    assert_int_equal(run(&world), ERR_CORRUPT);
    assert_true(says(&world.why, "version 255"));
    assert_false(is_marked(world.to));
    world_fini(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies),
        cmocka_unit_test(breaks_off_anywhere),
        cmocka_unit_test(target_in_use),
        cmocka_unit_test(heals),
        cmocka_unit_test(moves_meanwhile),
        cmocka_unit_test(digests),
        cmocka_unit_test_setup_teardown(folders, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(source_in_use, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(mistyped, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(half_made_target, make_scratch, remove_scratch),
        cmocka_unit_test(another_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
