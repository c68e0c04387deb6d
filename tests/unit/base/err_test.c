/* The error table: every code has what an answer needs, and the documented rows say what they must. */
#include "base/err.h"

#include <string.h>

#include "../test.h"

static void rows_are_whole(void **state)
{
    (void)state;
    static const int all[] = {
#define ERROR(name, number, permanence, status, code, sentence) ERR_##name,
#include "base/errors.def"
#undef ERROR
    };
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        assert_true(all[i] < 0);
        assert_true(err_http_status(all[i]) >= 400 && err_http_status(all[i]) < 600);
        assert_true(strlen(err_code(all[i])) > 0);
        assert_int_equal(err_text(all[i])[strlen(err_text(all[i])) - 1], '.');
        for (size_t j = 0; j < i; j++) {
            assert_int_not_equal(all[i], all[j]);
        }
    }
}

static void documented(void **state)
{
    (void)state;
    static const struct {
        int err, status;
        const char *code;
        bool temporary;
    } rows[] = {{ERR_MALFORMED_JSON, 400, "malformed-json", false},
                {ERR_TOKEN_EXPIRED, 401, "token-expired", false},
                {ERR_TENANT_MISMATCH, 403, "tenant-mismatch", false},
                {ERR_BUSY, 409, "busy", true},
                {ERR_ITEM_TOO_LARGE, 413, "item-too-large", false},
                {ERR_MEDIA_TYPE, 415, "media-type-unsupported", false},
                {ERR_FAULTS, 422, "faults", false},
                {ERR_STORAGE_STOPPED, 503, "storage-stopped", true},
                {ERR_STORAGE_FULL, 507, "storage-full", true},
                {-9999, 500, "internal", false},
                {1, 500, "internal", false},
                {0, 200, "ok", false}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(err_http_status(rows[i].err), rows[i].status);
        assert_string_equal(err_code(rows[i].err), rows[i].code);
        assert_int_equal(err_is_temporary(rows[i].err), rows[i].temporary);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rows_are_whole), cmocka_unit_test(documented)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
