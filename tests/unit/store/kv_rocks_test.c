/*
 * The key-value interface over RocksDB: the shared rows, and what only a store on disk has. What a crash
 * leaves of it is held by tests/crash.
 */
#include "rocks_folder.h"

#include <unistd.h>

/* Synced or not, what was written is there when it is opened again. */
static void rows_outlive_closing(void **state)
{
    (void)state;
    struct store_kv *kv = open_kv();
    kv_write(kv, STORE_FAMILY_BODY, "a=1 b=2", true);
    kv_write(kv, STORE_FAMILY_META, "c=3", false);
    for (int times = 0; times < 3; times++) {
        store_kv_close(&kv);
        assert_int_equal(open_at(folder, &kv), 0);
        kv_expect(kv, STORE_FAMILY_BODY, "a=1 b=2");
        kv_expect(kv, STORE_FAMILY_META, "c=3");
    }
    close_kv(kv);
}

static void one_has_it(void **state)
{
    (void)state;
    struct store_kv *kv = open_kv();
    struct store_kv *other = NULL;
    assert_int_not_equal(open_at(folder, &other), 0);
    assert_null(other);
    kv_write(kv, STORE_FAMILY_META, "a=1", true); /* who has it is not disturbed */
    kv_expect(kv, STORE_FAMILY_META, "a=1");
    close_kv(kv);
}

static void folders(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int err;
    } rows[] = {
        {"/dev/null/store", ERR_STORAGE_IO},
        {"/nowhere/at/all", ERR_STORAGE_IO},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct store_kv *kv = NULL;
        assert_int_equal(open_at(rows[i].path, &kv), rows[i].err);
        assert_null(kv);
    }
    /* one that is made is its owner's alone */
    struct store_kv *kv = open_kv();
    struct store_kv *inner = NULL;
    struct stat info;
    char path[128];
    snprintf(path, sizeof path, "%s/made", folder);
    assert_int_equal(open_at(path, &inner), 0);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    store_kv_close(&inner);
    close_kv(kv);
}

/* Files that were taken in are there after opening; those that a crash left beside the database are gone. */
static void files_outlive_closing(void **state)
{
    (void)state;
    struct store_kv *kv = open_kv();
    struct store_kv_file *file = kv_file(kv, STORE_FAMILY_BODY, "a=1");
    struct store_kv_file *left = kv_file(kv, STORE_FAMILY_BODY, "b=2");
    assert_int_equal(count_files("run-*.sst"), 2);
    assert_int_equal(store_kv_ingest(kv, &file, 1), 0);
    store_kv_file_free(kv, &file);
    assert_int_equal(count_files("run-*.sst"), 1);
    kv_write(kv, STORE_FAMILY_BODY, "c=3", true);
    store_kv_close(&kv); /* `left` is lost as in a crash */
    assert_int_equal(open_at(folder, &kv), 0);
    assert_int_equal(count_files("run-*.sst"), 0);
    kv_expect(kv, STORE_FAMILY_BODY, "a=1 c=3");
    store_kv_file_free(kv, &left);
    close_kv(kv);
}

/* A file that lies where no row is in memory is taken in alone; one that has a row between its first and last is behind
 * a file of those. */
static void flushes_what_overlaps(void **state)
{
    (void)state;
    static const struct {
        const char *in_memory;
        const char *taken_in;
        size_t files;
    } rows[] = {
        {"b=1 f=1", "c=2 e=2", 1}, {"b=1 f=1", "g=2 h=2", 1}, {"b=1 f=1", "a=2 b=2", 2},
        {"b=1 f=1", "f=2 g=2", 2}, {"d=1", "c=2 e=2", 2},     {"", "c=2 e=2", 1},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct store_kv *kv = open_kv();
        kv_write(kv, STORE_FAMILY_BODY, rows[i].in_memory, true);
        struct store_kv_file *file = kv_file(kv, STORE_FAMILY_BODY, rows[i].taken_in);
        assert_int_equal(store_kv_ingest(kv, &file, 1), 0);
        store_kv_file_free(kv, &file);
        assert_int_equal(count_files("*.sst"), rows[i].files);
        close_kv(kv);
    }
}

/* ---- files of runs, and what merges make of them ---- */

#define RUNS          20u /* more than are left side by side */
#define RUN_KEYS      500u
#define RUN_BYTES_MAX 40000

static int compare_keys(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* RUN_KEYS keys in order, numbered from `from`; any two of them differ. */
static void make_keys(char keys[][16], struct slice *slices, size_t from)
{
    for (size_t i = 0; i < RUN_KEYS; i++) {
        snprintf(keys[i], 16, "%08zu", (from + i) * 2654435761u % 100000000u);
    }
    qsort(keys, RUN_KEYS, 16, compare_keys);
    for (size_t i = 0; i < RUN_KEYS; i++) {
        slices[i] = slice_from_text(keys[i]);
    }
}

static void take_in_run(struct store_kv *kv, size_t run)
{
    char keys[RUN_KEYS][16];
    struct slice slices[RUN_KEYS];
    struct store_kv_file *file = store_kv_file_new(kv, STORE_FAMILY_UNIQUE);
    make_keys(keys, slices, run * RUN_KEYS);
    for (size_t i = 0; i < RUN_KEYS; i++) {
        store_kv_file_put(kv, file, slices[i], slices[i]);
    }
    assert_int_equal(store_kv_file_seal(kv, file), 0);
    assert_int_equal(store_kv_ingest(kv, &file, 1), 0);
    store_kv_file_free(kv, &file);
}

struct lookup {
    const struct slice *keys;
    size_t found;
};

static int note_found(void *context, size_t index, struct slice value)
{
    struct lookup *lookup = context;
    lookup->found++;
    return slice_equal(value, lookup->keys[index]) ? 0 : -1;
}

/* How many of the keys numbered from `from` are found, each with its own value. */
static size_t find_run(struct store_kv *kv, size_t from)
{
    char keys[RUN_KEYS][16];
    struct slice slices[RUN_KEYS];
    struct lookup lookup = {.keys = slices};
    make_keys(keys, slices, from);
    assert_int_equal(store_kv_get_many(kv, NULL, STORE_FAMILY_UNIQUE, slices, RUN_KEYS, note_found, &lookup), 0);
    return lookup.found;
}

/* A file is there that is larger than any run's. */
static bool has_merged(void)
{
    return count_files_over("*.sst", RUN_BYTES_MAX) > 0;
}

/* Files of runs and merged ones have different filters: each key is found in both, and none that is not there. */
static void filters_agree(void **state)
{
    (void)state;
    struct store_kv *kv = open_kv();
    for (size_t run = 0; run < RUNS; run++) {
        take_in_run(kv, run);
        assert_int_equal(find_run(kv, 0), RUN_KEYS);
        assert_int_equal(find_run(kv, run * RUN_KEYS), RUN_KEYS);
        assert_int_equal(find_run(kv, RUNS * RUN_KEYS), 0);
    }
    for (int tries = 0; tries < 1000 && !has_merged(); tries++) {
        (void)usleep(10000); /* in a thread of RocksDB */
    }
    assert_true(has_merged());
    for (size_t run = 0; run < RUNS; run++) {
        assert_int_equal(find_run(kv, run * RUN_KEYS), RUN_KEYS);
    }
    assert_int_equal(find_run(kv, RUNS * RUN_KEYS), 0);
    close_kv(kv);
}

/* Opened again in place: everything is there, batches that were begun can be written, walks wait. */
static void resumes_in_place(void **state)
{
    (void)state;
    struct store_kv *kv = open_kv();
    struct store_kv_batch *batch = store_kv_batch_new(kv);
    kv_write(kv, STORE_FAMILY_META, "a=1", true);
    store_kv_put(kv, batch, STORE_FAMILY_META, SLICE("b"), SLICE("2"));
    for (int times = 0; times < 3; times++) {
        assert_int_equal(store_kv_resume(kv), 0);
        kv_expect(kv, STORE_FAMILY_META, times == 0 ? "a=1" : "a=1 b=2");
        assert_int_equal(store_kv_write(kv, batch, true), 0);
    }
    store_kv_batch_free(kv, &batch);
    close_kv(kv);
}

int main(void)
{
    struct kv_kind kind = {open_kv, close_kv};
    const struct CMUnitTest tests[] = {KV_ROWS(&kind),
                                       cmocka_unit_test(rows_outlive_closing),
                                       cmocka_unit_test(one_has_it),
                                       cmocka_unit_test(folders),
                                       cmocka_unit_test(files_outlive_closing),
                                       cmocka_unit_test(flushes_what_overlaps),
                                       cmocka_unit_test(filters_agree),
                                       cmocka_unit_test(resumes_in_place)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
