/*
 * The key-value interface over RocksDB: the shared rows, and what only a store on disk has. What a crash
 * leaves of it is held by tests/crash.
 */
#include "rocks_folder.h"

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
    struct store_kv_file *file = store_kv_file_new(kv, STORE_FAMILY_BODY);
    struct store_kv_file *left = store_kv_file_new(kv, STORE_FAMILY_BODY);
    store_kv_file_put(kv, file, SLICE("a"), SLICE("1"));
    store_kv_file_put(kv, left, SLICE("b"), SLICE("2"));
    assert_int_equal(store_kv_file_seal(kv, file), 0);
    assert_int_equal(store_kv_file_seal(kv, left), 0);
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
                                       cmocka_unit_test(resumes_in_place)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
