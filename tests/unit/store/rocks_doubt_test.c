/*
 * A database that lacks the files of a call that failed: what RocksDB leaves when the manifest's sync fails is made
 * here by giving the files that were taken in the names of such as could not be.
 */
#include "rocks_folder.h"

#define FILES 3

static void name_of(char path[128], const char *name)
{
    snprintf(path, 128, "%s/%s", folder, name);
}

/* Files of one call; `step`: how much larger each is than the one before it. */
static void take_in(struct store_kv *kv, size_t count, size_t step)
{
    static char value[200];
    struct store_kv_file *files[FILES];
    for (size_t i = 0; i < count; i++) {
        char key[2] = {(char)('a' + i), 0};
        memset(value, '0' + (int)i, sizeof value);
        files[i] = store_kv_file_new(kv, STORE_FAMILY_UNIQUE);
        store_kv_file_put(kv, files[i], slice_from_text(key), slice_make(value, 100 + i * step));
        assert_int_equal(store_kv_file_seal(kv, files[i]), 0);
    }
    assert_int_equal(store_kv_ingest(kv, files, count), 0);
    for (size_t i = 0; i < count; i++) {
        store_kv_file_free(kv, &files[i]);
    }
}

static void expect_rows(struct store_kv *kv, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char key[2] = {(char)('a' + i), 0};
        struct buf value;
        buf_init(&value, 0);
        assert_int_equal(store_kv_get(kv, NULL, STORE_FAMILY_UNIQUE, slice_from_text(key), &value), 0);
        assert_int_equal(value.data[0], '0' + (int)i);
        buf_fini(&value);
    }
}

/* All table files of the folder, as RocksDB would have left them. Their number. */
static size_t doubt_all(void)
{
    char pattern[128];
    glob_t found;
    name_of(pattern, "[0-9]*.sst");
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    size_t count = found.gl_pathc;
    for (size_t i = 0; i < count; i++) {
        char to[128];
        char name[32];
        snprintf(name, sizeof name, "doubt-%zu.sst", 9 + i); /* 10 comes behind 9 */
        name_of(to, name);
        assert_int_equal(rename(found.gl_pathv[i], to), 0);
    }
    globfree(&found);
    return count;
}

static void files_are_put_back(void **state)
{
    (void)state;
    static const struct {
        size_t count;
        size_t step;
    } rows[] = {{1, 0}, {2, 0}, {FILES, 0}, {FILES, 7}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct store_kv *kv = open_kv();
        take_in(kv, rows[i].count, rows[i].step);
        store_kv_close(&kv);
        assert_int_equal(doubt_all(), rows[i].count);
        assert_int_equal(open_at(folder, &kv), 0);
        expect_rows(kv, rows[i].count);
        assert_int_equal(count_files("doubt-*"), 0);
        close_kv(kv);
    }
}

/* They were not taken in at all: nothing lacks them. */
static void files_that_nothing_lacks_go(void **state)
{
    (void)state;
    struct store_kv *kv = open_kv();
    char path[128];
    kv_write(kv, STORE_FAMILY_META, "a=1", true);
    store_kv_close(&kv);
    name_of(path, "doubt-7.sst");
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
    assert_int_equal(open_at(folder, &kv), 0);
    kv_expect(kv, STORE_FAMILY_META, "a=1");
    assert_int_equal(count_files("doubt-*"), 0);
    close_kv(kv);
}

/* A file is missing, and those in doubt are others: the store stays shut, and they stay as they are. */
static void other_files_help_nobody(void **state)
{
    (void)state;
    struct store_kv *kv = open_kv();
    struct store_kv *shut = NULL;
    char from[128];
    char to[128];
    take_in(kv, FILES, 7);
    store_kv_close(&kv);
    assert_int_equal(doubt_all(), FILES);
    name_of(from, "doubt-9.sst");
    name_of(to, "doubt-12.sst"); /* behind the others: no place fits all */
    assert_int_equal(rename(from, to), 0);
    assert_int_equal(open_at(folder, &shut), ERR_CORRUPT);
    assert_null(shut);
    assert_int_equal(count_files("doubt-*"), FILES);
    assert_int_equal(count_files("[0-9]*.sst"), 0);
    assert_int_equal(rename(to, from), 0);
    assert_int_equal(open_at(folder, &kv), 0);
    expect_rows(kv, FILES);
    close_kv(kv);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(files_are_put_back),
                                       cmocka_unit_test(files_that_nothing_lacks_go),
                                       cmocka_unit_test(other_files_help_nobody)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
