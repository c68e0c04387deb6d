/* Addresses to listen on: what is one, what is none, and what is said of it. */
#include "../test.h"
#include "http/http.h"

#include <stdio.h>
#include <unistd.h>

static void addresses(void **state)
{
    (void)state;
    static const struct {
        const char *address;
        int error;
    } rows[] = {{"127.0.0.1:0", 0},
                {"0.0.0.0:0", 0},
                {"", ERR_CONFIG},
                {"127.0.0.1", ERR_CONFIG},
                {"127.0.0.1:", ERR_CONFIG},
                {":8484", ERR_CONFIG},
                {"localhost:0", ERR_CONFIG},
                {"127.0.0.1:http", ERR_CONFIG},
                {"127.0.0.1:65536", ERR_CONFIG},
                {"127.0.0.1:99999", ERR_CONFIG},
                {"127.0.0.1:123456", ERR_CONFIG},
                {"127.0.0.1:-1", ERR_CONFIG},
                {"127.0.0.1:+1", ERR_CONFIG},
                {"127.0.0.1: 1", ERR_CONFIG},
                {"[]:0", ERR_CONFIG},
                {"[127.0.0.1:0", ERR_CONFIG},
                {"192.0.2.1:0", ERR_NETWORK}}; /* RFC 5737: nobody's address */
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf why;
        int fd = -1;
        uint16_t port = 0;
        buf_init(&why, 0);
        int err = http_listen(rows[i].address, &fd, &port, &why);
        if (err != rows[i].error) {
            fail_msg("\"%s\": %s", rows[i].address, err_code(err));
        }
        assert_true((err == 0) == (port != 0));
        assert_true((err == 0) == (why.size == 0));
        if (err == 0) {
            struct buf again;
            int other;
            uint16_t same;
            char text[32];
            buf_init(&again, 0);
            snprintf(text, sizeof text, "127.0.0.1:%u", port);
            assert_int_equal(http_listen(text, &other, &same, &again), ERR_NETWORK); /* taken */
            assert_true(again.size > 0);
            buf_fini(&again);
            close(fd);
        }
        buf_fini(&why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(addresses)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
