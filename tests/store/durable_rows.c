/*
 * S1, S2, S6, S7 on disk. A crash is a process that ends without closing its store: the test runs
 * itself as a child that does the named work and leaves by _exit. A failed write is a real one: a
 * limit on file size, and a file system of 32 MiB where the test may mount one.
 */
#include "fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/kv_priv.h"
#include "store/rows_priv.h"

#define CHILD_SKIPPED 77
#define WAL_IMPORTS   20

static const struct person two[] = {{.unique = 1, .content = 1, .email = 5, .secrets = true, .pending = true},
                                    {.unique = 2, .content = 2, .email = 5}};
static const struct person third = {.unique = 3, .content = 3};
static const struct person fourth = {.unique = 4, .content = 4, .email = 5};
static const struct person fifth = {.unique = 5, .content = 5};

/* ---- in the child: no cmocka, so every check is an exit status of its own ---- */

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            (void)fprintf(stderr, "child: %s:%d: %s\n", __FILE__, __LINE__, #condition);                               \
            _exit(1);                                                                                                  \
        }                                                                                                              \
    } while (0)

static void child_crash(struct fixture *fixture)
{
    struct store_import open = fixture_import(fixture, 0);
    struct store_import whole = fixture_import(fixture, 0);
    (void)fixture_keep(fixture, 0, two, 2);
    fixture_commit(fixture, fixture_chunk(fixture, &open, 0, &third, 1), &open, IMPORT_OPEN);
    fixture_commit(fixture, fixture_chunk(fixture, &whole, 0, &fourth, 1), &whole, IMPORT_OPEN);
    fixture_commit(fixture, fixture_chunk(fixture, &whole, 1, &fifth, 1), &whole, IMPORT_COMMITTED);
    CHECK(store_meta_put(fixture->store, SLICE("tenant/a"), SLICE("1")) == 0);
}

static void child_log(struct fixture *fixture)
{
    for (unsigned i = 0; i < WAL_IMPORTS; i++) {
        struct person person = {.unique = i + 1, .content = i, .email = 5};
        (void)fixture_keep(fixture, 0, &person, 1);
    }
}

/* Commits until it fails; how many were kept. */
static size_t commit_until(struct fixture *fixture, size_t most, int *err)
{
    char *filler = malloc(1 << 16);
    size_t kept = 0;
    CHECK(filler != NULL);
    memset(filler, 'x', 1 << 16);
    for (*err = 0; kept < most; kept++) {
        struct person person = {.unique = 1000 + (unsigned)kept};
        struct store_import row = fixture_import(fixture, 0);
        struct store_chunk *chunk = fixture_chunk(fixture, &row, 0, &person, 1);
        row.state = IMPORT_COMMITTED;
        row.chunks = 1;
        row.envelope = slice_make(filler, 1 << 16);
        chunk->row = &row;
        *err = store_commit(fixture->store, &chunk, 1);
        CHECK(row.created == (*err == 0 ? 1 : 0));
        if (*err != 0) {
            CHECK(!chunk->kept && chunk->error == *err);
            break;
        }
    }
    free(filler);
    return kept;
}

/* The store has failed with `first`, and says `later` ever after; what was read is still read. */
static void check_stopped(struct fixture *fixture, const struct store_chunk *kept, int later)
{
    struct store_import row = fixture_import(fixture, 0);
    struct store_chunk *chunk = fixture_chunk(fixture, &row, 0, &third, 1);
    struct buf record;
    bool left = false;
    row.state = IMPORT_COMMITTED;
    chunk->row = &row;
    CHECK(store_commit(fixture->store, &chunk, 1) == later);
    CHECK(chunk->error == later && !chunk->kept && row.created == 0);
    CHECK(store_health(fixture->store) == later);
    CHECK(store_meta_put(fixture->store, SLICE("a"), SLICE("b")) == later);
    CHECK(store_sweep(fixture->store, 10, &left) == later);
    CHECK(store_secrets_replace(fixture->store, &kept->tenant, &kept->customers[0].id, kept->customers[0].secrets,
                                SLICE("x"), false) == later);
    buf_init(&record, 0);
    CHECK(store_customer_get(fixture->store, &kept->tenant, &kept->customers[0].id, &record) == 0);
    CHECK(store_customer_get(fixture->store, &kept->tenant, &chunk->customers[0].id, &record) == ERR_NOT_FOUND);
    buf_fini(&record);
}

static void child_limit(struct fixture *fixture)
{
    struct rlimit limit = {.rlim_cur = 2 << 20, .rlim_max = 2 << 20};
    struct store_chunk *kept = fixture_keep(fixture, 0, two, 2);
    int err = 0;
    CHECK(store_health(fixture->store) == 0);
    CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR && setrlimit(RLIMIT_FSIZE, &limit) == 0);
    CHECK(commit_until(fixture, 100, &err) > 5);
    CHECK(err == ERR_STORAGE_IO);
    check_stopped(fixture, kept, ERR_STORAGE_STOPPED);
    CHECK(store_resume(fixture->store) == ERR_STORAGE_STOPPED);
    check_stopped(fixture, kept, ERR_STORAGE_STOPPED);
    store_close(&fixture->store);
}

/* A file system that only this child sees. */
static void mount_small(const char *path)
{
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("muster-test", path, "tmpfs", 0, "size=32m") != 0) {
        _exit(CHILD_SKIPPED);
    }
}

/* Opens its store itself. */
static void child_full(const char *path)
{
    struct fixture fixture;
    struct buf why;
    char inner[160];
    int err = 0;
    buf_init(&why, 0);
    mount_small(path);
    (void)snprintf(inner, sizeof inner, "%s/db", path);
    fixture_open_at(&fixture, inner);
    struct store_chunk *kept = fixture_keep(&fixture, 0, two, 2);
    CHECK(commit_until(&fixture, 1000, &err) > 20);
    CHECK(err == ERR_STORAGE_FULL);
    check_stopped(&fixture, kept, ERR_STORAGE_FULL);
    store_close(&fixture.store);
    int again = store_open_rocks(inner, NULL, &fixture.store, &why); /* closing may have given room back */
    CHECK(again == 0 || (again == ERR_STORAGE_FULL && fixture.store == NULL && why.size > 0));
    store_close(&fixture.store);
}

/* A list that goes on until it is told: its view keeps the store from being opened again. */
struct reader {
    pthread_barrier_t there;
    struct fixture *fixture;
    size_t seen;
};

static int read_slowly(void *context, const struct uuid *id, struct slice record)
{
    struct reader *reader = context;
    (void)id;
    (void)record;
    if (reader->seen++ == 0) {
        (void)pthread_barrier_wait(&reader->there);
        (void)usleep(300000);
    }
    return 0;
}

static void *read_list(void *context)
{
    static const struct uuid first;
    struct reader *reader = context;
    CHECK(store_customer_list(reader->fixture->store, &reader->fixture->tenants[0], &first, SIZE_MAX, read_slowly,
                              reader) == 0);
    return NULL;
}

static void check_resumed(struct fixture *fixture, size_t customers)
{
    CHECK(store_health(fixture->store) == 0);
    struct store_verify_counts counts;
    CHECK(store_verify(fixture->store, NULL, NULL, NULL, &counts) == 0);
    CHECK(counts.problems == 0);
    /* What failed may be there: one customer more. */
    CHECK(counts.customers >= customers && counts.customers <= customers + 1);
    CHECK(fixture_count(fixture, 0) == counts.customers);
}

/* Full, with an import and a run under way; then there is room. */
static void child_resume(const char *path)
{
    struct fixture fixture;
    struct reader reader = {.fixture = &fixture};
    pthread_t thread;
    char inner[160];
    int err = 0;
    mount_small(path);
    (void)snprintf(inner, sizeof inner, "%s/db", path);
    fixture_open_at(&fixture, inner);
    struct store_import import = fixture_import(&fixture, 0);
    struct store_run *run = NULL;
    struct store_chunk *kept = fixture_keep(&fixture, 0, two, 2);
    fixture_commit(&fixture, fixture_chunk(&fixture, &import, 0, &fifth, 1), &import, IMPORT_OPEN);
    CHECK(store_run_open(fixture.store, &import.tenant, &import.id, &run) == 0);
    struct store_chunk *chunk = fixture_chunk(&fixture, &import, 1, &fourth, 1);
    CHECK(store_run_add(run, chunk) == 0 && chunk->kept);
    size_t customers = 2 + commit_until(&fixture, 1000, &err);
    CHECK(err == ERR_STORAGE_FULL);
    check_stopped(&fixture, kept, ERR_STORAGE_FULL);
    CHECK(store_run_finish(&run) == ERR_STORAGE_FULL);
    CHECK(store_resume(fixture.store) == ERR_STORAGE_FULL);
    check_stopped(&fixture, kept, ERR_STORAGE_FULL);
    CHECK(mount("muster-test", path, "tmpfs", MS_REMOUNT, "size=256m") == 0);
    CHECK(pthread_barrier_init(&reader.there, NULL, 2) == 0);
    CHECK(pthread_create(&thread, NULL, read_list, &reader) == 0);
    (void)pthread_barrier_wait(&reader.there);
    CHECK(store_resume(fixture.store) == 0);
    CHECK(pthread_join(thread, NULL) == 0 && reader.seen >= customers);
    check_resumed(&fixture, customers);
    /* The import goes on, and what the run held is free. */
    CHECK(store_run_open(fixture.store, &import.tenant, &import.id, &run) == 0);
    chunk = fixture_chunk(&fixture, &import, 1, &fourth, 1);
    CHECK(store_run_add(run, chunk) == 0 && chunk->outcomes[0].kind == STORE_CREATED);
    CHECK(store_run_finish(&run) == 0);
    import.chunks = 2;
    import.created = 2;
    fixture_end(&fixture, &import, IMPORT_COMMITTED);
    check_resumed(&fixture, customers + 2);
    fixture_reopen(&fixture);
    check_resumed(&fixture, customers + 2);
    store_close(&fixture.store);
}

int child_run(const char *name, const char *path)
{
    static const struct {
        const char *name;
        void (*run)(struct fixture *fixture);
    } works[] = {{"crash", child_crash}, {"log", child_log}, {"limit", child_limit}, {"run", child_run_crash}};
    struct fixture fixture;
    log_set_level(LOG_ERROR + 1);
    if (strcmp(name, "full") == 0 || strcmp(name, "resume") == 0) {
        (strcmp(name, "full") == 0 ? child_full : child_resume)(path);
        _exit(0);
    }
    for (size_t i = 0; i < sizeof works / sizeof works[0]; i++) {
        if (strcmp(name, works[i].name) == 0) {
            fixture_open_at(&fixture, path);
            works[i].run(&fixture);
            _exit(0); /* the store is not closed */
        }
    }
    return -1;
}

/* ---- in the parent ---- */

int fixture_child(struct fixture *fixture, const char *work)
{
    char program[] = "/proc/self/exe";
    char option[] = "--child";
    char name[16];
    pid_t child = 0;
    int status = 0;
    (void)snprintf(name, sizeof name, "%s", work);
    char *const arguments[] = {program, option, name, fixture->path, NULL};
    store_close(&fixture->store);
    assert_int_equal(posix_spawn(&child, program, NULL, NULL, arguments, environ), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void kept_after_close(struct fixture *fixture)
{
    struct store_import row = fixture_import(fixture, 0);
    struct store_chunk *chunk = fixture_keep(fixture, 0, two, 2);
    struct store_chunk *first = fixture_chunk(fixture, &row, 0, &third, 1);
    fixture_commit(fixture, first, &row, IMPORT_OPEN);
    fixture_commit(fixture, fixture_chunk(fixture, &row, 1, &fourth, 1), &row, IMPORT_COMMITTED);
    assert_int_equal(store_meta_put(fixture->store, SLICE("a"), SLICE("b")), 0);
    fixture_reopen(fixture);
    assert_true(fixture_shows(fixture, 0, &chunk->customers[0]));
    assert_true(fixture_shows(fixture, 0, &first->customers[0]));
    assert_int_equal(fixture_found(fixture, 0, fixture_key(IDENTIFIER_EMAIL, 5, false)), 3);
    struct store_chunk *again = fixture_keep(fixture, 0, two, 2);
    assert_int_equal(again->outcomes[0].kind, STORE_EXISTING);
    struct buf value;
    buf_init(&value, 0);
    assert_int_equal(store_meta_get(fixture->store, SLICE("a"), &value), 0);
    buf_fini(&value);
}

static void kept_after_crash(struct fixture *fixture)
{
    static const struct uuid newest;
    struct buf value;
    assert_int_equal(fixture_child(fixture, "crash"), 0);
    fixture_reopen(fixture);
    assert_int_equal(fixture_count(fixture, 0), 4);
    assert_int_equal(fixture_found(fixture, 0, fixture_key(IDENTIFIER_EMAIL, 5, false)), 3);
    assert_int_equal(fixture_found(fixture, 0, fixture_key(IDENTIFIER_EXTERNAL_ID, 5, true)), 1);
    assert_int_equal(fixture_found(fixture, 0, fixture_key(IDENTIFIER_EXTERNAL_ID, 3, true)), 0);
    (void)newest;
    buf_init(&value, 0);
    assert_int_equal(store_meta_get(fixture->store, SLICE("tenant/a"), &value), 0);
    buf_fini(&value);
    struct store_verify_counts counts = fixture_verify(fixture);
    assert_int_equal(counts.customers, 4);
    assert_int_equal(counts.pending, 1);
    /* The key of the import that was open is free, before and behind the sweep. */
    assert_int_equal(fixture_keep(fixture, 0, &third, 1)->outcomes[0].kind, STORE_CREATED);
    fixture_sweep(fixture);
    assert_int_equal(fixture_count(fixture, 0), 5);
}

/* `written`: whether the open import had a chunk; `closed`: the store was closed, or the process ended. */
static void open_becomes_aborted(struct fixture *fixture)
{
    struct store_import rows[] = {fixture_import(fixture, 0), fixture_import(fixture, 0)};
    struct store_import found;
    struct buf envelope;
    bool left = true;
    rows[0].envelope = SLICE("sealed");
    fixture_end(fixture, &rows[0], IMPORT_OPEN);
    fixture_commit(fixture, fixture_chunk(fixture, &rows[1], 0, &third, 1), &rows[1], IMPORT_OPEN);
    int64_t before = clock_real_ms();
    fixture_reopen(fixture);
    buf_init(&envelope, 0);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(store_import_get(fixture->store, &rows[i].tenant, &rows[i].id, &found, &envelope), 0);
        assert_int_equal(found.state, IMPORT_ABORTED);
        assert_int_equal(found.error, ERR_STOPPING);
        assert_true(found.ended_ms >= before);
        assert_string_equal(found.project, "p1");
    }
    assert_true(slice_equal_text(buf_view(&envelope), "sealed"));
    buf_fini(&envelope);
    assert_int_equal(fixture_count(fixture, 0), 0);
    struct store_chunk *late = fixture_chunk(fixture, &rows[1], 1, &fourth, 1);
    assert_int_equal(store_commit(fixture->store, &late, 1), 0);
    assert_int_equal(late->error, ERR_IMPORT_ENDED);
    assert_int_equal(fixture_keep(fixture, 0, &third, 1)->outcomes[0].kind, STORE_CREATED);
    fixture_reopen(fixture); /* aborted and not swept: it stays so */
    assert_int_equal(fixture_count(fixture, 0), 1);
    fixture_sweep(fixture);
    fixture_reopen(fixture);
    assert_int_equal(store_sweep(fixture->store, 1, &left), 0);
    assert_false(left);
    assert_int_equal(fixture_count(fixture, 0), 1);
}

static void stops_at_failed_write(struct fixture *fixture)
{
    assert_int_equal(fixture_child(fixture, "limit"), 0);
    fixture_reopen(fixture);
    assert_int_equal(fixture_found(fixture, 0, fixture_key(IDENTIFIER_EMAIL, 5, false)), 2);
    assert_int_equal(fixture_found(fixture, 0, fixture_key(IDENTIFIER_EXTERNAL_ID, 3, true)), 0);
    assert_int_equal(store_health(fixture->store), 0);
    assert_true(fixture_keep(fixture, 0, &third, 1)->kept);
}

static void stops_at_full_disk(struct fixture *fixture)
{
    int status = fixture_child(fixture, "full");
    if (status == CHILD_SKIPPED) {
        print_message("no file system could be mounted\n");
        skip();
    }
    assert_int_equal(status, 0);
}

static void resumes_with_room(struct fixture *fixture)
{
    int status = fixture_child(fixture, "resume");
    if (status == CHILD_SKIPPED) {
        print_message("no file system could be mounted\n");
        skip();
    }
    assert_int_equal(status, 0);
}

/* What failed for another reason than want of room is final. */
static void stopped_stays(struct fixture *fixture)
{
    assert_int_equal(store_resume(fixture->store), 0); /* healthy */
    assert_int_equal(fixture_child(fixture, "limit"), 0);
}

/* ---- the log ---- */

/* The write-ahead log with the most bytes. */
static off_t find_log(const struct fixture *fixture, char *path, size_t room)
{
    DIR *folder = opendir(fixture->path);
    struct dirent *entry;
    off_t largest = 0;
    assert_non_null(folder);
    while ((entry = readdir(folder)) != NULL) {
        char name[512];
        struct stat state;
        const char *dot = strrchr(entry->d_name, '.');
        (void)snprintf(name, sizeof name, "%s/%s", fixture->path, entry->d_name);
        if (dot != NULL && strcmp(dot, ".log") == 0 && stat(name, &state) == 0 && state.st_size > largest) {
            largest = state.st_size;
            (void)snprintf(path, room, "%s", name);
        }
    }
    (void)closedir(folder);
    assert_true(largest > 0);
    return largest;
}

/* As if the power had failed before the kernel wrote the number. */
static void forget_acknowledged(const struct fixture *fixture)
{
    char path[600];
    snprintf(path, sizeof path, "%s/acknowledged", fixture->path);
    assert_int_equal(unlink(path), 0);
}

static void torn_tail_is_dropped(struct fixture *fixture)
{
    char path[512];
    assert_int_equal(fixture_child(fixture, "log"), 0);
    off_t size = find_log(fixture, path, sizeof path);
    assert_int_equal(truncate(path, size - 10), 0);
    /* All of it was acknowledged: a log that ends before that is damage, not an unsynced end. */
    struct buf why;
    buf_init(&why, 0);
    store_close(&fixture->store);
    assert_int_equal(store_open_rocks(fixture->path, NULL, &fixture->store, &why), ERR_CORRUPT);
    assert_non_null(memmem(why.data, why.size, "acknowledged", strlen("acknowledged")));
    buf_fini(&why);
    forget_acknowledged(fixture);
    fixture_reopen(fixture);
    assert_int_equal(fixture_count(fixture, 0), WAL_IMPORTS - 1);
    assert_int_equal(fixture_found(fixture, 0, fixture_key(IDENTIFIER_EMAIL, 5, false)), WAL_IMPORTS - 1);
    struct person last = {.unique = WAL_IMPORTS, .content = WAL_IMPORTS - 1};
    assert_int_equal(fixture_keep(fixture, 0, &last, 1)->outcomes[0].kind, STORE_CREATED);
}

static void damaged_log_is_refused(struct fixture *fixture)
{
    char path[512];
    char byte = 0;
    struct buf why;
    assert_int_equal(fixture_child(fixture, "log"), 0);
    off_t size = find_log(fixture, path, sizeof path);
    int file = open(path, O_RDWR | O_CLOEXEC);
    assert_true(file >= 0);
    assert_int_equal(pread(file, &byte, 1, size / 2), 1);
    byte = (char)(byte ^ 0x40);
    assert_int_equal(pwrite(file, &byte, 1, size / 2), 1);
    assert_int_equal(close(file), 0);
    buf_init(&why, 0);
    assert_int_equal(store_open_rocks(fixture->path, NULL, &fixture->store, &why), ERR_CORRUPT);
    assert_null(fixture->store);
    assert_true(why.size > 0);
    buf_fini(&why);
    /* The refusal has changed nothing: with the byte back, all of it is there. */
    byte = (char)(byte ^ 0x40);
    file = open(path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(file, &byte, 1, size / 2), 1);
    assert_int_equal(close(file), 0);
    fixture_reopen(fixture);
    assert_int_equal(fixture_count(fixture, 0), WAL_IMPORTS);
}

static void second_opener_is_refused(struct fixture *fixture)
{
    struct store *second = NULL;
    struct buf why;
    buf_init(&why, 0);
    assert_int_equal(store_open_rocks(fixture->path, NULL, &second, &why), ERR_STORAGE_IO);
    assert_null(second);
    assert_true(why.size > 0);
    buf_fini(&why);
}

static void other_format_is_refused(struct fixture *fixture)
{
    struct store_kv *kv = NULL;
    struct buf why;
    buf_init(&why, 0);
    store_close(&fixture->store);
    assert_int_equal(store_kv_rocks_open(fixture->path, NULL, &kv, &why), 0);
    struct store_kv_batch *batch = store_kv_batch_new(kv);
    store_kv_put(kv, batch, STORE_FAMILY_FORMAT, SLICE("format"), SLICE("\1\0\0\0"));
    assert_int_equal(store_kv_write(kv, batch, true), 0);
    store_kv_batch_free(kv, &batch);
    store_kv_close(&kv);
    assert_int_equal(store_open_rocks(fixture->path, NULL, &fixture->store, &why), ERR_CORRUPT);
    assert_true(slice_equal_text(buf_view(&why),
                                 "the store was written in format version 1, and this program reads version 2 only"));
    buf_fini(&why);
}

static void unusable_path(struct fixture *fixture)
{
    struct store *second = NULL;
    char path[256];
    struct buf why;
    (void)snprintf(path, sizeof path, "%s/absent/db", fixture->path);
    buf_init(&why, 0);
    assert_int_equal(store_open_rocks(path, NULL, &second, &why), ERR_STORAGE_IO);
    assert_null(second);
    assert_true(why.size > 0);
    buf_fini(&why);
}

const struct row durable_rows[] = {
    {"S1 what was kept is there after a close", KIND_KEPT, kept_after_close},
    {"S1 what was kept is there after a crash", KIND_ROCKS, kept_after_crash},
    {"S2 a torn last record of the log is dropped whole", KIND_ROCKS, torn_tail_is_dropped},
    {"S1 a log that is damaged within is refused", KIND_ROCKS, damaged_log_is_refused},
    {"S6 an open import is aborted at the next open", KIND_KEPT, open_becomes_aborted},
    {"S7 a failed write stops the store, reads go on", KIND_ROCKS, stops_at_failed_write},
    {"S7 a full disk stops the store, reads go on", KIND_ROCKS, stops_at_full_disk},
    {"S7 commits go on when a full disk has room", KIND_ROCKS, resumes_with_room},
    {"S7 nothing resumes a store that was stopped", KIND_ROCKS, stopped_stays},
    {"a store that is open elsewhere is refused", KIND_ROCKS, second_opener_is_refused},
    {"a store of another format is refused", KIND_ROCKS, other_format_is_refused},
    {"a path that can't be used is refused with the reason", KIND_ROCKS, unusable_path},
    {0},
};
