/* Faults of one code at one place count together; ranges, and what is beyond the limits. */
#include "reasons.h"

#include <stdio.h>

static void add(struct registry_groups *groups, uint64_t index, const char *texts)
{
    struct buf keep;
    struct registry_reasons reasons = make_reasons(index, texts, &keep);
    assert_int_equal(registry_groups_add(groups, &reasons), 0);
    buf_fini(&keep);
}

static void expect(struct registry_groups **groups, const char *want)
{
    struct buf out;
    buf_init(&out, 0);
    registry_groups_put(*groups, &out);
    buf_append_byte(&out, 0);
    assert_string_equal(out.data, want);
    buf_fini(&out);
    registry_groups_free(groups);
    assert_null(*groups);
}

static void grouped(void **state)
{
    (void)state;
    struct registry_groups *groups = registry_groups_new();
    add(groups, 0, "type /a First.");
    add(groups, 3, "type /b/0/c Second.|type /b/1/c Other.|enum /a No.");
    add(groups, 4, "type /b/12/c Third.");
    add(groups, 6, "type /b/x1/c Name.|type /b/0/c Again.");
    expect(&groups, "{\"items\":4,\"faults\":7,\"groups\":["
                    "{\"code\":\"type\",\"pointer\":\"/b/*/c\",\"detail\":\"Second.\",\"count\":4,\"ranges\":[[3,4],"
                    "[6,6]],\"more\":false},"
                    "{\"code\":\"type\",\"pointer\":\"/a\",\"detail\":\"First.\",\"count\":1,\"ranges\":[[0,0]],"
                    "\"more\":false},"
                    "{\"code\":\"enum\",\"pointer\":\"/a\",\"detail\":\"No.\",\"count\":1,\"ranges\":[[3,3]],"
                    "\"more\":false},"
                    "{\"code\":\"type\",\"pointer\":\"/b/x1/c\",\"detail\":\"Name.\",\"count\":1,\"ranges\":[[6,6]],"
                    "\"more\":false}],\"others\":0}\n");
}

static void none(void **state)
{
    (void)state;
    struct registry_groups *groups = registry_groups_new();
    expect(&groups, "{\"items\":0,\"faults\":0,\"groups\":[],\"others\":0}\n");
}

/* Bounded whatever comes: what is not listed is counted and said. */
static void limits(void **state)
{
    (void)state;
    struct registry_groups *groups = registry_groups_new();
    struct buf out;
    for (uint64_t i = 0; i < 2500; i++) {
        char text[64];
        snprintf(text, sizeof text, "unnamed-member /m%llu x|type /id y", (unsigned long long)i % 1250);
        add(groups, 2 * i, text);
    }
    buf_init(&out, 0);
    registry_groups_put(groups, &out);
    buf_append_byte(&out, 0);
    static const char first[] = "{\"items\":2500,\"faults\":5000,\"groups\":[{\"code\":\"type\",\"pointer\":\"/id\","
                                "\"detail\":\"y\",\"count\":2500,\"ranges\":[[0,0],[2,2],";
    assert_int_equal(strncmp(out.data, first, sizeof first - 1), 0);
    assert_non_null(strstr(out.data, ",[198,198]],\"more\":true}"));
    assert_non_null(strstr(out.data, "],\"others\":502}\n")); /* (1250 - 999) names, twice */
    buf_fini(&out);
    registry_groups_free(&groups);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(grouped), cmocka_unit_test(none), cmocka_unit_test(limits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
