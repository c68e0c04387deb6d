/* Server-sent events, cut at every place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include "cli/events.h"

static struct buf got;

static void take(void *context, struct slice name, struct slice data)
{
    (void)context;
    buf_printf(&got, "<%.*s|%.*s>", SLICE_ARG(name), SLICE_ARG(data));
}

static const struct {
    const char *stream;
    const char *events;
} ROWS[] = {
    {"event: progress\ndata: {\"a\":1}\n\nevent: end\ndata: x\n\n", "<progress|{\"a\":1}><end|x>"},
    {"event:end\r\ndata:x\r\n\r\n", "<end|x>"},
    {": wait\n\nid: 7\nretry: 9\ndata: a\ndata:  b\n\n", "<|a\n b>"},
    {"event: none\n\ndata: x\n\n", "<|x>"},
    {"data\n\n", "<|>"},
    {"data: never ended\n", ""},
    {"event: a-name-that-is-longer-than-any-of-ours\ndata: x\n\n", "<a-name-that-is-longer-than-any-|x>"},
};

static void streams_are_cut_into_events(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        struct slice stream = slice_from_text(ROWS[i].stream);
        for (size_t cut = 0; cut <= stream.size; cut++) {
            struct events events;
            events_init(&events, take, NULL);
            buf_clear(&got);
            assert_true(events_feed(&events, slice_make(stream.data, cut)));
            assert_true(events_feed(&events, slice_from(stream, cut)));
            assert_true(slice_equal_text(buf_view(&got), ROWS[i].events));
            events_fini(&events);
        }
    }
    buf_fini(&got);
}

static void an_endless_line_is_refused(void **state)
{
    (void)state;
    struct events events;
    char piece[4096];
    bool taken = true;
    memset(piece, 'x', sizeof piece);
    events_init(&events, take, NULL);
    for (int i = 0; i < 100 && taken; i++) {
        taken = events_feed(&events, slice_make(piece, sizeof piece));
    }
    assert_false(taken);
    events_fini(&events);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_are_cut_into_events),
        cmocka_unit_test(an_endless_line_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
