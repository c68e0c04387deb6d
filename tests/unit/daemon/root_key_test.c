/* The root key's life in the data folder, what the operator may hand over instead, and what a broken one is told as. */
#include "folder.h"

#include <sys/prctl.h>
#include <unistd.h>

/* Made at the first start, found at the next, and the same key. */
static void root_key(void **state)
{
    (void)state;
    struct folder folder;
    struct crypto_ring *ring;
    uint8_t first[16], second[16];
    folder_init(&folder);
    assert_int_equal(daemon_ring_open(folder.data, "", DAEMON_RING_OLD, &ring, &folder.why), ERR_NOT_FOUND);
    assert_true(why_has(&folder, "not a data folder"));
    assert_int_not_equal(access(folder.data, F_OK), 0);
    assert_int_equal(daemon_ring_open(folder.data, "", DAEMON_RING_NEW, &ring, &folder.why), 0);
    crypto_ring_check_value(ring, first);
    crypto_ring_free(&ring);
    assert_int_equal(mode_of(in(&folder, "keys/root.key")), 0400);
    assert_int_equal(mode_of(in(&folder, "keys")), 0700);
    assert_int_equal(mode_of(folder.data), 0700);
    assert_int_equal(daemon_ring_open(folder.data, "", DAEMON_RING_OLD, &ring, &folder.why), 0);
    crypto_ring_check_value(ring, second);
    crypto_ring_free(&ring);
    assert_memory_equal(first, second, sizeof first);
    folder_fini(&folder);
}

/* A store without its key: making another one would lose every customer. */
static void lost_key(void **state)
{
    (void)state;
    struct folder folder;
    struct crypto_ring *ring = NULL;
    folder_init(&folder);
    assert_int_equal(mkdir(folder.data, 0700), 0);
    assert_int_equal(mkdir(in(&folder, "store"), 0700), 0);
    assert_int_equal(daemon_ring_open(folder.data, "", DAEMON_RING_NEW, &ring, &folder.why), ERR_KEY);
    assert_true(why_has(&folder, "put the key back"));
    assert_null(ring);
    assert_int_not_equal(access(in(&folder, "keys/root.key"), F_OK), 0);
    folder_fini(&folder);
}

static void broken_key(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, CRYPTO_KEY_BYTES - 1, CRYPTO_KEY_BYTES + 1, 5000};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        struct folder folder;
        struct crypto_ring *ring = NULL;
        static char bytes[5000];
        folder_init(&folder);
        assert_int_equal(daemon_ring_open(folder.data, "", DAEMON_RING_NEW, &ring, &folder.why), 0);
        crypto_ring_free(&ring);
        char keys[256];
        snprintf(keys, sizeof keys, "%s", in(&folder, "keys"));
        assert_int_equal(folder_write(keys, "root.key", 0400, slice_make(bytes, sizes[i]), &folder.why), 0);
        assert_int_equal(daemon_ring_open(folder.data, "", DAEMON_RING_NEW, &ring, &folder.why), ERR_KEY);
        assert_true(why_has(&folder, "not a key of 32 bytes"));
        folder_fini(&folder);
    }
}

static void key_that_others_read(void **state)
{
    (void)state;
    static const struct {
        mode_t mode;
        int error;
    } rows[] = {{0400, 0}, {0600, 0}, {0440, 0}, {0460, ERR_KEY}, {0404, ERR_KEY}, {0402, ERR_KEY}, {0644, ERR_KEY}};
    struct folder folder;
    struct crypto_ring *ring = NULL;
    folder_init(&folder);
    assert_int_equal(daemon_ring_open(folder.data, "", DAEMON_RING_NEW, &ring, &folder.why), 0);
    assert_int_equal(prctl(PR_GET_DUMPABLE), 0); /* keys are in memory: no core file may hold them */
    crypto_ring_free(&ring);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(chmod(in(&folder, "keys/root.key"), rows[i].mode), 0);
        buf_clear(&folder.why);
        assert_int_equal(daemon_ring_open(folder.data, "", DAEMON_RING_NEW, &ring, &folder.why), rows[i].error);
        assert_int_equal(why_has(&folder, "is open to others"), rows[i].error != 0);
        crypto_ring_free(&ring);
    }
    folder_fini(&folder);
}

/* A start that was cut off while the key was written has left a piece: it counts for nothing. */
static void half_written(void **state)
{
    (void)state;
    struct folder folder;
    struct crypto_ring *ring = NULL;
    struct buf text;
    folder_init(&folder);
    buf_init(&text, 0);
    assert_int_equal(mkdir(folder.data, 0700), 0);
    assert_int_equal(mkdir(in(&folder, "keys"), 0700), 0);
    FILE *file = fopen(in(&folder, "keys/root.key.new"), "we");
    assert_non_null(file);
    fputs("half a k", file);
    fclose(file);
    assert_int_equal(daemon_ring_open(folder.data, "", DAEMON_RING_NEW, &ring, &folder.why), 0);
    crypto_ring_free(&ring);
    assert_int_equal(folder_read(folder.data, "keys/root.key", &text), 0);
    assert_int_equal(text.size, CRYPTO_KEY_BYTES);
    assert_int_not_equal(access(in(&folder, "keys/root.key.new"), F_OK), 0);
    buf_fini(&text);
    folder_fini(&folder);
}

/* ---- handed over ---- */

#define HEX "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static void put(const char *path, const char *text, mode_t mode)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static bool is_hex_key(const struct crypto_ring *ring)
{
    uint8_t root[CRYPTO_KEY_BYTES], ours[16], wanted[16];
    for (size_t i = 0; i < sizeof root; i++) {
        root[i] = (uint8_t)i;
    }
    struct crypto_ring *known = crypto_ring_new(root);
    crypto_ring_check_value(ring, ours);
    crypto_ring_check_value(known, wanted);
    crypto_ring_free(&known);
    return memcmp(ours, wanted, sizeof ours) == 0;
}

/* In the sources below % stands for the scratch folder. */
static const struct {
    const char *source;
    int error;
    const char *word;
} handed[] = {
    {"file:%/good", 0, NULL},
    {"file:%/open", ERR_KEY, "is open to others (mode 644)"},
    {"file:%/short", ERR_KEY, "not a key of 32 bytes"},
    {"file:%/none", ERR_KEY, "there is no such file"},
    {"file:%", ERR_KEY, "is open to others"}, /* a folder; its mode is told first */
    {"file:", ERR_KEY, "there is no such file"},
    {"credential:good", 0, NULL},
    {"credential:none", ERR_KEY, "there is no such file"},
    {"credential:", ERR_CONFIG, "without /"},
    {"credential:../good", ERR_CONFIG, "without /"},
    {"credential:..", ERR_CONFIG, "without /"},
    {"command:/bin/cat %/good", 0, NULL},
    {"command:/bin/cat %/short", ERR_KEY, "not a key of 32 bytes"},
    {"command:/bin/cat %/none", ERR_KEY, "No such file"},
    {"command:/bin/true", ERR_KEY, "not a key of 32 bytes"},
    {"command:cat %/good", ERR_CONFIG, "path of a program"},
    {"command:", ERR_CONFIG, "path of a program"},
    {"%/good", ERR_CONFIG, "file:PATH, credential:NAME or command:"},
    {"files:%/good", ERR_CONFIG, "file:PATH, credential:NAME or command:"},
};

static void fill(const char *text, const char *root, char *to, size_t size)
{
    const char *mark = strchr(text, '%');
    snprintf(to, size, "%.*s%s%s", mark == NULL ? (int)strlen(text) : (int)(mark - text), text,
             mark == NULL ? "" : root, mark == NULL ? "" : mark + 1);
}

static void sources(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(handed); i++) {
        struct folder folder;
        struct crypto_ring *ring = NULL;
        char path[160], source[256];
        folder_init(&folder);
        assert_int_equal(chmod(folder.root, 0755), 0);
        snprintf(path, sizeof path, "%s/good", folder.root);
        put(path, HEX "\n", 0440);
        snprintf(path, sizeof path, "%s/open", folder.root);
        put(path, HEX, 0644);
        snprintf(path, sizeof path, "%s/short", folder.root);
        put(path, &HEX[2], 0400);
        assert_int_equal(setenv("CREDENTIALS_DIRECTORY", folder.root, 1), 0);
        fill(handed[i].source, folder.root, source, sizeof source);
        assert_int_equal(daemon_ring_open(folder.data, source, DAEMON_RING_NEW, &ring, &folder.why), handed[i].error);
        if (handed[i].error == 0) {
            assert_true(is_hex_key(ring));
            assert_int_equal(mode_of(folder.data), 0700);
            assert_int_not_equal(access(in(&folder, "keys"), F_OK), 0); /* nothing of the key is left behind */
        } else {
            assert_true(why_has(&folder, handed[i].word));
            assert_false(why_has(&folder, "0405060708090a"));
            assert_null(ring);
            assert_int_not_equal(access(folder.data, F_OK), 0);
        }
        crypto_ring_free(&ring);
        folder_fini(&folder);
    }
}

static void credential_without_systemd(void **state)
{
    (void)state;
    struct folder folder;
    struct crypto_ring *ring = NULL;
    folder_init(&folder);
    assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
    assert_int_equal(daemon_ring_open(folder.data, "credential:good", DAEMON_RING_NEW, &ring, &folder.why), ERR_KEY);
    assert_true(why_has(&folder, "LoadCredential=good:"));
    folder_fini(&folder);
}

/* The key that is named counts, whatever lies in the data folder; and none is made for a store that has one. */
static void named_or_elsewhere(void **state)
{
    (void)state;
    struct folder folder;
    struct crypto_ring *ring = NULL;
    char path[160], source[256];
    folder_init(&folder);
    assert_int_equal(daemon_ring_open(folder.data, "", DAEMON_RING_ELSEWHERE, &ring, &folder.why), ERR_KEY);
    assert_true(why_has(&folder, "--root-key"));
    assert_int_not_equal(access(folder.data, F_OK), 0);
    assert_int_equal(daemon_ring_open(folder.data, "", DAEMON_RING_NEW, &ring, &folder.why), 0);
    crypto_ring_free(&ring);
    assert_int_equal(daemon_ring_open(folder.data, "", DAEMON_RING_ELSEWHERE, &ring, &folder.why), 0);
    assert_false(is_hex_key(ring));
    crypto_ring_free(&ring);
    snprintf(path, sizeof path, "%s/good", folder.root);
    put(path, HEX, 0400);
    snprintf(source, sizeof source, "file:%s", path);
    assert_int_equal(daemon_ring_open(folder.data, source, DAEMON_RING_OLD, &ring, &folder.why), 0);
    assert_true(is_hex_key(ring));
    crypto_ring_free(&ring);
    folder_fini(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(root_key),
                                       cmocka_unit_test(lost_key),
                                       cmocka_unit_test(broken_key),
                                       cmocka_unit_test(key_that_others_read),
                                       cmocka_unit_test(half_written),
                                       cmocka_unit_test(sources),
                                       cmocka_unit_test(credential_without_systemd),
                                       cmocka_unit_test(named_or_elsewhere)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
