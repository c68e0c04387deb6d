/* Locations as they are shown: no piece of a password, however it was written; and those that are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* Before cmocka.h, which needs the four above. */
#include <cmocka.h>

#include "store/store.h"

static const struct row {
    const char *location;
    const char *shown;
    bool good;
} ROWS[] = {
    {"/var/lib/muster/store", "/var/lib/muster/store", true},
    {"a=b/c", "a=b/c", true},
    {"postgresql://host/db", "postgresql://host/db", true},
    {"postgres://user@host:5432/db", "postgres://user@host:5432/db", true},
    {"postgresql://", "postgresql://", true},
    {"postgresql:///db?host=/run/x", "postgresql:///db?host=/run/x", true},
    {"postgresql://user:hush@host/db", "postgresql://user:***@host/db", true},
    {"postgresql://:hush@host/db", "postgresql://:***@host/db", true},
    {"postgresql://user:hu%40sh@host/db", "postgresql://user:***@host/db", true},
    {"postgresql://us%C3%A9r@host/db", "postgresql://us%C3%A9r@host/db", true},
    {"postgresql://user%3Ahush@host/db", "postgresql://user:***@host/db", true},
    {"postgresql://user%3ahush@host/db", "postgresql://user:***@host/db", true},
    {"postgresql://u:hush@h1:1,[::1]:2,h3/db", "postgresql://u:***@h1:1,[::1]:2,h3/db", true},
    {"postgresql://h1:1,h2/db?user=me&password=hush", "postgresql://h1:1,h2/db?user=me&password=***", true},
    {"postgresql://h/db?password=hush&sslmode=require", "postgresql://h/db?password=***&sslmode=require", true},
    {"postgresql://h/db?pass%77ord=hush", "postgresql://h/db?pass%77ord=***", true},
    {"postgresql://h/db?PASSWORD=hush", "postgresql://h/db?PASSWORD=***", true},
    {"postgresql://h/db?sslpassword=hush", "postgresql://h/db?sslpassword=***", true},
    {"postgresql://h/db?options=hush", "postgresql://h/db?options=***", true},
    {"postgresql://h/db?hush", "postgresql://h/db?***", true},
    {"postgresql://h?password=hu=sh&port=1", "postgresql://h?password=***&port=1", true},
    {"postgresql://u:a@h/db?password=hush@", "postgresql://u:***@h/db?password=***", true},
    /* signs in a password that are not encoded, and other slips */
    {"postgresql://user:hu@sh@host/db", "postgresql://***", false},
    {"postgresql://user:hu/sh@host/db", "postgresql://***", false},
    {"postgresql://user:hu?sh@host/db", "postgresql://***", false},
    {"postgresql://user:hush", "postgresql://user:***", false},
    {"postgresql://user:hush/db", "postgresql://user:***/db", false},
    {"postgresql://[::1]:hush/db", "postgresql://[:***/db", false},
    {"POSTGRESQL://user:hush@host/db", "POSTGRESQL://user:***@host/db", false},
    {"mysql://user:hush@host/db", "mysql://user:***@host/db", false},
    {"host=h password=hush dbname=d", "host=h password=***", false},
    {"host=h PASSWORD = 'hu sh' user=u", "host=h PASSWORD =***", false},
    {"dbname=d host=h", "dbname=d host=h", false},
    {"sslpassword=hush", "sslpassword=***", false},
};

static void locations(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        struct buf text, why;
        buf_init(&text, 0);
        buf_init(&why, 0);
        store_location_show(ROWS[i].location, &text);
        if (!slice_equal_text(buf_view(&text), ROWS[i].shown)) {
            fail_msg("%s is shown as %.*s", ROWS[i].location, SLICE_ARG(buf_view(&text)));
        }
        int err = store_location_check(ROWS[i].location, &why);
        if (err != (ROWS[i].good ? 0 : ERR_CONFIG) || (why.size == 0) != ROWS[i].good) {
            fail_msg("%s: %d", ROWS[i].location, err);
        }
        assert_true(why.size == 0 || memmem(why.data, why.size, "hu", 2) == NULL);
        buf_fini(&why);
        buf_fini(&text);
    }
}

/* What the kinds say of a location that is not refused and does not work: nobody answers there. */
static void errors_name_no_password(void **state)
{
    static const char *const dead[] = {
        "postgresql://user:hush@127.0.0.1:1/db?connect_timeout=2",
        "postgresql://127.0.0.1:1/db?password=hush&connect_timeout=2",
        "postgresql://127.0.0.1:1/db?pass%77ord=hush&connect_timeout=2",
        "postgresql://u:hush@127.0.0.1:1/db?hush=hush",
        "postgresql://u:hu%zzsh@127.0.0.1:1/db",
        "postgresql://u:hush@127.0.0.1:1/db?sslmode=hush",
        "postgresql://u:hu@sh@127.0.0.1:1/db",
        "host=127.0.0.1 port=1 password=hush",
    };
    (void)state;
    for (size_t i = 0; i < sizeof dead / sizeof dead[0]; i++) {
        struct store_options options = {.patience_ms = 1000};
        struct store_status status;
        struct store *store = NULL;
        struct buf why;
        unsigned from, to;
        buf_init(&why, 0);
        assert_true(store_open(dead[i], &options, &store, &why) != 0);
        assert_true(store_status(dead[i], &status, &why) != 0);
        assert_true(store_migrate(dead[i], &from, &to, &why) != 0);
        assert_true(why.size > 0);
        if (memmem(why.data, why.size, "hu", 2) != NULL || memmem(why.data, why.size, "sh", 2) != NULL) {
            fail_msg("%s: %.*s", dead[i], SLICE_ARG(buf_view(&why)));
        }
        buf_fini(&why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(locations), cmocka_unit_test(errors_name_no_password)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
