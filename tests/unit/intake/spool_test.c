/* Spool: a body comes back as it went in, and a file that is not whole, or not its own, never passes for one. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../test.h"
#include "fixture.h"
#include "intake/spool_priv.h"

#define BODY_BYTES 150000u /* more than two blocks */

static const struct uuid IMPORT = {{1, 2, 3}};
static const struct uuid OTHER = {{9, 9}};

struct place {
    struct fixture fixture;
    char folder[64];
    char path[128];
    struct buf body;
};

static void path_of(const struct place *place, const struct uuid *id, char path[128])
{
    char name[UUID_TEXT_BYTES + 1];
    uuid_to_text(id, name);
    snprintf(path, 128, "%s/%s", place->folder, name);
}

/* A file of a body, written in odd pieces. */
static void place_init(struct place *place)
{
    struct spool *spool = NULL;
    fixture_init(&place->fixture, false);
    snprintf(place->folder, sizeof place->folder, "/tmp/muster-spool-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    path_of(place, &IMPORT, place->path);
    buf_init(&place->body, 0);
    for (size_t i = 0; i < BODY_BYTES; i++) {
        buf_append_byte(&place->body, (uint8_t)(i * 7 % 251));
    }
    const struct auth_tenant *tenant = place->fixture.tenant;
    assert_int_equal(spool_create(place->folder, &tenant->id, &IMPORT, tenant->keys, SLICE("head"), &spool), 0);
    for (size_t at = 0; at < BODY_BYTES; at += 977) {
        size_t size = BODY_BYTES - at < 977 ? BODY_BYTES - at : 977;
        assert_int_equal(spool_append(spool, slice_make(place->body.data + at, size)), 0);
    }
    assert_int_equal(spool_finish(spool), 0);
    spool_close(&spool);
}

static void place_fini(struct place *place)
{
    unlink(place->path);
    rmdir(place->folder);
    buf_fini(&place->body);
    fixture_fini(&place->fixture);
}

/* Reads the file of that import to its end; 0 when it was whole. */
static int read_whole(struct place *place, const struct uuid *id, struct buf *body)
{
    struct spool *spool = NULL;
    struct uuid tenant;
    struct slice bytes = SLICE_NONE;
    buf_init(body, 0);
    int err = spool_open(place->folder, id, &tenant, &spool);
    if (err == 0) {
        err = spool_read_head(spool, place->fixture.tenant->keys, &bytes);
    }
    if (err == 0) {
        assert_true(slice_equal_text(bytes, "head"));
    }
    while (err == 0 && (err = spool_read(spool, &bytes)) == 0 && bytes.size > 0) {
        buf_append_slice(body, bytes);
    }
    spool_close(&spool);
    return err;
}

static void back_as_it_went(void **state)
{
    (void)state;
    struct place place;
    struct buf body;
    struct stat info;
    place_init(&place);
    assert_int_equal(stat(place.path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(read_whole(&place, &IMPORT, &body), 0);
    assert_true(slice_equal(buf_view(&body), buf_view(&place.body)));
    buf_fini(&body);
    assert_int_equal(read_whole(&place, &OTHER, &body), ERR_NOT_FOUND);
    buf_fini(&body);
    spool_remove(place.folder, &IMPORT);
    assert_int_equal(access(place.path, F_OK), -1);
    place_fini(&place);
}

/* Cut off anywhere, also behind a whole block: there is no end to it. */
static void cut_off(void **state)
{
    (void)state;
    struct place place;
    struct stat info;
    place_init(&place);
    assert_int_equal(stat(place.path, &info), 0);
    for (off_t size = info.st_size - 1; size >= 0; size -= size > 200 ? size / 40 + 1 : 1) {
        struct buf body;
        assert_int_equal(truncate(place.path, size), 0);
        assert_true(read_whole(&place, &IMPORT, &body) != 0);
        buf_fini(&body);
    }
    place_fini(&place);
}

/* A byte that is another one, anywhere; and a file under another import's name. */
static void changed(void **state)
{
    (void)state;
    struct place place;
    struct stat info;
    struct buf body;
    char moved[128];
    place_init(&place);
    assert_int_equal(stat(place.path, &info), 0);
    for (long at = 0; at < info.st_size; at += at < 200 ? 1 : 4999) {
        FILE *file = fopen(place.path, "r+b");
        assert_non_null(file);
        fseek(file, at, SEEK_SET);
        int byte = fgetc(file);
        fseek(file, at, SEEK_SET);
        fputc(byte ^ 4, file);
        fclose(file);
        assert_true(read_whole(&place, &IMPORT, &body) != 0);
        buf_fini(&body);
        file = fopen(place.path, "r+b");
        assert_non_null(file);
        fseek(file, at, SEEK_SET);
        fputc(byte, file);
        fclose(file);
    }
    assert_int_equal(read_whole(&place, &IMPORT, &body), 0);
    buf_fini(&body);
    path_of(&place, &OTHER, moved);
    assert_int_equal(rename(place.path, moved), 0);
    assert_true(read_whole(&place, &OTHER, &body) != 0);
    buf_fini(&body);
    unlink(moved);
    place_fini(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(back_as_it_went), cmocka_unit_test(cut_off),
                                       cmocka_unit_test(changed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
