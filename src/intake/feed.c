/*
 * Feed: imports that were answered before they were taken in (Prefer: respond-async).
 *
 *   body arrives ─► spool file ─► synced, row `open` and claim committed ─► 202 ─► its turn ─► the way of a batch
 *                                 acceptor thread                                 feeder thread
 *
 * One body is taken in at a time, as if a client sent it: it follows its own row like a retry with a key
 * (follow.c), so that what was kept before a restart is not kept again. A body whose trouble may pass, a full
 * disk for one, is tried again later; the file goes when its import has ended.
 *
 * The difficulty is who stands for the import while it waits: the object that took the body in does, with its key,
 * so that another request of the key meets "in flight"; it is shown until the feeding one takes its place. Files
 * that an earlier run left have no such object: they are fed with what their head says.
 *
 * What was answered with 202 has a turn: its place is taken before its row is committed, and there is room for all that
 * have one. As long as an import has a turn nobody takes it for one that was left.
 */
#include <assert.h>
#include <dirent.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "base/queue.h"
#include "base/reader.h"
#include "base/thread.h"
#include "intake/spool_priv.h"

#define WAITING_MAX 1024u /* bodies that wait or are being taken in; one more is not accepted */
#define PAUSE_S     1

struct feed {
    struct intake *intake;
    const char *folder;
    struct queue *accept; /* struct intake_import */
    struct queue *turns;  /* struct turn; as many as there are places, and as an earlier run left */
    struct map *waiting;  /* ids of the imports that have a turn: each takes a place */
    pthread_t acceptor;
    pthread_t feeder;
    bool accepting;
    bool feeding;
    atomic_bool stopping;
    pthread_mutex_t lock;
    pthread_cond_t woken;
    bool awake;
};

/* A file that waits. */
struct turn {
    struct uuid id;
    struct intake_import *import; /* that took it in; NULL after a restart */
};

/* ---- the head of a file: what was admitted ---- */

static void put_bytes(struct buf *head, struct slice bytes)
{
    buf_append_u32(head, (uint32_t)bytes.size);
    buf_append_slice(head, bytes);
}

static void write_head(const struct intake_admission *admission, struct buf *head)
{
    buf_append_byte(head, contract_info(admission->contract)->number);
    buf_append_byte(head, admission->format);
    buf_append_byte(head, admission->encoding);
    buf_append_byte(head, admission->on_existing);
    buf_append_byte(head, (uint8_t)(admission->partial | admission->strict << 1 | admission->dry_run << 2));
    buf_append_u32(head, admission->grant.scopes);
    buf_append_slice(head, uuid_view(&admission->request));
    buf_append(head, admission->key_mac, CRYPTO_MAC_BYTES);
    buf_append(head, admission->terms_mac, CRYPTO_MAC_BYTES);
    put_bytes(head, slice_from_text(admission->grant.project));
    put_bytes(head, slice_from_text(admission->grant.subject));
    put_bytes(head, buf_view(&admission->envelope));
    put_bytes(head, buf_view(&admission->map));
}

static void read_name(struct reader *reader, char *name, size_t room)
{
    struct slice text = reader_bytes(reader, reader_u32(reader));
    if (text.size < room) {
        memcpy(name, text.data, text.size);
    }
}

static const struct contract *contract_of(const struct intake *intake, uint8_t number)
{
    for (size_t i = 0; i < intake->options.contract_count; i++) {
        if (contract_info(intake->options.contracts[i])->number == number) {
            return intake->options.contracts[i];
        }
    }
    return NULL;
}

static int read_head(const struct intake *intake, struct slice head, struct intake_admission *admission)
{
    struct reader reader;
    reader_init(&reader, head);
    admission->contract = contract_of(intake, reader_u8(&reader));
    admission->format = reader_u8(&reader);
    admission->encoding = reader_u8(&reader);
    admission->on_existing = reader_u8(&reader);
    uint8_t flags = reader_u8(&reader);
    admission->partial = (flags & 1) != 0;
    admission->strict = (flags & 2) != 0;
    admission->dry_run = (flags & 4) != 0;
    admission->grant.scopes = reader_u32(&reader);
    reader_copy(&reader, admission->request.bytes, UUID_BYTES);
    reader_copy(&reader, admission->key_mac, CRYPTO_MAC_BYTES);
    reader_copy(&reader, admission->terms_mac, CRYPTO_MAC_BYTES);
    read_name(&reader, admission->grant.project, sizeof admission->grant.project);
    read_name(&reader, admission->grant.subject, sizeof admission->grant.subject);
    buf_append_slice(&admission->envelope, reader_bytes(&reader, reader_u32(&reader)));
    buf_append_slice(&admission->map, reader_bytes(&reader, reader_u32(&reader)));
    if (reader_error(&reader) != 0 || reader_left(&reader) != 0) {
        return ERR_CORRUPT;
    }
    if (admission->contract == NULL) {
        return ERR_CONTRACT;
    }
    return buf_error(&admission->envelope) != 0 ? buf_error(&admission->envelope) : buf_error(&admission->map);
}

static bool has_place(struct feed *feed)
{
    pthread_mutex_lock(&feed->lock);
    bool has = map_count(feed->waiting) < WAITING_MAX;
    pthread_mutex_unlock(&feed->lock);
    return has;
}

int feed_begin(struct intake_import *import)
{
    const struct intake *intake = import->intake;
    if (!has_place(intake->feed)) {
        return ERR_OVERLOADED; /* before its body comes; whether there is a place in the end is seen then */
    }
    const struct auth_tenant *tenant = import->admission.grant.tenant;
    struct buf head;
    buf_init(&head, SPOOL_HEAD_LIMIT_BYTES);
    write_head(&import->admission, &head);
    int err = buf_error(&head);
    err = err == 0 ? spool_create(intake->options.spool, &tenant->id, &import->id, tenant->keys, buf_view(&head),
                                  &import->spool)
                   : err;
    buf_fini(&head);
    return err;
}

/* ---- accepting ---- */

/* The row that says that the import is open, and the claim on its key. */
static int commit_row(struct intake_import *import)
{
    struct store_chunk chunk = {.tenant = import->row.tenant,
                                .import = import->id,
                                .row = &import->opening,
                                .request = import->admission.keyed ? &import->request : NULL,
                                .request_before_ms = clock_real_ms() - import->intake->options.key_window_ms};
    struct store_chunk *chunks = &chunk;
    int err = store_commit(import->intake->options.store, &chunks, 1);
    return err != 0 ? err : chunk.error;
}

static void refuse(struct intake_import *import, int err)
{
    pthread_mutex_lock(&import->lock);
    import->failed = true;
    import->error = import->error == 0 ? err : import->error;
    pthread_mutex_unlock(&import->lock);
    spool_drop(&import->spool);
}

static void turn_free(struct feed *feed, struct turn *turn)
{
    if (turn->import != NULL) {
        import_unref(turn->import);
    }
    pthread_mutex_lock(&feed->lock);
    map_delete(feed->waiting, uuid_view(&turn->id));
    pthread_mutex_unlock(&feed->lock);
    free(turn);
}

/* Takes a place. NULL: no memory. */
static struct turn *turn_new(struct feed *feed, const struct uuid *id)
{
    struct turn *turn = calloc(1, sizeof *turn);
    if (turn == NULL) {
        return NULL;
    }
    turn->id = *id;
    pthread_mutex_lock(&feed->lock);
    int err = map_put(feed->waiting, uuid_view(id), 0);
    pthread_mutex_unlock(&feed->lock);
    if (err != 0) {
        free(turn);
        return NULL;
    }
    return turn;
}

bool feed_has(struct feed *feed, const struct uuid *import)
{
    uint64_t nothing;
    pthread_mutex_lock(&feed->lock);
    bool has = map_get(feed->waiting, uuid_view(import), &nothing);
    pthread_mutex_unlock(&feed->lock);
    return has;
}

/* It has a place, so there is room. */
static void turn_push(struct feed *feed, struct turn *turn)
{
    bool pushed = queue_try_push(feed->turns, turn);
    assert(pushed);
    (void)pushed;
}

/* Everything that may fail comes before the row. The acceptor alone takes places while the server runs. */
static int accept_safely(struct feed *feed, struct intake_import *import, struct turn **turn)
{
    if (!has_place(feed)) {
        return ERR_OVERLOADED;
    }
    *turn = turn_new(feed, &import->id);
    int err = *turn == NULL ? ERR_NO_MEMORY : spool_finish(import->spool);
    return err == 0 ? commit_row(import) : err;
}

static void accept_one(struct feed *feed, struct intake_import *import)
{
    struct turn *turn = NULL;
    int err = accept_safely(feed, import, &turn);
    if (err != 0) {
        if (turn != NULL) {
            turn_free(feed, turn);
        }
        refuse(import, err);
        import_done(import);
        import_unref(import);
        return;
    }
    spool_close(&import->spool);
    import->accepted = true;
    pthread_mutex_lock(&import->lock);
    import->parted = true; /* who aborts it while it waits does so in the store, where it lasts */
    pthread_mutex_unlock(&import->lock);
    turn->import = import;
    import_done(import);
    turn_push(feed, turn);
}

static void *acceptor_run(void *context)
{
    struct feed *feed = context;
    struct intake_import *import;
    while ((import = queue_pop(feed->accept)) != NULL) {
        accept_one(feed, import);
    }
    return NULL;
}

void feed_accept(struct intake_import *import)
{
    struct feed *feed = import->intake->feed;
    pthread_mutex_lock(&import->intake->lock);
    import->references++;
    import->ended = true;
    pthread_mutex_unlock(&import->intake->lock);
    if (!queue_try_push(feed->accept, import)) {
        refuse(import, ERR_OVERLOADED);
        import_done(import);
        import_unref(import);
    }
}

/* ---- feeding ---- */

static void wake(void *context)
{
    struct feed *feed = context;
    pthread_mutex_lock(&feed->lock);
    feed->awake = true;
    pthread_cond_signal(&feed->woken);
    pthread_mutex_unlock(&feed->lock);
}

static void rest(struct feed *feed, struct intake_import *import)
{
    intake_rest(import);
    pthread_mutex_lock(&feed->lock);
    while (!feed->awake) {
        pthread_cond_wait(&feed->woken, &feed->lock);
    }
    feed->awake = false;
    pthread_mutex_unlock(&feed->lock);
}

/* The body to its end, or to where it is left: a stop, or a file that can't be read. */
static int send_body(struct feed *feed, struct spool *spool, struct intake_import *import)
{
    struct slice bytes = SLICE_NONE;
    int err = spool_read(spool, &bytes);
    while (err == 0 && bytes.size > 0) {
        if (atomic_load(&feed->stopping)) {
            return ERR_STOPPING;
        }
        while (!intake_take(import, &bytes)) {
            rest(feed, import);
        }
        err = spool_read(spool, &bytes);
    }
    if (err != 0) {
        return err;
    }
    while (!intake_end(import)) {
        rest(feed, import);
    }
    while (!intake_is_done(import)) {
        rest(feed, import);
    }
    return 0;
}

static void log_end(const struct intake_import *import, const struct intake_answer *answer)
{
    char id[UUID_TEXT_BYTES + 1];
    uuid_to_text(&import->id, id);
    struct log_subject subject = {.tenant = import->admission.grant.tenant->name, .import = id};
    log_info(&subject, "import",
             "\"spooled\":true,\"code\":\"%s\",\"items\":%llu,\"created\":%llu,\"existing\":%llu,\"faults\":%llu",
             answer->error == 0 ? "" : err_code(answer->error), (unsigned long long)answer->item_count,
             (unsigned long long)answer->created, (unsigned long long)answer->existing,
             (unsigned long long)answer->fault_total);
}

/* 0 when the import has ended, one way or another; else why it has to be tried again. A file without a row was never
 * answered with 202. */
static int feed_import(struct feed *feed, struct spool *spool, struct intake_admission *admission)
{
    struct intake_waker waker = {.wake = wake, .context = feed};
    struct intake_import *import = NULL;
    struct intake_answer answer = {0};
    int err = intake_begin(feed->intake, admission, &waker, &import);
    if (err != 0) {
        return err == ERR_IMPORT_ENDED || err == ERR_NOT_FOUND ? 0 : err;
    }
    err = send_body(feed, spool, import);
    if (err == 0) {
        intake_answer(import, &answer);
        log_end(import, &answer);
        err = answer.error != 0 && err_is_temporary(answer.error) && import->left ? answer.error : 0;
    }
    intake_release(&import);
    return err;
}

static int open_admission(struct feed *feed, const struct uuid *id, struct spool **spool,
                          struct intake_admission *admission)
{
    struct slice head;
    struct uuid tenant;
    int err = spool_open(feed->folder, id, &tenant, spool);
    err = err == 0 ? auth_tenant_of_data(feed->intake->options.auth, &tenant, &admission->grant.tenant) : err;
    err = err == 0 ? spool_read_head(*spool, admission->grant.tenant->keys, &head) : err;
    return err == 0 ? read_head(feed->intake, head, admission) : err;
}

static int feed_file(struct feed *feed, const struct uuid *id)
{
    struct intake_admission admission = {.keyed = true, .spooled = true, .spooled_id = *id};
    struct spool *spool = NULL;
    int err = open_admission(feed, id, &spool, &admission);
    err = err == 0 ? feed_import(feed, spool, &admission) : err;
    intake_admission_fini(&admission);
    spool_close(&spool);
    return err;
}

/* Its file stays for whoever looks into it; its import ends when nobody has gone on with it for long. */
static void log_unreadable(const struct uuid *id, int err)
{
    char text[UUID_TEXT_BYTES + 1];
    uuid_to_text(id, text);
    struct log_subject subject = {.import = text};
    log_error(&subject, "spooled body can't be taken in", "\"code\":\"%s\"", err_code(err));
}

/* The one that feeds takes the place of the one that waited, and its key, unless that was aborted meanwhile. */
static int end_waiting(struct feed *feed, struct turn *turn, bool *aborted)
{
    *aborted = turn->import != NULL && atomic_load(&turn->import->aborting);
    if (turn->import != NULL) {
        pthread_mutex_lock(&feed->intake->lock);
        import_hide(turn->import);
        pthread_mutex_unlock(&feed->intake->lock);
        follow_end(turn->import);
    }
    return *aborted ? intake_abort(feed->intake, &turn->import->row.tenant, &turn->id) : 0;
}

static void feed_turn(struct feed *feed, struct turn *turn)
{
    bool aborted = false;
    int err = end_waiting(feed, turn, &aborted);
    err = aborted ? err : feed_file(feed, &turn->id);
    bool again = err != 0 && err_is_temporary(err) && !atomic_load(&feed->stopping);
    if (again && queue_try_push(feed->turns, turn)) {
        nanosleep(&(struct timespec){.tv_sec = PAUSE_S}, NULL);
        return;
    }
    if (err == 0) {
        spool_remove(feed->folder, &turn->id);
    } else if (!err_is_temporary(err)) {
        log_unreadable(&turn->id, err);
    }
    turn_free(feed, turn);
}

static void *feeder_run(void *context)
{
    struct feed *feed = context;
    struct turn *turn;
    while ((turn = queue_pop(feed->turns)) != NULL) {
        if (atomic_load(&feed->stopping)) {
            turn_free(feed, turn);
        } else {
            feed_turn(feed, turn);
        }
    }
    return NULL;
}

/* ---- start and stop ---- */

static int take_turn(struct feed *feed, const char *name)
{
    struct uuid id;
    if (!uuid_from_text(slice_from_text(name), &id)) {
        return 0;
    }
    struct turn *turn = turn_new(feed, &id);
    if (turn == NULL) {
        return ERR_NO_MEMORY;
    }
    turn_push(feed, turn);
    return 0;
}

/* Files that an earlier run left, in the order of their names, which is that of their making. All of them: they were
 * answered with 202. */
static int take_up(struct feed *feed)
{
    struct dirent **entries = NULL;
    int count = scandir(feed->folder, &entries, NULL, alphasort);
    feed->turns = queue_new(WAITING_MAX + (count > 0 ? (size_t)count : 0));
    int err = feed->turns == NULL ? ERR_NO_MEMORY : 0;
    for (int i = 0; i < count; i++) {
        err = err == 0 ? take_turn(feed, entries[i]->d_name) : err;
        free(entries[i]);
    }
    free(entries);
    return err;
}

int feed_new(struct intake *intake, struct feed **feed)
{
    struct feed *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return ERR_NO_MEMORY;
    }
    made->intake = intake;
    made->folder = intake->options.spool;
    pthread_mutex_init(&made->lock, NULL);
    pthread_cond_init(&made->woken, NULL);
    made->accept = queue_new(intake_import_limit(&intake->options));
    made->waiting = map_new();
    *feed = made;
    int err = made->accept == NULL || made->waiting == NULL ? ERR_NO_MEMORY : take_up(made);
    if (err == 0) {
        made->accepting = thread_start(&made->acceptor, "accept", acceptor_run, made) == 0;
        made->feeding = thread_start(&made->feeder, "feed", feeder_run, made) == 0;
        err = made->accepting && made->feeding ? 0 : ERR_NO_MEMORY;
    }
    return err;
}

void feed_free(struct feed **feed)
{
    struct feed *freed = *feed;
    *feed = NULL;
    if (freed == NULL) {
        return;
    }
    atomic_store(&freed->stopping, true);
    if (freed->accept != NULL && freed->turns != NULL) {
        queue_close(freed->accept);
        if (freed->accepting) {
            pthread_join(freed->acceptor, NULL);
        }
        queue_close(freed->turns);
        if (freed->feeding) {
            pthread_join(freed->feeder, NULL);
        } else {
            (void)feeder_run(freed); /* lets go of what was taken up */
        }
    }
    queue_free(&freed->accept);
    queue_free(&freed->turns);
    map_free(&freed->waiting);
    pthread_cond_destroy(&freed->woken);
    pthread_mutex_destroy(&freed->lock);
    free(freed);
}
