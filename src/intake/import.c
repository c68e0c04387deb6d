/*
 * An import's life: begun by its HTTP thread, referenced by that thread and by each chunk it has,
 * freed when the last of them is gone. And its answer, once everything is decided.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/map.h"
#include "intake/intake_priv.h"

#define FAULT_BLOCK_BYTES (16u << 10)
#define FAULT_LIMIT_BYTES (32u << 20)

static void import_free(struct intake_import *import)
{
    json_splitter_free(&import->splitter);
    arena_free(&import->fault_arena);
    buf_fini(&import->envelope);
    buf_fini(&import->ids);
    buf_fini(&import->reply);
    map_free(&import->older);
    free(import->ready);
    pthread_mutex_destroy(&import->lock);
    free(import);
}

static bool allocate_parts(struct intake_import *import)
{
    const struct contract_info *info = contract_info(import->admission.contract);
    import->splitter = json_splitter_new(info->items, LIMIT_ENVELOPE_BYTES);
    import->fault_arena = arena_new(FAULT_BLOCK_BYTES, FAULT_LIMIT_BYTES);
    import->ready = calloc(import->ready_slots, sizeof(struct intake_chunk *));
    return import->splitter != NULL && import->fault_arena != NULL && import->ready != NULL;
}

static void begin_row(struct intake_import *import)
{
    import->started_ms = clock_real_ms();
    import->row = (struct store_import){.tenant = import->admission.grant.tenant->id,
                                        .id = import->id,
                                        .state = IMPORT_OPEN,
                                        .contract = contract_info(import->admission.contract)->number,
                                        .started_ms = import->started_ms};
    memcpy(import->row.project, import->admission.grant.project, sizeof import->row.project);
    import->opening = import->row;
}

/* Counts it in and gives it its id. More imports than connections are under way when clients leave before
 * their bodies end; they are bounded all the same, because the queues are (intake.c). */
static int enter(struct intake *intake, struct intake_import *import)
{
    uint64_t random;
    crypto_random(&random, sizeof random);
    pthread_mutex_lock(&intake->lock);
    int err = intake->stopping                                                ? ERR_STOPPING
              : intake->import_count == intake_import_limit(&intake->options) ? ERR_OVERLOADED
                                                                              : 0;
    if (err == 0) {
        intake->import_count++;
        import->id = uuid_make(&intake->uuids, (uint64_t)clock_real_ms(), random);
    }
    pthread_mutex_unlock(&intake->lock);
    return err;
}

int intake_begin(struct intake *intake, const struct intake_admission *admission, const struct intake_waker *waker,
                 struct intake_import **import)
{
    struct intake_import *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return ERR_NO_MEMORY;
    }
    made->intake = intake;
    made->admission = *admission;
    made->waker = *waker;
    made->references = 1;
    made->conflicts_only = true;
    made->ready_slots = intake->options.request_chunks + 2;
    pthread_mutex_init(&made->lock, NULL);
    list_init(&made->waiting);
    buf_init(&made->envelope, 0);
    buf_init(&made->ids, 0);
    if (!allocate_parts(made)) {
        import_free(made);
        return ERR_NO_MEMORY;
    }
    int err = enter(intake, made);
    if (err != 0) {
        import_free(made);
        return err;
    }
    begin_row(made);
    *import = made;
    return 0;
}

void import_unref(struct intake_import *import)
{
    struct intake *intake = import->intake;
    pthread_mutex_lock(&intake->lock);
    bool gone = --import->references == 0;
    pthread_mutex_unlock(&intake->lock);
    if (!gone) {
        return;
    }
    import_free(import);
    pthread_mutex_lock(&intake->lock);
    if (--intake->import_count == 0) {
        pthread_cond_broadcast(&intake->idle);
    }
    pthread_mutex_unlock(&intake->lock);
}

void intake_release(struct intake_import **import)
{
    struct intake_import *released = *import;
    *import = NULL;
    if (released == NULL) {
        return;
    }
    if (!released->ended) {
        split_cut_off(released);
    }
    import_unref(released);
}

/* ---- the answer ---- */

const struct uuid *intake_import_id(const struct intake_import *import)
{
    return &import->id;
}

static bool all_have_code(const struct intake_import *import, const char *code)
{
    for (size_t i = 0; i < import->fault_count; i++) {
        if (strcmp(import->faults[i].code, code) != 0) {
            return false;
        }
    }
    return import->fault_count > 0;
}

/* One error for the whole request, from its faults. */
static int error_of_faults(const struct intake_import *import)
{
    if (!import->conflicts_only) {
        return all_have_code(import, err_code(ERR_SCOPE_MISSING)) ? ERR_SCOPE_MISSING : ERR_FAULTS;
    }
    if (all_have_code(import, err_code(ERR_BUSY))) {
        return ERR_BUSY;
    }
    return all_have_code(import, err_code(ERR_UNIQUE_CONFLICT)) ? ERR_UNIQUE_CONFLICT : ERR_EXTERNAL_ID_CONFLICT;
}

void intake_answer(struct intake_import *import, struct intake_answer *answer)
{
    pthread_mutex_lock(&import->lock);
    *answer = (struct intake_answer){.error = import->error,
                                     .place = import->place,
                                     .faults = import->faults,
                                     .fault_count = import->fault_count,
                                     .fault_total = import->fault_total,
                                     .item_count = import->row.received,
                                     .created = import->row.created,
                                     .existing = import->row.existing,
                                     .findings = import->row.findings,
                                     .bytes = import->bytes};
    if (answer->error == 0 && import->fault_total > 0) {
        answer->error = error_of_faults(import);
    }
    if (answer->error != 0) {
        answer->created = 0; /* what was kept of it is aborted */
        answer->existing = 0;
    } else if (buf_error(&import->ids) != 0) {
        answer->error = ERR_OUTCOME_UNKNOWN; /* kept, but there is no memory to say it with */
    }
    pthread_mutex_unlock(&import->lock);
}

static void compose(struct intake_import *import, struct buf *out)
{
    const struct contract *contract = import->admission.contract;
    struct slice tenant = slice_from_text(import->admission.grant.tenant->name);
    size_t count = import->ids.size / sizeof(struct uuid);
    contract_reply_head(contract, tenant, out);
    for (size_t i = 0; i < count; i++) {
        struct uuid id;
        char text[UUID_TEXT_BYTES + 1];
        memcpy(&id, import->ids.data + i * sizeof id, sizeof id);
        uuid_to_text(&id, text);
        contract_reply_item(contract, i == 0, slice_make(text, UUID_TEXT_BYTES), out);
    }
    contract_reply_tail(contract, tenant, out);
}

ssize_t intake_reply_read(struct intake_import *import, char *to, size_t room)
{
    if (import->reply.size == 0) {
        compose(import, &import->reply);
    }
    size_t left = import->reply.size - import->reply_sent;
    size_t part = left < room ? left : room;
    memcpy(to, import->reply.data + import->reply_sent, part);
    import->reply_sent += part;
    return (ssize_t)part;
}

const char *intake_reply_type(const struct intake_import *import)
{
    (void)import;
    return "application/json";
}
