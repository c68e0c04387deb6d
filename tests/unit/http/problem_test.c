/* Problem documents: one error, the whole document, and the status and headers that go with it. */
#include "../test.h"
#include "contract/builtin.h"
#include "http/http_priv.h"

static void make(struct http_request *request, int err, const char *what, const struct intake_answer *answer)
{
    *request = (struct http_request){.id = "01234567-89ab-7def-8123-456789abcdef"};
    buf_init(&request->answer, 0);
    buf_append_text(&request->answer, "{\"half\":"); /* what a handler had begun is thrown away */
    http_problem(request, err, what, answer);
}

#define HEAD(code, title, status, detail)                                                                              \
    "{\"type\":\"urn:muster:problem:" code "\",\"title\":\"" title "\",\"status\":" status ",\"detail\":\"" detail     \
    "\",\"instance\":\"01234567-89ab-7def-8123-456789abcdef\",\"code\":\"" code "\""

static void documents(void **state)
{
    (void)state;
    const struct intake_answer malformed = {.place = {.reason = "A reason.", .offset = 7, .line = 2, .column = 3}};
    struct intake_fault faults[] = {
        {.of_envelope = true, .code = "enum", .pointer = {"/a", 2}, .detail = {"B\"", 2}},
        {.index = 5, .code = "type", .pointer = {"", 0}, .detail = {"C", 1}, .hint = {"d", 1}, .customer = {{1}}}};
    const struct intake_answer faulty = {.faults = faults, .fault_count = 2, .fault_total = 9};
    const struct {
        int err;
        const char *what;
        const struct intake_answer *answer;
        unsigned status;
        bool retry;
        const char *text;
    } rows[] = {
        {ERR_BAD_PARAMETER, "Say it \"so\".", NULL, 400, false,
         HEAD("bad-parameter", "Bad parameter", "400", "Say it \\\"so\\\".") "}"},
        {ERR_SCOPE_MISSING, "customers:read", NULL, 403, false,
         HEAD("scope-missing", "Scope missing", "403",
              "The token lacks the scope customers:read, which this needs.") "}"},
        {ERR_MALFORMED_JSON, NULL, &malformed, 400, false,
         HEAD("malformed-json", "Malformed json", "400", "A reason.") ",\"offset\":7,\"line\":2,\"column\":3}"},
        {ERR_EXTERNAL_ID_CONFLICT, "x", &faulty, 409, false,
         HEAD("external-id-conflict", "External id conflict", "409",
              "x") ",\"errors\":[{\"pointer\":\"/a\",\"code\":\"enum\",\"detail\":\"B\\\"\"},"
                   "{\"index\":5,\"pointer\":\"\",\"code\":\"type\",\"detail\":\"C\",\"hint\":\"d\","
                   "\"customerId\":\"01000000-0000-0000-0000-000000000000\"}],\"errorsTotal\":9}"},
        {ERR_BUSY, "x", NULL, 409, true, HEAD("busy", "Busy", "409", "x") "}"},
        {ERR_STORAGE_FULL, "x", NULL, 507, true, HEAD("storage-full", "Storage full", "507", "x") "}"},
        {ERR_QUOTA, "x", NULL, 429, true, HEAD("quota", "Quota", "429", "x") "}"},
        {ERR_OVERLOADED, "x", NULL, 503, true, HEAD("overloaded", "Overloaded", "503", "x") "}"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct http_request request;
        make(&request, rows[i].err, rows[i].what, rows[i].answer);
        buf_append_byte(&request.answer, 0);
        assert_string_equal(request.answer.data, rows[i].text);
        assert_int_equal(request.status, rows[i].status);
        assert_int_equal(request.retry_after_s, rows[i].retry ? 2 : 0);
        assert_string_equal(request.content_type, "application/problem+json");
        assert_int_equal(request.refusal, rows[i].err); /* the headers are chosen by it */
        buf_fini(&request.answer);
    }
}

/* What is known of when to come again is told, but not where there is nothing to come again for. */
static void known_time(void **state)
{
    (void)state;
    struct http_request request = {.id = "1", .retry_after_s = 77};
    buf_init(&request.answer, 0);
    http_problem(&request, ERR_QUOTA, NULL, NULL);
    assert_int_equal(request.retry_after_s, 77);
    http_problem(&request, ERR_FAULTS, NULL, NULL);
    assert_int_equal(request.retry_after_s, 0);
    buf_fini(&request.answer);
}

/* Clients of the two contracts read `message` and `error`. */
static void siblings(void **state)
{
    (void)state;
    static const char *const members[] = {"\"message\":\"x\"", "\"error\":\"x\""};
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        struct http_request request = {0};
        struct contract *contract;
        struct buf why;
        buf_init(&why, 0);
        buf_init(&request.answer, 0);
        assert_int_equal(contract_compile(contract_builtin(i), &contract, &why), 0);
        request.contract = contract;
        http_problem(&request, ERR_FAULTS, "x", NULL);
        buf_append_byte(&request.answer, 0);
        assert_non_null(strstr(request.answer.data, members[i]));
        buf_fini(&request.answer);
        buf_fini(&why);
        contract_free(&contract);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(documents), cmocka_unit_test(known_time),
                                       cmocka_unit_test(siblings)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
