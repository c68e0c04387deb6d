/*
 * The set of unfinished imports. A row is a list of changes, applied one set after the other; an entry
 * is its tenant's and import's letter and its state: "aXo" is tenant a's import X, open; "-" takes out.
 */
#include "store/unfinished_priv.h"

#include "../test.h"

static struct store_unfinished entry_of(const char *text)
{
    struct store_unfinished entry = {.state = text[2] == 'o' ? IMPORT_OPEN : text[2] == 'x' ? IMPORT_ABORTED : 0};
    entry.tenant.bytes[UUID_BYTES - 1] = (uint8_t)text[0];
    entry.import.bytes[0] = (uint8_t)text[1];
    return entry;
}

static void tell(const struct store_unfinished_set *set, struct buf *out)
{
    buf_clear(out);
    for (size_t i = 0; i < set->count; i++) {
        const struct store_unfinished *entry = &set->entries[i];
        assert_ptr_equal(store_unfinished_find(set, &entry->tenant, &entry->import), entry);
        buf_printf(out, "%s%c%c%c", i == 0 ? "" : " ", entry->tenant.bytes[UUID_BYTES - 1], entry->import.bytes[0],
                   entry->state == IMPORT_OPEN ? 'o' : 'x');
    }
}

/* Three letters an entry, a space between them. */
static size_t parse(const char *text, struct store_unfinished *changes)
{
    size_t count = 0;
    for (; *text != '\0'; text += text[3] == ' ' ? 4 : 3) {
        changes[count++] = entry_of(text);
    }
    return count;
}

static void changes(void **state)
{
    (void)state;
    static const struct {
        const char *steps[4];
        const char *told;
    } rows[] = {
        {{""}, ""},
        {{"aXo"}, "aXo"},
        {{"bXo aXo"}, "aXo bXo"}, /* in order of tenant and import */
        {{"aZo aXo bAo aYx"}, "aXo aYx aZo bAo"},
        {{"aXo", "aXx"}, "aXx"},
        {{"aXo", "aX-"}, ""},
        {{"aX-"}, ""}, /* what is not there stays away */
        {{"aXo aYo aZo", "aY-"}, "aXo aZo"},
        {{"aXo aYo aZo", "aX-"}, "aYo aZo"},
        {{"aXo aYo aZo", "aZ-"}, "aXo aYo"},
        {{"aXo aYo aZo", "aY- bYo aXx", "", "bY- aYo"}, "aXx aYo aZo"},
        {{"aXo bXo", "aX-"}, "bXo"}, /* another tenant's import of the same id */
        {{"aXo bXo", "aX- bX-", "cQo"}, "cQo"},
    };
    struct buf told;
    buf_init(&told, 0);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct store_unfinished_set *set = store_unfinished_new();
        for (size_t s = 0; s < COUNT_OF(rows[i].steps) && rows[i].steps[s] != NULL; s++) {
            struct store_unfinished list[8];
            struct store_unfinished_set *next = store_unfinished_change(set, list, parse(rows[i].steps[s], list));
            assert_non_null(next);
            store_unfinished_release(&set);
            assert_null(set);
            set = next;
        }
        tell(set, &told);
        if (!slice_equal_text(buf_view(&told), rows[i].told)) {
            fail_msg("row %zu: %.*s, not %s", i, SLICE_ARG(buf_view(&told)), rows[i].told);
        }
        store_unfinished_release(&set);
    }
    buf_fini(&told);
}

static void finding(void **state)
{
    (void)state;
    static const struct {
        const char *of;
        bool there;
    } rows[] = {
        {"aXo", true},  {"aZo", true},  {"bYo", true},  {"aWo", false},
        {"aYo", false}, {"bXo", false}, {"bZo", false}, {"cXo", false},
    };
    struct store_unfinished list[8];
    struct store_unfinished_set *none = store_unfinished_new();
    struct store_unfinished_set *set = store_unfinished_change(none, list, parse("bYo aXo aZx", list));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct store_unfinished entry = entry_of(rows[i].of);
        assert_int_equal(store_unfinished_find(set, &entry.tenant, &entry.import) != NULL, rows[i].there);
        assert_null(store_unfinished_find(none, &entry.tenant, &entry.import));
    }
    store_unfinished_release(&none);
    store_unfinished_release(&set);
}

/* Who holds a set sees it unchanged, whatever came after it; its notes go along. */
static void holding(void **state)
{
    (void)state;
    struct store_unfinished change = entry_of("aXo");
    struct store_unfinished_set *none = store_unfinished_new();
    struct store_unfinished_set *held;
    change.wrote = true;
    change.refused = true;
    struct store_unfinished_set *first = store_unfinished_change(none, &change, 1);
    held = store_unfinished_hold(first);
    assert_ptr_equal(held, first);
    change.state = 0;
    struct store_unfinished_set *second = store_unfinished_change(first, &change, 1);
    store_unfinished_release(&first);
    assert_null(first);
    const struct store_unfinished *found = store_unfinished_find(held, &change.tenant, &change.import);
    assert_non_null(found);
    assert_true(found->state == IMPORT_OPEN && found->wrote && found->refused);
    assert_null(store_unfinished_find(second, &change.tenant, &change.import));
    store_unfinished_release(&held);
    store_unfinished_release(&held); /* of nothing is nothing */
    store_unfinished_release(&none);
    store_unfinished_release(&second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes),
        cmocka_unit_test(finding),
        cmocka_unit_test(holding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
