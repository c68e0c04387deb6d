/* Whose secrets are hashed next: tenants take turns, each in the order of its customers. */
#include "fixture.h"

#include "../test.h"
#include "intake/intake_priv.h"

static const char *const NAMES[] = {"acme", "birch", "cedar"};

struct bench {
    struct fixture fixture;
    const struct auth_tenant *tenants[COUNT_OF(NAMES)];
    struct hash_turns *turns;
};

/* An intake whose lane has no threads: what is pending stays so. */
static void bench_init(struct bench *bench)
{
    fixture_init(&bench->fixture, false);
    intake_free(&bench->fixture.intake);
    struct intake_options options = {.store = bench->fixture.store,
                                     .ring = bench->fixture.ring,
                                     .auth = bench->fixture.auth,
                                     .worker_threads = 1,
                                     .imports = 4,
                                     .request_chunks = 4,
                                     .memory_bytes = 1u << 20};
    assert_int_equal(intake_new(&options, &bench->fixture.intake), 0);
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        struct slice name = slice_from_text(NAMES[i]);
        int err = auth_tenant_create(bench->fixture.auth, name, true, false);
        assert_true(err == 0 || err == ERR_EXISTS);
        assert_int_equal(auth_tenant_get(bench->fixture.auth, name, &bench->tenants[i]), 0);
    }
    bench->turns = hash_turns_new();
}

static void bench_fini(struct bench *bench)
{
    hash_turns_free(&bench->turns);
    fixture_fini(&bench->fixture);
}

static void post(struct bench *bench, size_t tenant, int count)
{
    static const struct fixture_options cyrexa = {.contract = "cyrexa"};
    struct fixture_batch batch;
    struct buf body;
    buf_init(&body, 0);
    for (int i = 0; i < count; i++) {
        buf_printf(&body, "%s{\"person\":{\"password\":\"p%d\"}}", i == 0 ? "[" : ",", i);
    }
    buf_append_text(&body, "]");
    bench->fixture.tenant = bench->tenants[tenant];
    fixture_post(&bench->fixture, &batch, &cyrexa, buf_view(&body));
    assert_int_equal(batch.answer.error, 0);
    fixture_end(&batch);
    buf_fini(&body);
}

/* The first letters of the tenants that are handed out until none is; each customer once and in order. */
static void expect_until_none(struct bench *bench, int64_t now_ms, const char *expected)
{
    char order[32] = "";
    struct uuid last[COUNT_OF(NAMES)] = {{{0}}};
    struct uuid tenant, id;
    for (size_t at = 0; hash_turns_next(bench->turns, bench->fixture.store, now_ms, &tenant, &id) == 0; at++) {
        size_t i = 0;
        while (i < COUNT_OF(NAMES) && !uuid_equal(&tenant, &bench->tenants[i]->id)) {
            i++;
        }
        if (i == COUNT_OF(NAMES)) {
            fail_msg("a tenant that nobody made");
            return;
        }
        assert_true(at + 1 < sizeof order);
        order[at] = NAMES[i][0];
        assert_true(memcmp(&last[i], &id, sizeof id) < 0);
        last[i] = id;
    }
    assert_string_equal(order, expected);
}

static void tenants_take_turns(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench);
    post(&bench, 0, 5);
    post(&bench, 1, 2);
    post(&bench, 2, 1);
    expect_until_none(&bench, 1, "abcabaaa");
    bench_fini(&bench);
}

/* What is still pending is found by the next search, and by whoever names its tenant at once. */
static void searches_seldom(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench);
    expect_until_none(&bench, 5000, "");
    post(&bench, 0, 2);
    post(&bench, 1, 1);
    expect_until_none(&bench, 5999, "");
    hash_turns_add(bench.turns, &bench.tenants[1]->id);
    expect_until_none(&bench, 5999, "b");
    expect_until_none(&bench, 6000, "aba");
    expect_until_none(&bench, 6999, "");
    expect_until_none(&bench, 7000, "aba");
    bench_fini(&bench);
}

/* A tenant that is named while it has its turns is walked once more from its first. */
static void goes_round_again(void **state)
{
    (void)state;
    struct bench bench;
    struct uuid tenant, first, id;
    bench_init(&bench);
    post(&bench, 0, 2);
    assert_int_equal(hash_turns_next(bench.turns, bench.fixture.store, 1, &tenant, &first), 0);
    hash_turns_add(bench.turns, &bench.tenants[0]->id);
    hash_turns_add(bench.turns, &bench.tenants[0]->id);
    assert_int_equal(hash_turns_next(bench.turns, bench.fixture.store, 1, &tenant, &id), 0);
    assert_int_equal(hash_turns_next(bench.turns, bench.fixture.store, 1, &tenant, &id), 0);
    assert_true(uuid_equal(&id, &first));
    assert_int_equal(hash_turns_next(bench.turns, bench.fixture.store, 1, &tenant, &id), 0);
    assert_int_equal(hash_turns_next(bench.turns, bench.fixture.store, 1, &tenant, &id), ERR_NOT_FOUND);
    bench_fini(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(tenants_take_turns), cmocka_unit_test(searches_seldom),
                                       cmocka_unit_test(goes_round_again)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
