/*
 * Rows in the store: their names, their text byte for byte (it is stored in every installation), what of
 * them is shown, and that a damaged one is told as such.
 */
#include "house.h"

#include "auth/auth_priv.h"

/* No project's name can reach another tenant's rows, or another project's. */
static void row_names_do_not_meet(void **state)
{
    (void)state;
    struct auth_row_name a = auth_row_name_of_project(SLICE("t"), SLICE("../u/70"));
    struct auth_row_name b = auth_row_name_of_project(SLICE("t"), SLICE("p"));
    assert_string_equal(a.text, "project/t/2e2e2f752f3730");
    assert_string_equal(b.text, "project/t/70");
}

static void row_names(void **state)
{
    (void)state;
    struct uuid id = {{0x01, 0x91, 0x23, 0x45, 0x67, 0x89, 0x7a, 0xbc, 0x8d, 0xef, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab}};
    const struct {
        struct auth_row_name name;
        const char *text;
    } rows[] = {
        {auth_row_name_of_tenant(SLICE("demo")), "tenant/demo"},
        {auth_row_name_of_tenant_id(&id), "tenant-id/01912345-6789-7abc-8def-0123456789ab"},
        {auth_row_name_of_project(SLICE("demo"), SLICE("Z\xC3\xBC")), "project/demo/5ac3bc"},
        {auth_row_name_of_client(SLICE("client-00ff")), "client/client-00ff"},
        {auth_row_name_of_key(SLICE("key-00ff")), "key/key-00ff"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_string_equal(rows[i].name.text, rows[i].text);
    }
}

/* Every member that a row can have, so that what a kind leaves out is seen. */
static const struct auth_row FULL = {
    .name = "a \"name\"",
    .tenant = "demo",
    .id = "id-1",
    .project = "p",
    .scopes = SCOPE_CUSTOMERS_CREATE | SCOPE_CUSTOMERS_READ,
    .key_kind = AUTH_TENANT_TOKEN,
    .makes_projects = true,
    .strict = false,
    .revoked = true,
    .limits = {{[AUTH_REQUEST_ITEMS] = 10, [AUTH_DAY_BYTES] = AUTH_LIMIT_MAX}},
    .created_ms = HOUSE_NOW_MS,
    .hash = {1, 2, 3},
    .wrapped = {4, 5, 6},
};

#define HASH    "AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define WRAPPED "BAUGAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static const struct kind_row {
    const char *stored;
    const char *shown;
} KINDS[] = {
    [AUTH_ROW_TENANT] = {"{\"id\":\"id-1\",\"name\":\"a \\\"name\\\"\",\"createProjects\":true,\"strict\":false,"
                         "\"itemsPerRequest\":10,\"bytesPerDay\":9007199254740992,"
                         "\"created\":1722988800000,\"revoked\":true,\"key\":\"" WRAPPED "\"}",
                         "[{\"id\":\"id-1\",\"name\":\"a \\\"name\\\"\",\"createProjects\":true,\"strict\":false,"
                         "\"itemsPerRequest\":10,\"bytesPerDay\":9007199254740992,"
                         "\"created\":\"2024-08-07T00:00:00.000Z\",\"revoked\":true}]"},
    [AUTH_ROW_PROJECT] =
        {"{\"name\":\"a \\\"name\\\"\",\"tenant\":\"demo\",\"created\":1722988800000,\"revoked\":true}",
         "[{\"name\":\"a \\\"name\\\"\",\"tenant\":\"demo\",\"created\":\"2024-08-07T00:00:00.000Z\","
         "\"revoked\":true}]"},
    [AUTH_ROW_CLIENT] = {"{\"id\":\"id-1\",\"name\":\"a \\\"name\\\"\",\"tenant\":\"demo\",\"scopes\":"
                         "[\"customers:create\",\"customers:read\"],\"project\":\"p\",\"created\":1722988800000,"
                         "\"revoked\":true,\"hash\":\"" HASH "\"}",
                         "[{\"id\":\"id-1\",\"name\":\"a \\\"name\\\"\",\"tenant\":\"demo\",\"scopes\":"
                         "[\"customers:create\",\"customers:read\"],\"project\":\"p\","
                         "\"created\":\"2024-08-07T00:00:00.000Z\",\"revoked\":true}]"},
    [AUTH_ROW_KEY] = {"{\"id\":\"id-1\",\"name\":\"a \\\"name\\\"\",\"tenant\":\"demo\",\"kind\":\"tenant-token\","
                      "\"scopes\":[\"customers:create\",\"customers:read\"],\"project\":\"p\","
                      "\"created\":1722988800000,\"revoked\":true,\"hash\":\"" HASH "\"}",
                      "[{\"id\":\"id-1\",\"name\":\"a \\\"name\\\"\",\"tenant\":\"demo\",\"kind\":\"tenant-token\","
                      "\"scopes\":[\"customers:create\",\"customers:read\"],\"project\":\"p\","
                      "\"created\":\"2024-08-07T00:00:00.000Z\",\"revoked\":true}]"},
};

static const struct auth_row_name NAME = {"row"};

static int leave(void *context, struct auth_row *row)
{
    (void)context;
    (void)row;
    return 0;
}

/* Saved, stored as that text, loaded, saved again as the same text, and shown without its secrets. */
static void rows_are_kept_whole(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < sizeof KINDS / sizeof KINDS[0]; kind++) {
        struct store *store;
        struct auth_row row = FULL;
        struct buf text;
        buf_init(&text, 0);
        assert_int_equal(store_open_memory(&store), 0);
        for (int times = 0; times < 2; times++) {
            assert_int_equal(auth_row_add(store, &NAME, (enum auth_row_kind)kind, &row), times == 0 ? 0 : ERR_EXISTS);
            assert_int_equal(auth_row_change(store, &NAME, (enum auth_row_kind)kind, leave, NULL, &row), 0);
            buf_clear(&text);
            assert_int_equal(store_meta_get(store, SLICE("row"), &text), 0);
            if (!slice_equal_text(buf_view(&text), KINDS[kind].stored)) {
                fail_msg("kind %zu: %.*s", kind, SLICE_ARG(buf_view(&text)));
            }
            row = (struct auth_row){0};
            assert_int_equal(auth_row_load(store, &NAME, (enum auth_row_kind)kind, &row), 0);
        }
        buf_clear(&text);
        assert_int_equal(auth_row_list(store, SLICE("ro"), (enum auth_row_kind)kind, SLICE_NONE, &text), 0);
        if (!slice_equal_text(buf_view(&text), KINDS[kind].shown)) {
            fail_msg("kind %zu: %.*s", kind, SLICE_ARG(buf_view(&text)));
        }
        buf_fini(&text);
        store_close(&store);
    }
}

/* The row is another one by the time that it is written: what it is then is changed. */
static int meet_another(void *context, struct auth_row *row)
{
    struct store *store = context;
    if (row->scopes == FULL.scopes) {
        struct buf value;
        buf_init(&value, 0);
        assert_int_equal(store_meta_get(store, SLICE("other"), &value), 0);
        assert_int_equal(store_meta_put(store, SLICE("row"), buf_view(&value)), 0);
        buf_fini(&value);
    }
    row->revoked = true;
    return 0;
}

static void change_is_not_lost(void **state)
{
    static const struct auth_row_name other_name = {"other"};
    struct store *store;
    struct auth_row row = FULL;
    struct auth_row other = FULL;
    (void)state;
    row.revoked = false;
    other.revoked = false;
    other.scopes = SCOPE_CUSTOMERS_READ;
    assert_int_equal(store_open_memory(&store), 0);
    assert_int_equal(auth_row_change(store, &NAME, AUTH_ROW_KEY, meet_another, store, &row), ERR_NOT_FOUND);
    assert_int_equal(auth_row_add(store, &NAME, AUTH_ROW_KEY, &row), 0);
    assert_int_equal(auth_row_add(store, &other_name, AUTH_ROW_KEY, &other), 0);
    assert_int_equal(auth_row_change(store, &NAME, AUTH_ROW_KEY, meet_another, store, &row), 0);
    assert_int_equal(auth_row_load(store, &NAME, AUTH_ROW_KEY, &row), 0);
    assert_true(row.revoked);
    assert_int_equal(row.scopes, SCOPE_CUSTOMERS_READ);
    store_close(&store);
}

/* One text of a good row replaced by another. */
static const struct damage {
    enum auth_row_kind kind;
    const char *from, *to;
    int err;
} DAMAGES[] = {
    {AUTH_ROW_KEY, "{", "{", 0},
    {AUTH_ROW_KEY, "{", "{\"later\":[1],", 0},           /* what is not known is ignored */
    {AUTH_ROW_TENANT, "\"itemsPerRequest\":10,", "", 0}, /* no limit */
    {AUTH_ROW_TENANT, ":10,", ":0,", ERR_CORRUPT},
    {AUTH_ROW_TENANT, ":10,", ":-1,", ERR_CORRUPT},
    {AUTH_ROW_TENANT, ":10,", ":\"10\",", ERR_CORRUPT},
    {AUTH_ROW_KEY, "\"id\":\"id-1\",", "", ERR_CORRUPT},
    {AUTH_ROW_KEY, "\"id-1\"", "7", ERR_CORRUPT},
    {AUTH_ROW_KEY, "\"id-1\"", "\"0123456789012345678901234567890123456789012345678\"", ERR_CORRUPT},
    {AUTH_ROW_KEY, "\"tenant\":\"demo\",", "", ERR_CORRUPT},
    {AUTH_ROW_KEY, "\"demo\"", "null", ERR_CORRUPT},
    {AUTH_ROW_KEY, "tenant-token", "api-key", 0},
    {AUTH_ROW_KEY, "tenant-token", "token", ERR_CORRUPT},
    {AUTH_ROW_KEY, "\"kind\"", "\"king\"", ERR_CORRUPT},
    {AUTH_ROW_KEY, "customers:create", "customers:all", ERR_CORRUPT},
    {AUTH_ROW_KEY, "\"customers:create\"", "1", ERR_CORRUPT},
    {AUTH_ROW_KEY, "[\"customers:create\",\"customers:read\"]", "[]", 0},
    {AUTH_ROW_KEY, "[\"customers:create\",\"customers:read\"]", "\"customers:read\"", ERR_CORRUPT},
    {AUTH_ROW_KEY, "\"project\":\"p\",", "", ERR_CORRUPT},
    {AUTH_ROW_KEY, "1722988800000", "\"2024\"", ERR_CORRUPT},
    {AUTH_ROW_KEY, "1722988800000", "1.5", ERR_CORRUPT},
    {AUTH_ROW_KEY, "\"revoked\":true", "\"revoked\":1", ERR_CORRUPT},
    {AUTH_ROW_KEY, "\"revoked\":true,", "", ERR_CORRUPT},
    {AUTH_ROW_KEY, HASH, "AQID", ERR_CORRUPT},
    {AUTH_ROW_KEY, HASH, HASH "A", ERR_CORRUPT},
    {AUTH_ROW_KEY, "AQID", "A+ID", ERR_CORRUPT},
    {AUTH_ROW_CLIENT, "\"hash\"", "\"hasj\"", ERR_CORRUPT},
    {AUTH_ROW_CLIENT, "\"demo\"", "\"demo\",\"tenant\":\"demo\"", ERR_CORRUPT},
    {AUTH_ROW_PROJECT, "\"name\":", "\"nam\":", ERR_CORRUPT},
    {AUTH_ROW_PROJECT, "\"tenant\":\"demo\",", "", ERR_CORRUPT},
    {AUTH_ROW_PROJECT, "true}", "true", ERR_CORRUPT},
    {AUTH_ROW_PROJECT, "true}", "true}}", ERR_CORRUPT},
    {AUTH_ROW_TENANT, "\"createProjects\":true", "\"createProjects\":null", ERR_CORRUPT},
    {AUTH_ROW_TENANT, "\"strict\":false,", "", ERR_CORRUPT},
    {AUTH_ROW_TENANT, WRAPPED, "", ERR_CORRUPT},
    {AUTH_ROW_TENANT, WRAPPED, HASH, ERR_CORRUPT},
};

static void damaged_rows(void **state)
{
    struct store *store;
    struct buf text;
    (void)state;
    assert_int_equal(store_open_memory(&store), 0);
    buf_init(&text, 0);
    for (size_t i = 0; i < sizeof DAMAGES / sizeof DAMAGES[0]; i++) {
        const struct damage *damage = &DAMAGES[i];
        struct auth_row row;
        const char *stored = KINDS[damage->kind].stored;
        const char *at = strstr(stored, damage->from);
        assert_non_null(at);
        buf_clear(&text);
        buf_append(&text, stored, (size_t)(at - stored));
        buf_append_text(&text, damage->to);
        buf_append_text(&text, at + strlen(damage->from));
        assert_int_equal(store_meta_put(store, SLICE("row"), buf_view(&text)), 0);
        if (auth_row_load(store, &NAME, damage->kind, &row) != damage->err) {
            fail_msg("row %zu: %.*s", i, SLICE_ARG(buf_view(&text)));
        }
        buf_clear(&text);
        assert_int_equal(auth_row_list(store, SLICE("row"), damage->kind, SLICE_NONE, &text), damage->err);
    }
    buf_fini(&text);
    store_close(&store);
}

static void absent_and_oversized(void **state)
{
    struct store *store;
    struct buf text;
    struct auth_row row;
    (void)state;
    assert_int_equal(store_open_memory(&store), 0);
    assert_int_equal(auth_row_load(store, &NAME, AUTH_ROW_PROJECT, &row), ERR_NOT_FOUND);
    buf_init(&text, 0);
    buf_append_text(&text, KINDS[AUTH_ROW_PROJECT].stored);
    while (text.size <= 4096) { /* white space, so that nothing but its size is wrong */
        assert_int_equal(store_meta_put(store, SLICE("row"), buf_view(&text)), 0);
        assert_int_equal(auth_row_load(store, &NAME, AUTH_ROW_PROJECT, &row), 0);
        buf_append_text(&text, text.size < 4000 ? "                                                  " : " ");
    }
    assert_int_equal(store_meta_put(store, SLICE("row"), buf_view(&text)), 0);
    assert_int_equal(auth_row_load(store, &NAME, AUTH_ROW_PROJECT, &row), ERR_CORRUPT);
    buf_fini(&text);
    store_close(&store);
}

/* A list has the rows of its prefix, of one tenant if one is named. */
static void lists(void **state)
{
    static const struct {
        const char *prefix, *tenant;
        const char *ids; /* of the rows that are listed */
    } rows[] = {
        {"key/", "", "123"}, {"key/", "t1", "13"}, {"key/", "t2", "2"},
        {"key/", "t3", ""},  {"key/a", "", "12"},  {"client/", "", "4"},
    };
    static const struct {
        struct auth_row_name name;
        const char *tenant, *id;
    } made[] = {{{"key/a1"}, "t1", "1"}, {{"key/a2"}, "t2", "2"}, {{"key/b3"}, "t1", "3"}, {{"client/4"}, "t1", "4"}};
    struct store *store;
    struct buf json, ids;
    (void)state;
    assert_int_equal(store_open_memory(&store), 0);
    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++) {
        struct auth_row row = FULL;
        auth_text_copy(row.tenant, sizeof row.tenant, slice_from_text(made[i].tenant));
        auth_text_copy(row.id, sizeof row.id, slice_from_text(made[i].id));
        assert_int_equal(auth_row_add(store, &made[i].name, AUTH_ROW_KEY, &row), 0);
    }
    buf_init(&json, 0);
    buf_init(&ids, 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        buf_clear(&json);
        buf_clear(&ids);
        assert_int_equal(
            auth_row_list(store, slice_from_text(rows[i].prefix), AUTH_ROW_KEY, slice_from_text(rows[i].tenant), &json),
            0);
        buf_append_byte(&json, 0);
        for (const char *at = strstr(json.data, "\"id\":\""); at != NULL; at = strstr(at + 1, "\"id\":\"")) {
            buf_append_byte(&ids, (uint8_t)at[6]);
        }
        assert_true(slice_equal_text(buf_view(&ids), rows[i].ids));
    }
    buf_fini(&json);
    buf_fini(&ids);
    store_close(&store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(row_names_do_not_meet), cmocka_unit_test(row_names),
        cmocka_unit_test(rows_are_kept_whole),   cmocka_unit_test(damaged_rows),
        cmocka_unit_test(absent_and_oversized),  cmocka_unit_test(lists),
        cmocka_unit_test(change_is_not_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
