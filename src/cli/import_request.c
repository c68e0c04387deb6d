/*
 * The request of an import out of its flags, and the command line that repeats it. Everything the server
 * remembers under the key stands in that line, so that a repetition is the same request.
 */
#include <strings.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/uuid.h"
#include "cli/import_priv.h"

static bool check_on_existing(const char *given)
{
    static const struct slice words[] = {{"same", 4}, {"skip", 4}, {"update", 6}, {"fail", 4}};
    for (size_t i = 0; given != NULL && i < 4; i++) {
        if (slice_equal_text(words[i], given)) {
            return true;
        }
    }
    if (given != NULL) {
        cli_say_unknown("value of --on-existing", slice_from_text(given), words, 4);
    }
    return given == NULL;
}

static bool check_set(const struct cli_list *set)
{
    for (size_t i = 0; i < set->count; i++) {
        if (strchr(set->at[i], '=') == NULL || set->at[i][0] == '=') {
            cli_say("--set takes NAME=VALUE, not \"%s\"", set->at[i]);
            return false;
        }
    }
    return true;
}

static bool check_key(const char *key)
{
    size_t size = strlen(key);
    for (size_t i = 0; i < size; i++) {
        if (key[i] < 0x20 || key[i] > 0x7E) {
            size = 0;
        }
    }
    if (size == 0 || size > IMPORT_KEY_BYTES) {
        cli_say("--key takes 1 to %d characters of ASCII", IMPORT_KEY_BYTES);
        return false;
    }
    return true;
}

static bool make_key(char *key)
{
    struct uuid_maker maker = {0, 0};
    uint64_t random;
    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random) {
        cli_say("no randomness for a key; give one with --key");
        return false;
    }
    struct uuid made = uuid_make(&maker, (uint64_t)clock_real_ms(), random);
    uuid_to_text(&made, key);
    return true;
}

bool import_request_check(struct import *import)
{
    const struct import_options *options = &import->options;
    if (options->format != NULL && format_from_name(options->format) == FORMAT_UNKNOWN) {
        static const struct slice names[] = {{"json", 4}, {"ndjson", 6}, {"csv", 3}};
        cli_say_unknown("format", slice_from_text(options->format), names, 3);
        return false;
    }
    if (!check_on_existing(options->on_existing) || !check_set(&options->set)) {
        return false;
    }
    if (options->no_wait && !options->is_async) {
        cli_say("--no-wait goes with --async");
        return false;
    }
    if (options->key == NULL) {
        return make_key(import->key);
    }
    return check_key(options->key) && cli_text_copy(slice_from_text(options->key), import->key, sizeof import->key);
}

/* ---- the request's texts ---- */

static void add_parameter(struct buf *path, struct slice name, const char *value)
{
    char copy[256];
    buf_append_byte(path, path->size > 0 && memchr(path->data, '?', path->size) != NULL ? '&' : '?');
    if (cli_text_copy(name, copy, sizeof copy)) {
        client_append_escaped(path, copy);
    }
    buf_append_byte(path, '=');
    client_append_escaped(path, value);
}

static void make_path(struct import *import)
{
    const struct import_options *options = &import->options;
    buf_append_text(&import->path, import->contract->path);
    for (size_t i = 0; i < options->set.count; i++) {
        const char *equals = strchr(options->set.at[i], '=');
        add_parameter(&import->path, slice_make(options->set.at[i], (size_t)(equals - options->set.at[i])), equals + 1);
    }
    if (options->map != NULL) {
        add_parameter(&import->path, SLICE("map"), options->map);
    }
    if (options->on_existing != NULL) {
        add_parameter(&import->path, SLICE("onExisting"), options->on_existing);
    }
    if (options->dry_run) {
        add_parameter(&import->path, SLICE("dryRun"), "true");
    }
    buf_append_byte(&import->path, '\0');
}

static void make_prefer(struct import *import)
{
    const struct import_options *options = &import->options;
    const struct {
        bool given;
        const char *preference;
    } rows[] = {
        {options->lenient, "handling=lenient"},
        {options->strict, "validation=strict"},
        {options->is_async, "respond-async"},
        {options->quiet || options->dry_run, "return=minimal"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].given) {
            buf_printf(&import->prefer, "%s%s", import->prefer.size > 0 ? ", " : "", rows[i].preference);
        }
    }
    buf_append_byte(&import->prefer, '\0');
}

/* A string of structured fields (RFC 8941). */
static void make_key_header(struct import *import)
{
    buf_append_byte(&import->key_header, '"');
    for (const char *at = import->key; *at != '\0'; at++) {
        if (*at == '"' || *at == '\\') {
            buf_append_byte(&import->key_header, '\\');
        }
        buf_append_byte(&import->key_header, (uint8_t)*at);
    }
    buf_append_text(&import->key_header, "\"");
    buf_append_byte(&import->key_header, '\0');
}

bool import_request_make(struct import *import)
{
    make_path(import);
    make_prefer(import);
    make_key_header(import);
    buf_append_text(&import->side_path, "/v1/imports");
    add_parameter(&import->side_path, SLICE("idempotencyKey"), import->key);
    buf_append_byte(&import->side_path, '\0');
    return buf_error(&import->path) == 0 && buf_error(&import->prefer) == 0 && buf_error(&import->key_header) == 0 &&
           buf_error(&import->side_path) == 0;
}

void import_request_free(struct import *import)
{
    buf_fini(&import->path);
    buf_fini(&import->prefer);
    buf_fini(&import->key_header);
    buf_fini(&import->side_path);
}

static void add_header(struct client_request *request, const char *name, const char *value)
{
    request->headers[request->header_count++] = (struct client_header){name, value};
}

void import_request_fill(struct import *import, struct client_request *request)
{
    request->method = "POST";
    request->path = import->path.data;
    request->bearer = import->connection.token;
    request->content_type = format_media_type(import->format);
    add_header(request, "Idempotency-Key", import->key_header.data);
    if (import->contract->tenant_headers) {
        add_header(request, "tenantId", import->connection.tenant);
        add_header(request, "token", import->connection.tenant_token);
    }
    if (import->body.packing != FORMAT_PLAIN) {
        add_header(request, "Content-Encoding", format_packing_coding(import->body.packing));
    }
    if (import->prefer.size > 1) {
        add_header(request, "Prefer", import->prefer.data);
    }
    if (import->options.lenient) {
        add_header(request, "Accept", "application/x-ndjson");
    }
}

/* ---- how to go on ---- */

/* As a word of the shell. */
static void append_word(struct buf *out, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=:,@%+";
    if (word[0] != '\0' && strspn(word, plain) == strlen(word)) {
        buf_append_text(out, word);
        return;
    }
    buf_append_byte(out, '\'');
    for (const char *at = word; *at != '\0'; at++) {
        buf_printf(out, *at == '\'' ? "'\\''" : "%c", *at);
    }
    buf_append_byte(out, '\'');
}

void import_request_say_repeat(const struct import *import)
{
    struct buf line;
    buf_init(&line, 0);
    buf_append_text(&line, "muster import");
    if (import->options.key == NULL) {
        buf_append_text(&line, " --key ");
        append_word(&line, import->key);
    }
    for (int i = 1; i < import->argc; i++) {
        buf_append_byte(&line, ' ');
        append_word(&line, import->argv[i]);
    }
    cli_say("what the server has taken is not lost; go on with%s",
            strcmp(import->body.path, "-") == 0 ? " the same input and" : "");
    fprintf(stderr, "%.*s\n", SLICE_ARG(buf_view(&line)));
    buf_fini(&line);
}
