/* The data folder: files that are whole or not there. */
#include "folder.h"

#include <unistd.h>

static void write_and_read(void **state)
{
    (void)state;
    struct folder folder;
    struct buf text;
    static char big[100000];
    memset(big, 'b', sizeof big);
    folder_init(&folder);
    buf_init(&text, 0);
    assert_int_equal(mkdir(folder.data, 0700), 0);
    assert_int_equal(folder_read(folder.data, "a", &text), ERR_NOT_FOUND);
    assert_int_equal(folder_write(folder.data, "a", 0400, slice_make(big, sizeof big), &folder.why), 0);
    assert_int_equal(folder_read(folder.data, "a", &text), 0);
    assert_true(slice_equal(buf_view(&text), slice_make(big, sizeof big)));
    assert_int_equal(folder_write(folder.data, "a", 0600, SLICE("x"), &folder.why), 0); /* over one of mode 0400 */
    assert_int_equal(mode_of(in(&folder, "a")), 0600);
    buf_fini(&text);
    buf_init(&text, 10);
    assert_int_equal(folder_write(folder.data, "a", 0600, SLICE("0123456789x"), &folder.why), 0);
    assert_int_equal(folder_read(folder.data, "a", &text), ERR_TOO_LARGE);
    assert_int_equal(folder.why.size, 0);
    buf_fini(&text);
    folder_fini(&folder);
}

/* What can't take its place leaves nothing behind: it may hold a key. */
static void failed_write_leaves_nothing(void **state)
{
    (void)state;
    struct folder folder;
    folder_init(&folder);
    assert_int_equal(folder_write(folder.data, "a", 0400, SLICE("secret"), &folder.why), ERR_STORAGE_IO);
    assert_true(why_has(&folder, "can't write"));
    assert_int_equal(mkdir(folder.data, 0700), 0);
    assert_int_equal(mkdir(in(&folder, "a"), 0700), 0);
    assert_int_equal(folder_write(folder.data, "a", 0400, SLICE("secret"), &folder.why), ERR_STORAGE_IO);
    assert_true(why_has(&folder, "can't rename"));
    assert_int_not_equal(access(in(&folder, "a.new"), F_OK), 0);
    folder_fini(&folder);
}

/* The operator's key counts only once its file is there, and is made once. */
static void operator_key(void **state)
{
    (void)state;
    static const uint8_t root[CRYPTO_KEY_BYTES] = {9};
    struct folder folder;
    struct store *store;
    struct auth *auth;
    struct buf key;
    folder_init(&folder);
    buf_init(&key, 0);
    struct crypto_ring *ring = crypto_ring_new(root);
    assert_int_equal(store_open_memory(&store), 0);
    assert_int_equal(auth_new(store, ring, SLICE("http://x"), &auth), 0);
    assert_int_equal(folder_operator(auth, folder.data, &folder.why), ERR_STORAGE_IO); /* no folder to write to */
    assert_int_equal(mkdir(folder.data, 0700), 0);
    assert_int_equal(folder_operator(auth, folder.data, &folder.why), 0);
    assert_int_equal(mode_of(in(&folder, "operator.key")), 0400);
    assert_int_equal(folder_read(folder.data, "operator.key", &key), 0);
    assert_int_equal(auth_check_operator(auth, buf_view(&key)), 0);
    assert_int_equal(unlink(in(&folder, "operator.key")), 0); /* kept elsewhere: no other is made */
    assert_int_equal(folder_operator(auth, folder.data, &folder.why), 0);
    assert_int_not_equal(access(in(&folder, "operator.key"), F_OK), 0);
    assert_int_equal(auth_check_operator(auth, buf_view(&key)), 0);
    auth_free(&auth);
    store_close(&store);
    crypto_ring_free(&ring);
    buf_fini(&key);
    folder_fini(&folder);
}

/* A restart is the same server, and one over a copy is another; two are never over one folder. */
static void node_of_a_place(void **state)
{
    (void)state;
    struct folder folder;
    char copy[128];
    struct uuid node, again, copied;
    struct buf text;
    int lock = -1, other = -1;
    folder_init(&folder);
    buf_init(&text, 0);
    snprintf(copy, sizeof copy, "%s/copy", folder.root);
    assert_int_equal(folder_make(folder.data, &folder.why), 0);
    assert_int_equal(folder_node_here(folder.data, &node, &folder.why), 0);
    assert_int_equal(folder_node_here(folder.data, &again, &folder.why), 0);
    assert_true(uuid_equal(&node, &again));
    assert_int_equal(folder_read(folder.data, "node.id", &text), 0);
    assert_int_equal(folder_make(copy, &folder.why), 0);
    assert_int_equal(folder_write(copy, "node.id", 0600, buf_view(&text), &folder.why), 0);
    assert_int_equal(folder_node_here(copy, &copied, &folder.why), 0);
    assert_false(uuid_equal(&node, &copied));

    assert_int_equal(folder_lock(folder.data, &lock, &folder.why), 0);
    assert_int_equal(folder_lock(folder.data, &other, &folder.why), ERR_CONFIG);
    assert_int_equal(other, -1);
    assert_true(why_has(&folder, "another server"));
    assert_int_equal(folder_lock(copy, &other, &folder.why), 0);
    close(other);
    close(lock);
    assert_int_equal(folder_lock(folder.data, &lock, &folder.why), 0);
    close(lock);
    buf_fini(&text);
    folder_fini(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(node_of_a_place), cmocka_unit_test(write_and_read),
                                       cmocka_unit_test(failed_write_leaves_nothing), cmocka_unit_test(operator_key)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
