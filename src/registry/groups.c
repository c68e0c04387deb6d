/*
 * What is wrong with the items of an import, gathered: faults of one code at one place count together, array
 * indexes being alike, with the ranges of items that have them. A sender with a million refused rows has made one
 * mistake or two, and finds them here.
 *
 * Names of members that a contract does not know come from the sender, so groups are bounded, and ranges too; what
 * is beyond is counted and said.
 */
#include <stdlib.h>

#include "base/map.h"
#include "registry/registry_priv.h"

#define GROUPS_MAX 1000u
#define RANGES_MAX 100u

struct range {
    uint64_t first, last;
};

struct group {
    struct buf code, pointer, detail; /* the detail of its first fault */
    uint64_t count;
    struct buf ranges; /* struct range */
    uint64_t last;     /* item that was counted last */
    bool more;         /* ranges that are not listed */
};

struct registry_groups {
    struct map *places; /* code, NUL, pointer -> place in `list` */
    struct group *list[GROUPS_MAX];
    size_t count;
    uint64_t items;
    uint64_t faults;
    uint64_t others; /* faults of groups beyond the limit */
    struct buf key;
};

struct registry_groups *registry_groups_new(void)
{
    struct registry_groups *made = calloc(1, sizeof *made);
    if (made != NULL) {
        buf_init(&made->key, 0);
        made->places = map_new();
    }
    if (made != NULL && made->places == NULL) {
        free(made);
        made = NULL;
    }
    return made;
}

static void group_free(struct group *group)
{
    buf_fini(&group->code);
    buf_fini(&group->pointer);
    buf_fini(&group->detail);
    buf_fini(&group->ranges);
    free(group);
}

void registry_groups_free(struct registry_groups **groups)
{
    struct registry_groups *freed = *groups;
    *groups = NULL;
    if (freed == NULL) {
        return;
    }
    for (size_t i = 0; i < freed->count; i++) {
        group_free(freed->list[i]);
    }
    map_free(&freed->places);
    buf_fini(&freed->key);
    free(freed);
}

static bool is_index(struct slice token)
{
    for (size_t i = 0; i < token.size; i++) {
        if (token.data[i] < '0' || token.data[i] > '9') {
            return false;
        }
    }
    return token.size > 0;
}

/* The pointer with a star for every array index. */
static void append_place(struct buf *out, struct slice pointer)
{
    while (pointer.size > 0) {
        struct slice rest = slice_from(pointer, 1);
        const char *slash = rest.size == 0 ? NULL : memchr(rest.data, '/', rest.size);
        struct slice token = slice_make(rest.data, slash == NULL ? rest.size : (size_t)(slash - rest.data));
        buf_append_byte(out, '/');
        buf_append_slice(out, is_index(token) ? SLICE("*") : token);
        pointer = slice_from(rest, token.size);
    }
}

static struct group *group_new(struct registry_groups *groups, const struct record_fault *fault)
{
    struct group *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return NULL;
    }
    buf_append_slice(&made->code, fault->code);
    append_place(&made->pointer, fault->pointer);
    buf_append_slice(&made->detail, fault->detail);
    if (buf_error(&made->code) != 0 || buf_error(&made->pointer) != 0 || buf_error(&made->detail) != 0 ||
        map_put(groups->places, buf_view(&groups->key), groups->count) != 0) {
        group_free(made);
        return NULL;
    }
    groups->list[groups->count++] = made;
    return made;
}

/* Items come in order; one may have the same fault at several places. */
static void note_item(struct group *group, uint64_t index)
{
    size_t count = group->ranges.size / sizeof(struct range);
    struct range *ranges = (struct range *)(void *)group->ranges.data;
    bool again = group->count > 0 && group->last == index;
    group->count++;
    group->last = index;
    if (again || group->more) {
        return;
    }
    if (count > 0 && ranges[count - 1].last + 1 == index) {
        ranges[count - 1].last = index;
    } else if (count < RANGES_MAX) {
        struct range range = {index, index};
        buf_append(&group->ranges, &range, sizeof range);
    } else {
        group->more = true;
    }
}

int registry_groups_add(struct registry_groups *groups, const struct registry_reasons *reasons)
{
    struct slice left = reasons->faults;
    struct record_fault fault;
    groups->items++;
    while (record_refused_fault(&left, &fault)) {
        uint64_t place;
        buf_clear(&groups->key);
        buf_append_slice(&groups->key, fault.code);
        buf_append_byte(&groups->key, 0);
        append_place(&groups->key, fault.pointer);
        groups->faults++;
        struct group *group = NULL;
        if (map_get(groups->places, buf_view(&groups->key), &place)) {
            group = groups->list[place];
        } else if (groups->count < GROUPS_MAX) {
            group = group_new(groups, &fault);
            if (group == NULL) {
                return ERR_NO_MEMORY;
            }
        }
        if (group == NULL) {
            groups->others++;
            continue;
        }
        note_item(group, reasons->index);
        if (buf_error(&group->ranges) != 0) {
            return buf_error(&group->ranges);
        }
    }
    return buf_error(&groups->key);
}

static int by_count(const void *a, const void *b)
{
    const struct group *const *left = a;
    const struct group *const *right = b;
    return (*left)->count < (*right)->count ? 1 : (*left)->count > (*right)->count ? -1 : 0;
}

static void put_group(struct json_writer *writer, const struct group *group)
{
    const struct range *ranges = (const struct range *)(const void *)group->ranges.data;
    json_open_object(writer);
    json_name(writer, "code");
    json_put_string(writer, buf_view(&group->code));
    json_name(writer, "pointer");
    json_put_string(writer, buf_view(&group->pointer));
    json_name(writer, "detail");
    json_put_string(writer, buf_view(&group->detail));
    json_name(writer, "count");
    json_put_uint(writer, group->count);
    json_name(writer, "ranges");
    json_open_array(writer);
    for (size_t i = 0; i < group->ranges.size / sizeof *ranges; i++) {
        json_open_array(writer);
        json_put_uint(writer, ranges[i].first);
        json_put_uint(writer, ranges[i].last);
        json_close_array(writer);
    }
    json_close_array(writer);
    json_name(writer, "more");
    json_put_bool(writer, group->more);
    json_close_object(writer);
}

void registry_groups_put(struct registry_groups *groups, struct buf *json)
{
    struct json_writer writer;
    qsort(groups->list, groups->count, sizeof(struct group *), by_count);
    json_writer_init(&writer, json);
    json_open_object(&writer);
    json_name(&writer, "items");
    json_put_uint(&writer, groups->items);
    json_name(&writer, "faults");
    json_put_uint(&writer, groups->faults);
    json_name(&writer, "groups");
    json_open_array(&writer);
    for (size_t i = 0; i < groups->count; i++) {
        put_group(&writer, groups->list[i]);
    }
    json_close_array(&writer);
    json_name(&writer, "others");
    json_put_uint(&writer, groups->others);
    json_close_object(&writer);
    buf_append_byte(json, '\n');
}
