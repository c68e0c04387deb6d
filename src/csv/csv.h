/*
 * CSV (RFC 4180) as a third form of a batch: rows are found in a body that arrives in pieces, and a row
 * becomes the JSON of an item, by a header row whose columns are JSON Pointers without the first slash
 * (`person/telephoneNumbers/0/number`). It knows nothing of contracts: what type a column takes is told
 * when the header is compiled.
 *
 * Taken: quoted fields with commas, line breaks and doubled quotes; CRLF, LF or CR; a UTF-8 byte order mark;
 * empty lines between rows; columns in any order. Refused with their place: a quote inside an unquoted field,
 * text behind a closing quote, a row with more fields than the header, a quote that is never closed.
 *
 * Pure; one thread at a time each, but a compiled header is shared by all once made.
 */
#ifndef CSV_CSV_H
#define CSV_CSV_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"
#include "json/json.h"

/* ---- rows of a body that arrives in pieces ---- */

struct csv_splitter;

/* NULL: no memory. */
struct csv_splitter *csv_splitter_new(void);
void csv_splitter_free(struct csv_splitter **splitter);
/* Like json_splitter_next, an item being a row without its line break; the first row is the header. Empty lines
 * are in no event. After JSON_SPLIT_ERROR see csv_splitter_error. */
enum json_split_event csv_splitter_next(struct csv_splitter *splitter, struct slice *piece, struct slice *bytes);
/* The body has ended. *open tells whether a row without a line break is still open: it is whole then. 0, or
 * ERR_MALFORMED_CSV (a quote is open). */
int csv_splitter_end(struct csv_splitter *splitter, bool *open) MUST_CHECK;
/* The place in the body at which the current (or last) row begins. */
struct json_error csv_splitter_item(const struct csv_splitter *splitter);
int csv_splitter_error(const struct csv_splitter *splitter, struct json_error *error);

/* ---- the header ---- */

struct csv_header;

/* What may stand in a column: 0 no such place is known, else bits of CSV_STRING, CSV_NUMBER, CSV_BOOLEAN. */
enum csv_type { CSV_STRING = 1, CSV_NUMBER = 2, CSV_BOOLEAN = 4 };
typedef unsigned csv_type_fn(void *context, struct slice pointer);

/*
 * Compiles a header row. `map` renames columns, `name=pointer` pairs parted by commas ("Mail=person/email"),
 * may be empty; a column mapped to nothing ("Note=") is passed over, as are columns whose names begin with '_'
 * (so that a list of faults can be sent again as it is). 0; ERR_MALFORMED_CSV with the reason in *why and the
 * column's place in the row in *at: an empty name, a bad pointer, one given twice, one below another
 * ("a" and "a/b"), array indexes with a gap, a map that names no column. ERR_NO_MEMORY. A token of digits is an
 * array's index, but for the first, which is always a member. *why never has a name of the row: who forgets the
 * header sends a customer there.
 */
int csv_header_compile(struct slice row, struct slice map, csv_type_fn *type, void *context, struct csv_header **header,
                       size_t *at, struct buf *why) MUST_CHECK;
void csv_header_free(struct csv_header **header);
size_t csv_header_columns(const struct csv_header *header);
/* How many columns lead to a place that `type` knows: none, and the first row was perhaps no header. */
size_t csv_header_known(const struct csv_header *header);

/* ---- a row as JSON ---- */

/*
 * Appends the row as a JSON object, nested as the columns' pointers say. An empty field is an absent member, an
 * empty quoted one ("") an empty string. A column that takes numbers or booleans but no strings gets the field
 * as it is when it is one in JSON's spelling, else as a string (which the contract then refuses by place).
 * Objects and arrays of which every field is absent are absent too; an array's elements close up. Fields that a
 * short row lacks are absent. UTF-8 is not looked at: json_parse does.
 * 0; ERR_MALFORMED_CSV with *error set (place within the row) and nothing appended; the buffer's failure.
 */
int csv_row_to_json(const struct csv_header *header, struct slice row, struct buf *json,
                    struct json_error *error) MUST_CHECK;
/* Appends the row as it is, but fields of columns for which `blank` says so empty; a column that is passed over
 * is asked for by the pointer that its name would be. For a row that is not well-formed: ERR_MALFORMED_CSV, and
 * nothing is appended. */
typedef bool csv_blank_fn(void *context, struct slice pointer);
int csv_row_blank(const struct csv_header *header, struct slice row, csv_blank_fn *blank, void *context,
                  struct buf *out) MUST_CHECK;
/* Appends one field, quoted when it has to be. */
void csv_append_field(struct buf *out, struct slice text);

#endif
