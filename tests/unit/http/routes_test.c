/* The table of routes: which handler a method and a path lead to, and what Allow says otherwise. */
#include "../test.h"
#include "contract/builtin.h"
#include "http/http_priv.h"

struct house {
    struct contract *contract;
    struct registry registry;
    struct http_server server;
};

static void house_init(struct house *house)
{
    struct buf why;
    buf_init(&why, 0);
    *house = (struct house){0};
    assert_int_equal(contract_compile(contract_builtin(0), &house->contract, &why), 0);
    house->registry.contracts = &house->contract;
    house->registry.contract_count = 1;
    house->server.options.registry = &house->registry;
    buf_fini(&why);
}

static void paths(void **state)
{
    (void)state;
    static const struct {
        const char *method, *path;
        int error;
        http_handler *handler;
        const char *first, *second, *allow;
    } rows[] = {
        {"GET", "/healthz", 0, http_health, "", "", ""},
        {"HEAD", "/healthz", 0, http_health, "", "", ""},
        {"POST", "/healthz", ERR_METHOD_NOT_ALLOWED, NULL, "", "", "GET, HEAD"},
        {"get", "/healthz", ERR_METHOD_NOT_ALLOWED, NULL, "", "", "GET, HEAD"},
        {"GET", "/healthz/", ERR_NOT_FOUND, NULL, "", "", ""},
        {"GET", "//healthz", ERR_NOT_FOUND, NULL, "", "", ""},
        {"GET", "", ERR_NOT_FOUND, NULL, "", "", ""},
        {"GET", "http://host:80/healthz", 0, http_health, "", "", ""},
        {"GET", "HTTPS://host/v1/customers/x", 0, http_customer_get, "x", "", ""},
        {"GET", "http://host", ERR_NOT_FOUND, NULL, "", "", ""},
        {"GET", "http://", ERR_NOT_FOUND, NULL, "", "", ""},
        {"GET", "http:/healthz", ERR_NOT_FOUND, NULL, "", "", ""},
        {"GET", "ftp://host/healthz", ERR_NOT_FOUND, NULL, "", "", ""},
        {"GET", "/", ERR_NOT_FOUND, NULL, "", "", ""},
        {"OPTIONS", "*", ERR_NOT_FOUND, NULL, "", "", ""},
        {"GET", "/v1/customers", 0, http_customer_list, "", "", ""},
        {"GET", "/v1/customers/x", 0, http_customer_get, "x", "", ""},
        {"GET", "/v1/customers/%41%2Fb", 0, http_customer_get, "A/b", "", ""},
        {"GET", "/v1/customers/%2541", 0, http_customer_get, "%41", "", ""},
        {"GET", "/v1/customers/a+b", 0, http_customer_get, "a+b", "", ""},
        {"GET", "/v1/customers/%4", ERR_NOT_FOUND, NULL, "", "", ""},
        {"GET", "/v1/customers//verify", ERR_NOT_FOUND, NULL, "", "", ""},
        {"POST", "/v1/customers/x/verify", 0, http_secret_verify, "x", "", ""},
        {"DELETE", "/v1/admin/tenants/a%20b/projects/c%64", 0, http_project_revoke, "a b", "cd", ""},
        {"PATCH", "/v1/admin/tenants", ERR_METHOD_NOT_ALLOWED, NULL, "", "", "POST, GET, HEAD"},
        {"POST", "/customer/1.0.0/createBulk", 0, NULL, "", "", ""},
        {"GET", "/customer/1.0.0/createBulk", ERR_METHOD_NOT_ALLOWED, NULL, "", "", "POST"},
        {"POST", "/customer/1.0.0/createbulk", ERR_NOT_FOUND, NULL, "", "", ""},
    };
    struct house house;
    house_init(&house);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct http_request request = {.server = &house.server};
        buf_init(&request.param_text, 0);
        int err = http_route_find(&request, rows[i].method, rows[i].path);
        if (err != rows[i].error) {
            fail_msg("%s %s: %s", rows[i].method, rows[i].path, err_code(err));
        }
        if (err == 0) {
            assert_ptr_equal(request.route->handler, rows[i].handler);
            assert_true(slice_equal_text(request.params[0], rows[i].first));
            assert_true(slice_equal_text(request.params[1], rows[i].second));
        }
        assert_string_equal(request.allow, rows[i].allow);
        buf_fini(&request.param_text);
    }
    contract_free(&house.contract);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(paths)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
