/*
 * A header row becomes a program: its columns' pointers make a tree, and the tree's leaves in order are what
 * csv_priv.h describes. Made once a body, then only read.
 *
 * The difficulty is that a header is a stranger's: names, columns and depth are bounded, so that no row of a few
 * bytes becomes JSON of a megabyte, and that no message repeats a name (the first row of a body without a header is a
 * customer).
 */
#include <assert.h>
#include <stdlib.h>

#include "base/limits.h"
#include "csv/csv_priv.h"

#define COLUMNS_MAX       4096u
#define POINTER_BYTES_MAX 1024u
#define WAY_BYTES_MAX     (256u << 10) /* of all columns: what the JSON of a row adds to its fields */
#define ARENA_BYTES       (64u << 20)

/* A member or element of the tree; the root is the item. */
struct node {
    struct slice name; /* decoded */
    struct node *parent;
    struct node *first, *last, *next; /* children in order of their columns, and the next sibling */
    uint32_t child_count;
    uint32_t depth;  /* containers between the root and this */
    uint32_t column; /* of a leaf; of others that of their first leaf */
    bool is_leaf;
    bool is_array;
};

struct mapping {
    struct slice name;
    struct slice pointer;
    bool used;
};

struct compiler {
    struct csv_header *header;
    struct arena *arena;
    struct mapping *map;
    size_t map_count;
    struct node root;
    struct csv_leaf *last_leaf;
    size_t way_bytes;
    struct node *path[LIMIT_DEPTH]; /* to the last leaf */
    size_t *at;
    struct buf *why;
};

static int refuse(struct compiler *compiler, const char *reason)
{
    *compiler->at = 0;
    buf_append_text(compiler->why, reason);
    return ERR_MALFORMED_CSV;
}

static int refuse_column(struct compiler *compiler, uint32_t column, const char *reason)
{
    *compiler->at = compiler->header->columns[column].at;
    buf_printf(compiler->why, "Column %u of the header: %s", column + 1, reason);
    return ERR_MALFORMED_CSV;
}

/* ---- the columns' names ---- */

static struct slice decode(struct arena *arena, const struct csv_field *field)
{
    if (field->form != CSV_DOUBLED) {
        return field->text;
    }
    char *text = arena_take(arena, field->text.size);
    size_t size = 0;
    for (struct slice rest = field->text, part; rest.size > 0 && text != NULL; size += part.size) {
        part = csv_field_part(rest, &rest);
        memcpy(text + size, part.data, part.size);
    }
    return text == NULL ? SLICE_NONE : slice_make(text, size);
}

/* A bound on the fields of a row: commas within quotes count too. No more are read than one too many. */
static size_t count_fields(struct slice row)
{
    size_t count = 1;
    for (size_t i = 0; i < row.size && count <= COLUMNS_MAX; i++) {
        count += row.data[i] == ',';
    }
    return count;
}

static int read_names(struct compiler *compiler, struct slice row)
{
    struct csv_header *header = compiler->header;
    const char *at = row.data;
    const char *end = row.data + row.size;
    header->columns = arena_take_zeroed(compiler->arena, count_fields(row), sizeof *header->columns);
    if (header->columns == NULL) {
        return ERR_NO_MEMORY;
    }
    for (;; at++) {
        struct csv_column *column = &header->columns[header->column_count++];
        struct csv_field field;
        column->at = (size_t)(at - row.data);
        const char *reason = csv_field_read(&at, end, &field);
        if (reason != NULL) {
            column->at = (size_t)(at - row.data);
            return refuse_column(compiler, header->column_count - 1, reason);
        }
        column->name = arena_copy(compiler->arena, decode(compiler->arena, &field));
        if (header->column_count > COLUMNS_MAX) {
            return refuse_column(compiler, header->column_count - 1, "there may be 4,096 columns. Leave some out.");
        }
        if (at == end) {
            return arena_error(compiler->arena);
        }
    }
}

/* ---- the map ---- */

static int read_mapping(struct compiler *compiler, struct slice pair)
{
    const char *equals = pair.size == 0 ? NULL : memchr(pair.data, '=', pair.size);
    if (equals == NULL || equals == pair.data) {
        return refuse(compiler, "The map is not a list of name=pointer, parted by commas.");
    }
    struct slice name = slice_make(pair.data, (size_t)(equals - pair.data));
    for (size_t i = 0; i < compiler->map_count; i++) {
        if (slice_equal(compiler->map[i].name, name)) {
            return refuse(compiler, "The map names a column twice.");
        }
    }
    if (compiler->map_count == COLUMNS_MAX) {
        return refuse(compiler, "The map names more than 4,096 columns.");
    }
    compiler->map[compiler->map_count++] = (struct mapping){name, slice_from(pair, name.size + 1), false};
    return 0;
}

static int read_map(struct compiler *compiler, struct slice map)
{
    compiler->map = arena_take_zeroed(compiler->arena, count_fields(map), sizeof *compiler->map);
    if (compiler->map == NULL) {
        return ERR_NO_MEMORY;
    }
    int err = 0;
    for (bool more = map.size > 0; more && err == 0;) {
        const char *comma = map.size == 0 ? NULL : memchr(map.data, ',', map.size);
        size_t size = comma == NULL ? map.size : (size_t)(comma - map.data);
        err = read_mapping(compiler, slice_make(map.data, size));
        more = comma != NULL;
        map = slice_from(map, more ? size + 1 : size);
    }
    return err;
}

static struct mapping *find_mapping(struct compiler *compiler, struct slice name)
{
    for (size_t i = 0; i < compiler->map_count; i++) {
        if (slice_equal(compiler->map[i].name, name)) {
            return &compiler->map[i];
        }
    }
    return NULL;
}

/* Sets the column's pointer, its first slash added. */
static int place_column(struct compiler *compiler, struct csv_column *column)
{
    struct mapping *mapping = find_mapping(compiler, column->name);
    struct slice pointer = column->name;
    if (mapping != NULL) {
        mapping->used = true;
        column->passed_over = mapping->pointer.size == 0;
        pointer = column->passed_over ? column->name : mapping->pointer;
    } else {
        column->passed_over = column->name.size > 0 && column->name.data[0] == '_';
    }
    char *text = arena_take(compiler->arena, pointer.size + 1);
    if (text == NULL) {
        return ERR_NO_MEMORY;
    }
    text[0] = '/';
    if (pointer.size > 0) {
        memcpy(text + 1, pointer.data, pointer.size);
    }
    column->pointer = slice_make(text, pointer.size + 1);
    return 0;
}

static int check_map_used(struct compiler *compiler)
{
    for (size_t i = 0; i < compiler->map_count; i++) {
        if (!compiler->map[i].used) {
            return refuse(compiler, "The map names a column that the header does not have.");
        }
    }
    return 0;
}

/* ---- the tree ---- */

/* Undoes ~0 and ~1; false when there is another escape. */
static bool decode_token(struct arena *arena, struct slice token, struct slice *name)
{
    char *text = arena_take(arena, token.size);
    size_t size = 0;
    for (size_t i = 0; i < token.size && text != NULL; i++) {
        char byte = token.data[i];
        if (byte == '~') {
            i++;
            if (i == token.size || (token.data[i] != '0' && token.data[i] != '1')) {
                return false;
            }
            byte = token.data[i] == '0' ? '~' : '/';
        }
        text[size++] = byte;
    }
    *name = slice_make(text, size);
    return true;
}

static struct node *child_of(struct compiler *compiler, struct node *parent, struct slice name, uint32_t column)
{
    for (struct node *child = parent->first; child != NULL; child = child->next) {
        if (slice_equal(child->name, name)) {
            return child;
        }
    }
    struct node *child = arena_take_zeroed(compiler->arena, 1, sizeof *child);
    if (child == NULL) {
        return NULL;
    }
    uint32_t depth = parent == &compiler->root ? 0 : parent->depth + 1;
    *child = (struct node){.name = name, .parent = parent, .depth = depth, .column = column};
    *(parent->first == NULL ? &parent->first : &parent->last->next) = child;
    parent->last = child;
    parent->child_count++;
    return child;
}

static int add_leaf(struct compiler *compiler, struct node *node, uint32_t column)
{
    if (node->is_leaf) {
        return refuse_column(compiler, column, "another column leads to the same place. Leave one out.");
    }
    if (node->first != NULL) {
        return refuse_column(compiler, column, "other columns lead below this place. Name the member itself.");
    }
    node->is_leaf = true;
    compiler->header->leaf_count++;
    return 0;
}

static int add_column(struct compiler *compiler, uint32_t column)
{
    struct slice rest = compiler->header->columns[column].pointer;
    struct node *node = &compiler->root;
    if (rest.size == 1) {
        return refuse_column(compiler, column, "it has no name. Name it, or leave it out.");
    }
    if (rest.size > POINTER_BYTES_MAX) {
        return refuse_column(compiler, column, "its name is longer than 1,024 bytes.");
    }
    for (unsigned depth = 0; rest.size > 0; depth++) {
        rest = slice_from(rest, 1);
        const char *slash = rest.size == 0 ? NULL : memchr(rest.data, '/', rest.size);
        size_t size = slash == NULL ? rest.size : (size_t)(slash - rest.data);
        struct slice name;
        if (size == 0 || !decode_token(compiler->arena, slice_make(rest.data, size), &name)) {
            return refuse_column(compiler, column,
                                 "its name is no JSON Pointer without the first slash (like person/email).");
        }
        if (depth == LIMIT_DEPTH) {
            return refuse_column(compiler, column, "it leads deeper than 64 levels.");
        }
        if (node->is_leaf) {
            return refuse_column(compiler, column, "it leads below the place of another column.");
        }
        node = child_of(compiler, node, name, column);
        if (node == NULL) {
            return ERR_NO_MEMORY;
        }
        rest = slice_from(rest, size);
    }
    return add_leaf(compiler, node, column);
}

/* RFC 6901: digits without a leading zero. More than four name no element that there could be. */
static bool index_of(struct slice name, uint32_t *index)
{
    *index = 0;
    for (size_t i = 0; i < name.size; i++) {
        if (name.data[i] < '0' || name.data[i] > '9') {
            return false;
        }
        *index = i < 5 ? *index * 10 + (uint32_t)(name.data[i] - '0') : UINT32_MAX;
    }
    return name.size == 1 || (name.size > 0 && name.data[0] != '0');
}

/* Puts an array's children in the order of their indexes. */
static int order_elements(struct compiler *compiler, struct node *array)
{
    struct node **slots = arena_take_zeroed(compiler->arena, array->child_count, sizeof(struct node *));
    if (slots == NULL) {
        return ERR_NO_MEMORY;
    }
    for (struct node *child = array->first; child != NULL; child = child->next) {
        uint32_t index;
        bool is_index = index_of(child->name, &index);
        assert(is_index);
        if (!is_index || index >= array->child_count) {
            return refuse_column(compiler, child->column, "a smaller index of its array is missing. Count from 0.");
        }
        slots[index] = child;
    }
    for (uint32_t i = 0; i < array->child_count; i++) {
        slots[i]->next = i + 1 < array->child_count ? slots[i + 1] : NULL;
    }
    array->first = slots[0];
    return 0;
}

/* Whether a node's children are members or elements. The item itself is an object in any case. */
static int settle_children(struct compiler *compiler, struct node *node)
{
    uint32_t elements = 0;
    uint32_t index;
    for (const struct node *child = node->first; child != NULL; child = child->next) {
        elements += index_of(child->name, &index);
    }
    if (node->parent != NULL && elements == node->child_count) {
        node->is_array = true;
        return order_elements(compiler, node);
    }
    if (node->parent != NULL && elements > 0) {
        return refuse_column(compiler, node->column, "it and others name elements and members of the same value.");
    }
    if (node->child_count > LIMIT_MEMBERS) {
        return refuse_column(compiler, node->last->column, "an object may have 1,024 members.");
    }
    return 0;
}

/* ---- the leaves ---- */

static void append_step(struct buf *way, const struct node *node)
{
    if (!node->parent->is_array) {
        json_append_string(way, node->name);
        buf_append_byte(way, ':');
    }
    if (!node->is_leaf) {
        buf_append_byte(way, node->is_array ? '[' : '{');
    }
}

/* `path`: the nodes from below the root to the leaf, `depth` containers and the leaf. */
static int fill_leaf(struct compiler *compiler, struct csv_leaf *leaf, struct node *const *path, uint32_t depth)
{
    struct buf way;
    uint32_t *starts = arena_take_zeroed(compiler->arena, depth + 1, sizeof *starts);
    char *closing = arena_take(compiler->arena, depth);
    if (starts == NULL || closing == NULL) {
        return ERR_NO_MEMORY;
    }
    buf_init(&way, 0);
    for (uint32_t i = 0; i <= depth; i++) {
        starts[i] = (uint32_t)way.size;
        append_step(&way, path[i]);
    }
    for (uint32_t i = 0; i < depth; i++) {
        closing[i] = path[depth - 1 - i]->is_array ? ']' : '}';
    }
    static const char padding[CSV_PADDING];
    size_t size = way.size;
    buf_append(&way, padding, sizeof padding);
    *leaf = (struct csv_leaf){.column = path[depth]->column,
                              .depth = depth,
                              .starts = starts,
                              .way = slice_make(arena_copy(compiler->arena, buf_view(&way)).data, size),
                              .closing = slice_make(closing, depth)};
    int err = buf_error(&way) != 0 ? ERR_NO_MEMORY : arena_error(compiler->arena);
    buf_fini(&way);
    return err;
}

static int emit_leaf(struct compiler *compiler, struct node *node)
{
    struct node *path[LIMIT_DEPTH];
    uint32_t depth = node->depth;
    uint32_t shared = 0;
    struct node *step = node;
    for (uint32_t i = 0; i <= depth; i++, step = step->parent) {
        path[depth - i] = step;
    }
    assert(step == &compiler->root);
    struct csv_leaf *leaf = compiler->last_leaf == NULL ? compiler->header->leaves : compiler->last_leaf + 1;
    while (compiler->last_leaf != NULL && shared < depth && shared < compiler->last_leaf->depth &&
           path[shared] == compiler->path[shared]) {
        shared++;
    }
    int err = fill_leaf(compiler, leaf, path, depth);
    leaf->shared = shared;
    memcpy(compiler->path, path, (depth + 1) * sizeof path[0]);
    compiler->last_leaf = leaf;
    compiler->way_bytes += leaf->way.size;
    if (err == 0 && compiler->way_bytes > WAY_BYTES_MAX) {
        return refuse_column(compiler, node->column, "the names up to here are longer than 256 KiB together.");
    }
    return err;
}

static int emit(struct compiler *compiler, struct node *node)
{
    if (node->is_leaf) {
        return emit_leaf(compiler, node);
    }
    int err = settle_children(compiler, node);
    for (struct node *child = node->first; child != NULL && err == 0; child = child->next) {
        err = emit(compiler, child);
    }
    return err;
}

/* ---- all of it ---- */

static int compile(struct compiler *compiler, struct slice row, struct slice map, csv_type_fn *type, void *context)
{
    struct csv_header *header = compiler->header;
    int err = read_names(compiler, row);
    err = err != 0 ? err : read_map(compiler, map);
    for (uint32_t i = 0; i < header->column_count && err == 0; i++) {
        struct csv_column *column = &header->columns[i];
        err = place_column(compiler, column);
        if (err != 0 || column->passed_over) {
            continue;
        }
        err = add_column(compiler, i);
        if (err == 0) {
            unsigned types = type(context, column->pointer);
            column->literals = (types & CSV_STRING) != 0 ? 0 : (uint8_t)types;
            header->known_count += types != 0;
        }
    }
    err = err != 0 ? err : check_map_used(compiler);
    if (err != 0) {
        return err;
    }
    header->leaves = arena_take_zeroed(compiler->arena, header->leaf_count, sizeof *header->leaves);
    return header->leaves == NULL ? ERR_NO_MEMORY : emit(compiler, &compiler->root);
}

int csv_header_compile(struct slice row, struct slice map, csv_type_fn *type, void *context, struct csv_header **header,
                       size_t *at, struct buf *why)
{
    struct csv_header *made = calloc(1, sizeof *made);
    *header = NULL;
    *at = 0;
    if (made == NULL) {
        return ERR_NO_MEMORY;
    }
    made->arena = arena_new(4096, ARENA_BYTES);
    int err = made->arena == NULL ? ERR_NO_MEMORY : 0;
    if (err == 0) {
        struct compiler compiler = {.header = made, .arena = made->arena, .at = at, .why = why};
        err = compile(&compiler, row, map, type, context);
    }
    if (err != 0) {
        csv_header_free(&made);
    }
    *header = made;
    return err;
}

void csv_header_free(struct csv_header **header)
{
    if (*header == NULL) {
        return;
    }
    arena_free(&(*header)->arena);
    free(*header);
    *header = NULL;
}

size_t csv_header_columns(const struct csv_header *header)
{
    return header->column_count;
}

size_t csv_header_known(const struct csv_header *header)
{
    return header->known_count;
}
