/* See kv_rows.h. Keys are letters; a test with other bytes says so. */
#include "kv_rows.h"

#include <string.h>

/* Applies "k=v k-" to a batch. */
static void change(struct store_kv *kv, struct store_kv_batch *batch, enum store_family family, const char *changes)
{
    while (*changes != '\0') {
        size_t size = strcspn(changes, " ");
        struct slice word = slice_make(changes, size);
        const char *equals = memchr(changes, '=', size);
        if (equals == NULL) {
            store_kv_erase(kv, batch, family, slice_make(changes, size - 1));
        } else {
            size_t key = (size_t)(equals - changes);
            store_kv_put(kv, batch, family, slice_make(changes, key), slice_from(word, key + 1));
        }
        changes += changes[size] == ' ' ? size + 1 : size;
    }
}

void kv_write(struct store_kv *kv, enum store_family family, const char *changes, bool sync)
{
    struct store_kv_batch *batch = store_kv_batch_new(kv);
    assert_non_null(batch);
    change(kv, batch, family, changes);
    assert_int_equal(store_kv_write(kv, batch, sync), 0);
    store_kv_batch_free(kv, &batch);
}

static void tell_walk(struct store_kv *kv, struct store_kv_walk *walk, struct buf *out)
{
    struct slice key, value;
    for (size_t i = 0; store_kv_walk_at(kv, walk, &key, &value); i++) {
        buf_printf(out, "%s%.*s=%.*s", i == 0 ? "" : " ", SLICE_ARG(key), SLICE_ARG(value));
        store_kv_walk_step(kv, walk);
    }
}

void kv_tell(struct store_kv *kv, struct store_kv_view *view, enum store_family family, const char *prefix,
             struct buf *out)
{
    struct store_kv_walk *walk = store_kv_walk_open(kv, view, family, slice_from_text(prefix));
    assert_non_null(walk);
    store_kv_walk_seek(kv, walk, slice_from_text(prefix), false);
    tell_walk(kv, walk, out);
    assert_int_equal(store_kv_walk_close(kv, &walk), 0);
    assert_null(walk);
}

static void expect_view(struct store_kv *kv, struct store_kv_view *view, enum store_family family, const char *rows)
{
    struct buf told;
    buf_init(&told, 0);
    kv_tell(kv, view, family, "", &told);
    if (!slice_equal_text(buf_view(&told), rows)) {
        fail_msg("there is \"%.*s\", and should be \"%s\"", SLICE_ARG(buf_view(&told)), rows);
    }
    buf_fini(&told);
}

void kv_expect(struct store_kv *kv, enum store_family family, const char *rows)
{
    struct store_kv_view *view = store_kv_view_open(kv);
    assert_non_null(view);
    expect_view(kv, view, family, rows);
    store_kv_view_close(kv, &view);
    assert_null(view);
}

/* ---- walks ---- */

/* From where a seek goes, in either direction, and where a walk ends: at its prefix. */
void kv_walks(void **state)
{
    static const struct {
        const char *prefix, *seek;
        bool backward;
        const char *told;
    } rows[] = {
        {"", "", false, "a= ab= abc= ac= b= ba= \xff= \xff\xff="},
        {"", "ab", false, "ab= abc= ac= b= ba= \xff= \xff\xff="},
        {"", "abb", false, "abc= ac= b= ba= \xff= \xff\xff="},
        {"", "bb", false, "\xff= \xff\xff="},
        {"", "\xff\xff\xff", false, ""},
        {"a", "a", false, "a= ab= abc= ac="},
        {"ab", "ab", false, "ab= abc="},
        {"ab", "abd", false, ""},
        {"ab", "a", false, "ab= abc="}, /* from below the prefix */
        {"ad", "ad", false, ""},
        {"b", "b", false, "b= ba="},
        {"\xff", "\xff", false, "\xff= \xff\xff="},
        {"c", "c", false, ""},
        {"", "\xff\xff\xff", true, "\xff\xff= \xff= ba= b= ac= abc= ab= a="},
        {"", "b", true, "ac= abc= ab= a="}, /* below the key, not at it */
        {"", "a", true, ""},
        {"a", "ac", true, "abc= ab= a="},
        {"a", "az", true, "ac= abc= ab= a="},
        {"ab", "abc", true, "ab="},
        {"ab", "ab", true, ""},
        {"\xff", "\xff\xff\xff", true, "\xff\xff= \xff="},
    };
    const struct kv_kind *kind = *state;
    struct store_kv *kv = kind->open();
    struct buf told;
    buf_init(&told, 0);
    kv_write(kv, STORE_FAMILY_META, "b= \xff\xff= a= abc= ba= ac= \xff= ab=", true);
    struct store_kv_view *view = store_kv_view_open(kv);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct store_kv_walk *walk = store_kv_walk_open(kv, view, STORE_FAMILY_META, slice_from_text(rows[i].prefix));
        buf_clear(&told);
        store_kv_walk_seek(kv, walk, slice_from_text(rows[i].seek), rows[i].backward);
        tell_walk(kv, walk, &told);
        assert_int_equal(store_kv_walk_close(kv, &walk), 0);
        if (!slice_equal_text(buf_view(&told), rows[i].told)) {
            fail_msg("row %zu: \"%.*s\"", i, SLICE_ARG(buf_view(&told)));
        }
    }
    store_kv_view_close(kv, &view);
    buf_fini(&told);
    kind->close(kv);
}

/* ---- lookups ---- */

struct found {
    struct buf told;
    int stop_at; /* index at which found says -7 */
};

static int tell_found(void *context, size_t index, struct slice value)
{
    struct found *found = context;
    buf_printf(&found->told, "%zu:%.*s ", index, SLICE_ARG(value));
    return (int)index == found->stop_at ? -7 : 0;
}

void kv_lookups(void **state)
{
    const struct slice keys[] = {SLICE("a"), SLICE("aa"), SLICE("b"), SLICE("bb"), SLICE("c")};
    static const struct {
        size_t from, count;
        int stop_at, err;
        const char *told;
    } rows[] = {
        {0, 5, -1, 0, "0:1 2:2 4:3 "}, {0, 0, -1, 0, ""},         {1, 1, -1, 0, ""},
        {1, 2, -1, 0, "1:2 "},         {0, 5, 2, -7, "0:1 2:2 "}, {0, 5, 1, 0, "0:1 2:2 4:3 "},
    };
    const struct kv_kind *kind = *state;
    struct store_kv *kv = kind->open();
    struct buf value;
    buf_init(&value, 0);
    kv_write(kv, STORE_FAMILY_META, "a=1 b=2 c=3", true);
    struct store_kv_view *view = store_kv_view_open(kv);
    kv_write(kv, STORE_FAMILY_META, "a- b=new", true);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct found found = {.stop_at = rows[i].stop_at};
        buf_init(&found.told, 0);
        int err =
            store_kv_get_many(kv, view, STORE_FAMILY_META, keys + rows[i].from, rows[i].count, tell_found, &found);
        assert_int_equal(err, rows[i].err);
        if (!slice_equal_text(buf_view(&found.told), rows[i].told)) {
            fail_msg("row %zu: %.*s", i, SLICE_ARG(buf_view(&found.told)));
        }
        buf_fini(&found.told);
    }
    buf_append_text(&value, "is ");
    assert_int_equal(store_kv_get(kv, view, STORE_FAMILY_META, SLICE("b"), &value), 0);
    assert_int_equal(store_kv_get(kv, NULL, STORE_FAMILY_META, SLICE("b"), &value), 0);
    assert_int_equal(store_kv_get(kv, view, STORE_FAMILY_META, SLICE("bb"), &value), ERR_NOT_FOUND);
    assert_int_equal(store_kv_get(kv, NULL, STORE_FAMILY_META, SLICE("a"), &value), ERR_NOT_FOUND);
    assert_int_equal(store_kv_get(kv, view, STORE_FAMILY_META, SLICE("a"), &value), 0);
    assert_true(slice_equal_text(buf_view(&value), "is 2new1"));
    store_kv_view_close(kv, &view);
    buf_fini(&value);
    kind->close(kv);
}

/* ---- changes ---- */

/* Each row is a batch after those before it. Of changes of one key the last counts. */
void kv_batches(void **state)
{
    static const struct {
        const char *changes;
        const char *rows;
    } rows[] = {
        {"", ""},
        {"a=1", "a=1"},
        {"a=2 a=3", "a=3"},
        {"a- a=4", "a=4"},
        {"a=5 a-", ""},
        {"a-", ""}, /* what is not there may be erased */
        {"b=1 a=2 c=3", "a=2 b=1 c=3"},
        {"b- d=4 a=", "a= c=3 d=4"},
        {"", "a= c=3 d=4"},
    };
    const struct kv_kind *kind = *state;
    struct store_kv *kv = kind->open();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        kv_write(kv, STORE_FAMILY_META, rows[i].changes, i % 2 == 0);
        kv_expect(kv, STORE_FAMILY_META, rows[i].rows);
    }
    /* a batch that was cleared forgets, may be written again, and is not written by being freed */
    struct store_kv_batch *batch = store_kv_batch_new(kv);
    change(kv, batch, STORE_FAMILY_META, "x=1 a-");
    store_kv_batch_clear(kv, batch);
    change(kv, batch, STORE_FAMILY_META, "y=1");
    assert_int_equal(store_kv_write(kv, batch, true), 0);
    kv_expect(kv, STORE_FAMILY_META, "a= c=3 d=4 y=1");
    store_kv_batch_clear(kv, batch);
    change(kv, batch, STORE_FAMILY_META, "z=1");
    store_kv_batch_free(kv, &batch);
    assert_null(batch);
    kv_expect(kv, STORE_FAMILY_META, "a= c=3 d=4 y=1");
    kind->close(kv);
}

/* One batch over every family: the same key has a row of its own in each. */
void kv_families(void **state)
{
    const struct kv_kind *kind = *state;
    struct store_kv *kv = kind->open();
    struct store_kv_batch *batch = store_kv_batch_new(kv);
    char row[] = "key=_";
    for (int family = 0; family < STORE_FAMILY_COUNT; family++) {
        row[4] = (char)('a' + family);
        change(kv, batch, (enum store_family)family, row);
    }
    for (int family = 0; family < STORE_FAMILY_COUNT; family++) {
        struct buf value;
        buf_init(&value, 0);
        int err = store_kv_get(kv, NULL, (enum store_family)family, SLICE("key"), &value);
        assert_int_equal(err, ERR_NOT_FOUND); /* before it is written */
        buf_fini(&value);
    }
    assert_int_equal(store_kv_write(kv, batch, true), 0);
    store_kv_batch_free(kv, &batch);
    for (int family = 0; family < STORE_FAMILY_COUNT; family++) {
        row[4] = (char)('a' + family);
        struct buf value;
        buf_init(&value, 0);
        assert_int_equal(store_kv_get(kv, NULL, (enum store_family)family, SLICE("key"), &value), 0);
        assert_true(slice_equal_text(buf_view(&value), row + 4));
        buf_fini(&value);
    }
    kind->close(kv);
}

/* ---- views ---- */

/* A view has the rows of its instant, whatever is written while it, or a walk over it, is open. */
void kv_views(void **state)
{
    static const struct {
        const char *changes;
        const char *rows; /* after them */
    } rows[] = {
        {"b=1 d=1", "b=1 d=1"},     {"a=2 b=2", "a=2 b=2 d=1"}, {"b- d-", "a=2"},
        {"b=4 c=4", "a=2 b=4 c=4"}, {"a- b- c-", ""},
    };
    const struct kv_kind *kind = *state;
    struct store_kv *kv = kind->open();
    struct store_kv_view *views[COUNT_OF(rows)];
    struct store_kv_walk *walks[COUNT_OF(rows)];
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        kv_write(kv, STORE_FAMILY_META, rows[i].changes, true);
        views[i] = store_kv_view_open(kv);
        walks[i] = store_kv_walk_open(kv, views[i], STORE_FAMILY_META, SLICE(""));
        store_kv_walk_seek(kv, walks[i], SLICE(""), false);
    }
    kv_write(kv, STORE_FAMILY_META, "a=9 b=9 c=9 d=9", true);
    for (size_t i = COUNT_OF(rows); i-- > 0;) {
        struct buf told;
        buf_init(&told, 0);
        tell_walk(kv, walks[i], &told);
        assert_true(slice_equal_text(buf_view(&told), rows[i].rows));
        assert_int_equal(store_kv_walk_close(kv, &walks[i]), 0);
        buf_fini(&told);
    }
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        expect_view(kv, views[i], STORE_FAMILY_META, rows[i].rows);
        store_kv_view_close(kv, &views[i]);
    }
    kv_write(kv, STORE_FAMILY_META, "a-", true); /* with no view open old rows go */
    kv_expect(kv, STORE_FAMILY_META, "b=9 c=9 d=9");
    kind->close(kv);
}

/* Values of any size and with any bytes come back as they were, from a lookup and from a walk. */
void kv_values(void **state)
{
    static const size_t sizes[] = {0, 1, 255, 256, 257, 4096, 65536, 1u << 20};
    const struct kv_kind *kind = *state;
    struct store_kv *kv = kind->open();
    struct store_kv_batch *batch = store_kv_batch_new(kv);
    struct buf value, got;
    buf_init(&value, 0);
    buf_init(&got, 0);
    for (size_t i = 0; i < sizes[COUNT_OF(sizes) - 1]; i++) {
        buf_append_byte(&value, (uint8_t)(i * 7 + i / 256));
    }
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        uint8_t key[3] = {0, (uint8_t)i, 0xff};
        store_kv_put(kv, batch, STORE_FAMILY_BODY, slice_make(key, 3), slice_make(value.data, sizes[i]));
    }
    assert_int_equal(store_kv_write(kv, batch, true), 0);
    store_kv_batch_free(kv, &batch);
    struct store_kv_view *view = store_kv_view_open(kv);
    struct store_kv_walk *walk = store_kv_walk_open(kv, view, STORE_FAMILY_BODY, slice_make("\0", 1));
    store_kv_walk_seek(kv, walk, slice_make("\0", 1), false);
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        uint8_t key[3] = {0, (uint8_t)i, 0xff};
        struct slice expected = slice_make(value.data, sizes[i]);
        struct slice at, found;
        buf_clear(&got);
        assert_int_equal(store_kv_get(kv, view, STORE_FAMILY_BODY, slice_make(key, 3), &got), 0);
        assert_true(slice_equal(buf_view(&got), expected));
        assert_true(store_kv_walk_at(kv, walk, &at, &found));
        assert_true(slice_equal(at, slice_make(key, 3)) && slice_equal(found, expected));
        store_kv_walk_step(kv, walk);
    }
    assert_int_equal(store_kv_walk_close(kv, &walk), 0);
    store_kv_view_close(kv, &view);
    buf_fini(&value);
    buf_fini(&got);
    kind->close(kv);
}

/* ---- sorted files ---- */

struct store_kv_file *kv_file(struct store_kv *kv, enum store_family family, const char *rows)
{
    struct store_kv_file *file = store_kv_file_new(kv, family);
    assert_non_null(file);
    while (*rows != '\0') {
        size_t size = strcspn(rows, " ");
        size_t key = strcspn(rows, "=");
        store_kv_file_put(kv, file, slice_make(rows, key), slice_make(rows + key + 1, size - key - 1));
        rows += rows[size] == ' ' ? size + 1 : size;
    }
    assert_int_equal(store_kv_file_seal(kv, file), 0);
    return file;
}

/* Files that are taken in are as if their rows were written then: over older rows, under newer ones, and not
 * seen by a view that was open. Those that are only freed leave nothing. */
void kv_files(void **state)
{
    static const struct {
        const char *written; /* first */
        const char *files[3];
        const char *changes; /* behind */
        const char *rows;
    } rows[] = {
        {"", {"a=1 b=2"}, "", "a=1 b=2"},
        {"", {"c=3", "d=4 e=5"}, "", "a=1 b=2 c=3 d=4 e=5"},
        {"a=0 c-", {"a=7", "c=8"}, "", "a=7 b=2 c=8 d=4 e=5"},
        {"b-", {"b=9"}, "a- b=1", "b=1 c=8 d=4 e=5"},
        {"", {"z=1", "x=1", "y=1"}, "z-", "b=1 c=8 d=4 e=5 x=1 y=1"},
    };
    static const enum store_family families[] = {STORE_FAMILY_META,  STORE_FAMILY_BODY,   STORE_FAMILY_UNIQUE,
                                                 STORE_FAMILY_PLAIN, STORE_FAMILY_SECRET, STORE_FAMILY_PENDING};
    const struct kv_kind *kind = *state;
    for (size_t f = 0; f < COUNT_OF(families); f++) {
        struct store_kv *kv = kind->open();
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
            struct store_kv_file *files[3];
            size_t count = 0;
            struct buf before;
            buf_init(&before, 0);
            kv_write(kv, families[f], rows[i].written, i % 2 == 0);
            struct store_kv_view *view = store_kv_view_open(kv);
            kv_tell(kv, view, families[f], "", &before);
            buf_append_byte(&before, 0);
            for (; count < 3 && rows[i].files[count] != NULL; count++) {
                files[count] = kv_file(kv, families[f], rows[i].files[count]);
            }
            struct store_kv_file *unused = kv_file(kv, families[f], "a=99");
            store_kv_file_free(kv, &unused);
            assert_int_equal(store_kv_ingest(kv, files, count), 0);
            while (count > 0) {
                store_kv_file_free(kv, &files[--count]);
            }
            kv_write(kv, families[f], rows[i].changes, true);
            kv_expect(kv, families[f], rows[i].rows);
            expect_view(kv, view, families[f], before.data);
            store_kv_view_close(kv, &view);
            buf_fini(&before);
        }
        kind->close(kv);
    }
}
