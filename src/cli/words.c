/* What the commands say on stderr. Data never goes through here, so a pipe gets data alone. */
#include "cli/cli.h"

#include <assert.h>
#include <stdarg.h>
#include <unistd.h>

#include "base/text.h"

void cli_say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("muster: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

void cli_say_unknown(const char *what, struct slice word, const struct slice *candidates, size_t count)
{
    int nearest = text_nearest(word, candidates, count);
    const char *dashes = strcmp(what, "flag") == 0 ? "--" : "";
    if (nearest < 0) {
        cli_say("unknown %s %s%.*s; see `muster help`", what, dashes, SLICE_ARG(word));
        return;
    }
    cli_say("unknown %s %s%.*s; did you mean %s%.*s?", what, dashes, SLICE_ARG(word), dashes,
            SLICE_ARG(candidates[nearest]));
}

int cli_find_name(const char *what, const char *word, const void *rows, size_t row_bytes, size_t count)
{
    struct slice names[CLI_NAMES_MAX];
    assert(count <= CLI_NAMES_MAX);
    for (size_t i = 0; i < count; i++) {
        const char *name;
        memcpy(&name, (const char *)rows + i * row_bytes, sizeof name);
        names[i] = slice_from_text(name);
        if (strcmp(name, word) == 0) {
            return (int)i;
        }
    }
    cli_say_unknown(what, slice_from_text(word), names, count);
    return -1;
}

bool cli_is_terminal(void)
{
    return isatty(STDERR_FILENO) == 1;
}
