/*
 * Streams the body in pieces, as a server gets it, and holds one item at a time. Findings and faults
 * are listed up to LIMIT_FAULTS each, and counted all.
 */
#include "cli/validate.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/limits.h"
#include "cli/cli.h"

#define PIECE_BYTES (64u << 10)
#define ARENA_LIMIT (256u << 20)

/* One of the two lists of the answer. */
struct list {
    struct buf json;
    struct json_writer writer;
    uint64_t total;
};

struct validation {
    const struct contract *contract;
    const struct contract_options *options;
    struct json_parser *parser;
    struct arena *arena;
    struct buf item;
    struct list faults;
    struct list findings;
    uint64_t items;
    int error; /* ours: no memory, no file */
};

#define OF_ENVELOPE UINT64_MAX

static void list_begin(struct list *list)
{
    buf_init(&list->json, 0);
    json_writer_init(&list->writer, &list->json);
    json_open_array(&list->writer);
}

static void list_add(struct list *list, uint64_t index, const struct contract_fault *fault)
{
    struct json_writer *writer = &list->writer;
    if (list->total++ >= LIMIT_FAULTS) {
        return;
    }
    json_open_object(writer);
    json_name(writer, "index");
    if (index == OF_ENVELOPE) {
        json_put_null(writer);
    } else {
        json_put_uint(writer, index);
    }
    json_name(writer, "pointer");
    json_put_string(writer, fault->pointer);
    json_name(writer, "code");
    json_put_text(writer, fault->code);
    json_name(writer, "detail");
    json_put_string(writer, fault->detail);
    json_name(writer, "hint");
    json_put_string(writer, fault->hint);
    json_close_object(writer);
}

/* A text that is no JSON, as a fault with its place. */
static void add_malformed(struct validation *validation, uint64_t index, int err, const struct json_error *error)
{
    char detail[400];
    int size = snprintf(detail, sizeof detail, "%s Byte %zu, line %u, column %u.", error->reason, error->offset,
                        error->line, error->column);
    struct contract_fault fault = {.code = err_code(err), .detail = slice_make(detail, (size_t)(size < 0 ? 0 : size))};
    fault.detail.size = fault.detail.size < sizeof detail ? fault.detail.size : sizeof detail - 1;
    list_add(&validation->faults, index, &fault);
}

/* Parses and checks text, which is followed by padding. */
static void check_text(struct validation *validation, uint64_t index, struct slice text)
{
    struct json_doc doc;
    struct json_error error;
    struct contract_result result;
    int err = json_parse(validation->parser, text, &JSON_LIMITS_DEFAULT, &doc, &error);
    if (err == ERR_MALFORMED_JSON) {
        add_malformed(validation, index, err, &error);
        return;
    }
    if (err == 0) {
        arena_rewind(validation->arena);
        err = index == OF_ENVELOPE
                  ? contract_check_envelope(validation->contract, &doc, validation->options, validation->arena, &result)
                  : contract_check_item(validation->contract, &doc, validation->options, validation->arena, &result);
    }
    if (err != 0) {
        validation->error = err;
        return;
    }
    for (size_t i = 0; i < result.fault_count; i++) {
        list_add(&validation->faults, index, &result.faults[i]);
    }
    for (size_t i = 0; i < result.finding_count; i++) {
        list_add(&validation->findings, index, &result.findings[i]);
    }
}

static void check_buf(struct validation *validation, uint64_t index, struct buf *text)
{
    if (text->size > LIMIT_ITEM_BYTES) {
        struct contract_fault fault = {.code = err_code(ERR_ITEM_TOO_LARGE),
                                       .detail = slice_from_text(err_text(ERR_ITEM_TOO_LARGE))};
        list_add(&validation->faults, index, &fault);
    } else if (buf_reserve(text, JSON_PADDING) != 0) {
        validation->error = ERR_NO_MEMORY;
    } else {
        memset(text->data + text->size, 0, JSON_PADDING);
        check_text(validation, index, buf_view(text));
    }
}

static bool begin(struct validation *validation)
{
    list_begin(&validation->faults);
    list_begin(&validation->findings);
    buf_init(&validation->item, 0);
    validation->parser = json_parser_new(LIMIT_ITEM_BYTES);
    validation->arena = arena_new(1u << 20, ARENA_LIMIT);
    return validation->parser != NULL && validation->arena != NULL;
}

static void print_list(struct buf *out, const char *name, struct list *list)
{
    json_close_array(&list->writer);
    buf_printf(out, ",\"%s\":", name);
    buf_append_slice(out, buf_view(&list->json));
    if (list->total > LIMIT_FAULTS) {
        buf_printf(out, ",\"%sTotal\":%llu", name, (unsigned long long)list->total);
    }
    buf_fini(&list->json);
}

static int finish(struct validation *validation)
{
    struct buf out;
    buf_init(&out, 0);
    buf_printf(&out, "{\"items\":%llu", (unsigned long long)validation->items);
    print_list(&out, "faults", &validation->faults);
    print_list(&out, "findings", &validation->findings);
    buf_append_text(&out, "}\n");
    int err = validation->error != 0 ? validation->error : buf_error(&out);
    if (err != 0) {
        cli_say("%s", err_text(err));
    } else {
        fwrite(out.data, 1, out.size, stdout);
    }
    buf_fini(&out);
    buf_fini(&validation->item);
    json_parser_free(&validation->parser);
    arena_free(&validation->arena);
    return err != 0 ? CLI_USAGE : validation->faults.total > 0 ? CLI_REFUSED : CLI_KEPT;
}

static void end_item(struct validation *validation)
{
    check_buf(validation, validation->items++, &validation->item);
    buf_clear(&validation->item);
}

/* Feeds one piece; false once the body is refused or we failed. */
static bool take_piece(struct validation *validation, struct json_splitter *splitter, struct slice piece)
{
    while (validation->error == 0) {
        struct slice bytes = SLICE_NONE;
        enum json_split_event event = json_splitter_next(splitter, &piece, &bytes);
        if (event == JSON_SPLIT_MORE || event == JSON_SPLIT_ERROR) {
            return event == JSON_SPLIT_MORE;
        }
        /* Of an item that is too large, a little more than the limit is kept: enough to refuse it. */
        if (validation->item.size <= LIMIT_ITEM_BYTES) {
            buf_append_slice(&validation->item, bytes);
        }
        if (event == JSON_SPLIT_ITEM_END) {
            end_item(validation);
        }
    }
    return false;
}

static void end_body(struct validation *validation, struct json_splitter *splitter, bool refused)
{
    struct json_error error = {.reason = ""};
    int err = refused ? json_splitter_error(splitter, &error) : json_splitter_end(splitter);
    if (err != 0) {
        (void)json_splitter_error(splitter, &error);
        add_malformed(validation, OF_ENVELOPE, err, &error);
        return;
    }
    struct slice envelope = json_splitter_envelope(splitter);
    if (envelope.size > 0) {
        buf_clear(&validation->item);
        buf_append_slice(&validation->item, envelope);
        check_buf(validation, OF_ENVELOPE, &validation->item);
    }
}

static void stream(struct validation *validation, struct json_splitter *splitter, int fd, const char *path)
{
    static char piece[PIECE_BYTES];
    bool going = true;
    ssize_t got = 0;
    while (going && (got = read(fd, piece, sizeof piece)) > 0) {
        going = take_piece(validation, splitter, slice_make(piece, (size_t)got));
    }
    if (got < 0) {
        cli_say("%s: %s", path, strerror(errno));
        validation->error = ERR_STORAGE_IO;
    }
    if (validation->error == 0) {
        end_body(validation, splitter, !going);
    }
}

int validate_body(const struct contract *contract, const char *path, const struct contract_options *options)
{
    struct validation validation = {.contract = contract, .options = options};
    int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        cli_say("%s: %s", path, strerror(errno));
        return CLI_USAGE;
    }
    struct json_splitter *splitter = json_splitter_new(contract_info(contract)->items, LIMIT_ENVELOPE_BYTES);
    if (!begin(&validation) || splitter == NULL) {
        validation.error = ERR_NO_MEMORY;
    } else {
        stream(&validation, splitter, fd, path);
    }
    json_splitter_free(&splitter);
    if (fd != STDIN_FILENO) {
        close(fd);
    }
    return finish(&validation);
}

int validate_value(const struct contract *contract, const char *path, const struct contract_options *options)
{
    struct validation validation = {.contract = contract, .options = options, .items = 1};
    if (!begin(&validation)) {
        validation.error = ERR_NO_MEMORY;
    } else if (cli_read_file(path, LIMIT_ITEM_BYTES, &validation.item) != 0) {
        validation.error = ERR_NOT_FOUND;
    } else {
        check_buf(&validation, 0, &validation.item);
    }
    return finish(&validation);
}
