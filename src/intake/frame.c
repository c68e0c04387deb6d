/*
 * Frame: where the items of a body begin and end, whatever its form: an array of JSON, lines of JSON, or rows of
 * CSV. Three framers with one way of speaking; this is the only place that knows which one it is.
 *
 * A CSV body's first row is its header: it is taken in here and compiled, and no item before it is told of.
 */
#include "intake/intake_priv.h"

int frame_init(struct intake_import *import)
{
    const struct contract_info *info = contract_info(import->admission.contract);
    bool made = false;
    buf_init(&import->header_row, LIMIT_ENVELOPE_BYTES);
    buf_init(&import->why, 0);
    switch (import->admission.format) {
    case IMPORT_NDJSON:
        import->lines = json_lines_new();
        made = import->lines != NULL;
        break;
    case IMPORT_CSV:
        import->csv = csv_splitter_new();
        made = import->csv != NULL;
        break;
    default:
        import->splitter = json_splitter_new(info->items, LIMIT_ENVELOPE_BYTES);
        made = import->splitter != NULL;
        break;
    }
    if (made && import->admission.encoding != INTAKE_IDENTITY) {
        import->unpack = unpack_new(import->admission.encoding == INTAKE_GZIP ? UNPACK_GZIP : UNPACK_ZSTD);
        made = import->unpack != NULL;
    }
    return made ? 0 : ERR_NO_MEMORY;
}

void frame_fini(struct intake_import *import)
{
    json_splitter_free(&import->splitter);
    json_lines_free(&import->lines);
    csv_splitter_free(&import->csv);
    csv_header_free(&import->header);
    unpack_free(&import->unpack);
    buf_fini(&import->header_row);
    buf_fini(&import->why);
}

/* ---- the CSV header ---- */

/* A column that names no place of the contract takes strings, which the check then reports as unnamed. */
static unsigned column_type(void *context, struct slice pointer)
{
    unsigned types = contract_item_types(context, pointer);
    unsigned column = 0;
    column |= (types & CONTRACT_TYPE_STRING) != 0 ? CSV_STRING : 0u;
    column |= (types & (CONTRACT_TYPE_NUMBER | CONTRACT_TYPE_INTEGER)) != 0 ? CSV_NUMBER : 0u;
    column |= (types & CONTRACT_TYPE_BOOLEAN) != 0 ? CSV_BOOLEAN : 0u;
    return column;
}

/* The contract is only read; the callback's context is not const. */
static void *contract_context(const struct intake_import *import)
{
    union {
        const struct contract *borrowed;
        void *context;
    } contract = {.borrowed = import->admission.contract};
    return contract.context;
}

/* Who forgets the header sends a customer in its place, which must not be repeated. */
static int know_header(struct intake_import *import)
{
    if (csv_header_known(import->header) > 0) {
        return 0;
    }
    buf_append_text(&import->why, "The first row names no member of the contract. It must be a header: a name for each "
                                  "column, such as person/email.");
    return ERR_MALFORMED_CSV;
}

static int compile_header(struct intake_import *import)
{
    size_t at = 0;
    int err = csv_header_compile(buf_view(&import->header_row), buf_view(&import->admission.map), column_type,
                                 contract_context(import), &import->header, &at, &import->why);
    err = err == 0 ? know_header(import) : err;
    if (err == ERR_MALFORMED_CSV) {
        buf_append_byte(&import->why, 0);
        import->split_place = csv_splitter_item(import->csv);
        import->split_place.offset += at;
        import->split_place.column += (uint32_t)at;
        import->split_place.reason = buf_error(&import->why) == 0 ? import->why.data : err_text(err);
    }
    import->split_error = err;
    return err;
}

static enum json_split_event next_row(struct intake_import *import, struct slice *piece, struct slice *bytes)
{
    enum json_split_event event = csv_splitter_next(import->csv, piece, bytes);
    while (import->header == NULL && (event == JSON_SPLIT_PART || event == JSON_SPLIT_ITEM_END)) {
        buf_append_slice(&import->header_row, *bytes);
        if (buf_error(&import->header_row) != 0) {
            import->split_error = ERR_MALFORMED_CSV;
            import->split_place = csv_splitter_item(import->csv);
            import->split_place.reason = "The header row is larger than 1 MiB.";
            return JSON_SPLIT_ERROR;
        }
        if (event == JSON_SPLIT_ITEM_END && compile_header(import) != 0) {
            return JSON_SPLIT_ERROR;
        }
        event = csv_splitter_next(import->csv, piece, bytes);
    }
    return event;
}

/* ---- any form ---- */

enum json_split_event frame_next(struct intake_import *import, struct slice *piece, struct slice *bytes)
{
    switch (import->admission.format) {
    case IMPORT_NDJSON:
        return json_lines_next(import->lines, piece, bytes);
    case IMPORT_CSV:
        return next_row(import, piece, bytes);
    default:
        return json_splitter_next(import->splitter, piece, bytes);
    }
}

struct json_error frame_item(const struct intake_import *import)
{
    switch (import->admission.format) {
    case IMPORT_NDJSON:
        return json_lines_item(import->lines);
    case IMPORT_CSV:
        return csv_splitter_item(import->csv);
    default:
        return json_splitter_item(import->splitter);
    }
}

int frame_error(const struct intake_import *import, struct json_error *place)
{
    if (import->split_error != 0) {
        *place = import->split_place;
        return import->split_error;
    }
    switch (import->admission.format) {
    case IMPORT_NDJSON:
        return ERR_NO_MEMORY;
    case IMPORT_CSV:
        return csv_splitter_error(import->csv, place);
    default:
        return json_splitter_error(import->splitter, place);
    }
}

/* The header may be all there is, without a line break. */
static int end_rows(struct intake_import *import, bool *open)
{
    int err = csv_splitter_end(import->csv, open);
    if (err == 0 && import->header == NULL) {
        if (import->header_row.size == 0) {
            import->split_place = (struct json_error){.reason = "The body has no header row.", .line = 1, .column = 1};
            import->split_error = ERR_MALFORMED_CSV;
            return ERR_MALFORMED_CSV;
        }
        *open = false;
        return compile_header(import);
    }
    return err;
}

int frame_end(struct intake_import *import, bool *open)
{
    const char *why = NULL;
    int err = import->unpack == NULL ? 0 : unpack_end(import->unpack, &why);
    *open = false;
    if (err != 0) {
        import->split_place = (struct json_error){.reason = why, .offset = unpack_offset(import->unpack)};
        import->split_error = err;
        return err;
    }
    switch (import->admission.format) {
    case IMPORT_NDJSON:
        *open = json_lines_end(import->lines);
        return 0;
    case IMPORT_CSV:
        return end_rows(import, open);
    default:
        return json_splitter_end(import->splitter);
    }
}

struct slice frame_envelope(const struct intake_import *import)
{
    return import->splitter != NULL ? json_splitter_envelope(import->splitter) : buf_view(&import->admission.envelope);
}

struct json_error frame_envelope_place(const struct intake_import *import, const struct json_error *place)
{
    return import->splitter != NULL ? json_splitter_envelope_place(import->splitter, place)
                                    : (struct json_error){.reason = place->reason};
}
