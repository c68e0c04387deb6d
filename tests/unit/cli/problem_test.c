/* What an exchange's end means to a script: exit codes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include "cli/client.h"

static const struct {
    int err;
    long status;
    const char *body;
    int code;
} ROWS[] = {
    {0, 200, "", CLI_KEPT},
    {0, 204, "", CLI_KEPT},
    {0, 400, "{\"code\":\"malformed-json\",\"detail\":\"d\"}", CLI_REFUSED},
    {0, 401, "{}", CLI_NOT_ALLOWED},
    {0, 403, "not JSON", CLI_NOT_ALLOWED},
    {0, 404, "", CLI_USAGE},
    {0, 408, "", CLI_UNREACHABLE},
    {0, 409, "[]", CLI_REFUSED},
    {0, 409, "{\"code\":\"external-id-conflict\"}", CLI_REFUSED},
    {0, 409, "{\"code\":\"busy\"}", CLI_UNREACHABLE},
    {0, 409, "{\"code\":\"idempotency-key-in-flight\"}", CLI_UNKNOWN},
    {0, 409, "{\"code\":\"import-changed\",\"customers\":[\"a\",7]}", CLI_REFUSED},
    {0, 413, "", CLI_REFUSED},
    {0, 422, "{\"errors\":[{\"index\":1,\"pointer\":\"/a\",\"code\":\"c\",\"detail\":\"d\",\"hint\":\"h\"},{},3]}",
     CLI_REFUSED},
    {0, 422, "{\"errors\":7,\"errorsTotal\":\"x\"}", CLI_REFUSED},
    {0, 500, "", CLI_USAGE},
    {0, 503, "{\"code\":\"overloaded\"}", CLI_UNREACHABLE},
    {0, 503, "{\"code\":\"outcome-unknown\"}", CLI_UNKNOWN},
    {0, 507, "", CLI_UNREACHABLE},
    {ERR_NETWORK, 0, "", CLI_UNREACHABLE},
    {ERR_CUT_OFF, 0, "", CLI_UNREACHABLE},
    {ERR_OUTCOME_UNKNOWN, 200, "", CLI_UNKNOWN},
    {ERR_NO_MEMORY, 0, "", CLI_USAGE},
};

static void ends_have_their_exit_code(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        struct client_answer answer = {.status = ROWS[i].status};
        buf_append_text(&answer.body, ROWS[i].body);
        assert_int_equal(client_finish(ROWS[i].err, &answer), ROWS[i].code);
        client_answer_fini(&answer);
    }
}

static void values_are_escaped(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 0);
    client_append_escaped(&out, "a-Z_0.~ +/?&=%\xC3\xA9");
    assert_true(slice_equal_text(buf_view(&out), "a-Z_0.~%20%2B%2F%3F%26%3D%25%C3%A9"));
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_have_their_exit_code),
        cmocka_unit_test(values_are_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
