/* What is sent again, and after how long: the policy as rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include "base/err.h"
#include "cli/retry.h"

#define NO_WISH (-1)

static const struct {
    struct retry_end end;
    enum retry_kind kind;
} ROWS[] = {
    {{0, 200, {"", 0}, NO_WISH, false, true}, RETRY_OVER},
    {{0, 202, {"", 0}, NO_WISH, false, true}, RETRY_OVER},
    {{0, 400, {"malformed-json", 14}, NO_WISH, false, true}, RETRY_OVER},
    {{0, 401, {"", 0}, NO_WISH, false, true}, RETRY_OVER},
    {{0, 408, {"too-slow", 8}, NO_WISH, false, true}, RETRY_NOW},
    {{0, 409, {"external-id-conflict", 20}, NO_WISH, false, true}, RETRY_OVER},
    {{0, 409, {"busy", 4}, NO_WISH, false, true}, RETRY_NOW},
    {{0, 409, {"idempotency-key-in-flight", 25}, NO_WISH, false, true}, RETRY_NOW},
    {{0, 409, {"", 0}, NO_WISH, false, true}, RETRY_OVER},
    {{0, 422, {"idempotency-key-reused", 22}, NO_WISH, false, true}, RETRY_OVER},
    {{0, 429, {"quota", 5}, 3, false, true}, RETRY_NOW},
    {{0, 429, {"quota", 5}, 86400, false, true}, RETRY_TOO_LONG},
    {{0, 500, {"internal", 8}, NO_WISH, false, true}, RETRY_OVER},
    {{0, 503, {"overloaded", 10}, NO_WISH, false, true}, RETRY_NOW},
    {{0, 503, {"", 0}, NO_WISH, false, false}, RETRY_NO_BODY},
    {{0, 507, {"storage-full", 12}, NO_WISH, false, true}, RETRY_NOW},
    {{ERR_NETWORK, 0, {"", 0}, NO_WISH, false, true}, RETRY_NOW},
    {{ERR_NETWORK, 0, {"", 0}, NO_WISH, false, false}, RETRY_NO_BODY},
    {{ERR_OUTCOME_UNKNOWN, 200, {"", 0}, NO_WISH, false, true}, RETRY_NOW},
    {{ERR_CUT_OFF, 0, {"", 0}, NO_WISH, false, true}, RETRY_OVER},
    {{ERR_NO_MEMORY, 0, {"", 0}, NO_WISH, false, true}, RETRY_OVER},
};

static void ends_are_told_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        struct retry retry = {.limit = 1};
        struct retry_decision decision = retry_decide(&retry, &ROWS[i].end, 0);
        assert_int_equal(decision.kind, ROWS[i].kind);
        assert_int_equal(retry.failed, ROWS[i].kind == RETRY_OVER ? 0 : 1);
    }
}

static void attempts_without_progress_are_counted(void **state)
{
    (void)state;
    struct retry retry = {.limit = 3};
    struct retry_end end = {.err = ERR_NETWORK, .retry_after_s = NO_WISH, .again = true};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(retry_decide(&retry, &end, 0).kind, RETRY_NOW);
    }
    assert_int_equal(retry_decide(&retry, &end, 0).kind, RETRY_EXHAUSTED);
    end.progress = true;
    assert_int_equal(retry_decide(&retry, &end, 0).kind, RETRY_NOW);
    assert_int_equal(retry.failed, 1);
    struct retry none = {.limit = 0};
    assert_int_equal(retry_decide(&none, &end, 0).kind, RETRY_EXHAUSTED);
}

static void pauses_double_and_are_bounded(void **state)
{
    (void)state;
    for (uint64_t failed = 0; failed < 200; failed++) {
        struct retry retry = {.limit = UINT64_MAX, .failed = failed};
        struct retry_end end = {.err = ERR_NETWORK, .retry_after_s = NO_WISH, .again = true};
        int64_t whole = failed < 20 ? RETRY_FIRST_MS << failed : RETRY_LONGEST_MS;
        whole = whole < RETRY_LONGEST_MS ? whole : RETRY_LONGEST_MS;
        for (uint32_t random = 0; random < UINT32_MAX - UINT32_MAX / 7; random += UINT32_MAX / 7) {
            struct retry once = retry;
            int64_t wait = retry_decide(&once, &end, random).wait_ms;
            assert_in_range(wait, whole / 2, whole);
        }
    }
}

static void the_server_s_wish_is_a_minimum(void **state)
{
    (void)state;
    struct retry retry = {.limit = 100};
    struct retry_end end = {.status = 503, .retry_after_s = 7, .again = true};
    assert_int_equal(retry_decide(&retry, &end, 0).wait_ms, 7000);
    retry.failed = 20;
    end.retry_after_s = 1;
    assert_in_range(retry_decide(&retry, &end, 0).wait_ms, RETRY_LONGEST_MS / 2, RETRY_LONGEST_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_are_told_apart),
        cmocka_unit_test(attempts_without_progress_are_counted),
        cmocka_unit_test(pauses_double_and_are_bounded),
        cmocka_unit_test(the_server_s_wish_is_a_minimum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
