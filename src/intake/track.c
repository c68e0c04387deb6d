/*
 * Tracks: the threads and queues that commit. A store on one disk has one log to sync, and wants large groups of
 * everything that waits: it has one track. A database goes on with some commits while it syncs or waits for others;
 * there imports spread over a few tracks. Each stays on its own from its first chunk to its last, so its chunks are
 * committed in order, whatever the others do.
 */
#include "base/thread.h"
#include "intake/intake_priv.h"
#include "store/store.h"

/* Half of what the store likes: a track's keeper and its lane may both commit. */
static size_t track_count(const struct intake *intake)
{
    struct store_facts facts;
    store_facts(intake->options.store, &facts);
    size_t count = facts.groups / 2;
    return count < 1 ? 1 : count > INTAKE_TRACKS ? INTAKE_TRACKS : count;
}

static int start(struct intake *intake, struct intake_track *track, size_t capacity)
{
    track->intake = intake;
    track->keep = fair_new(capacity, LIMIT_CHUNK_BYTES);
    track->lane = fair_new(capacity, LIMIT_CHUNK_BYTES);
    track->finisher = finisher_new();
    int keeper = worker_init(&track->keeper_tools);
    int laner = worker_init(&track->laner_tools);
    if (track->keep == NULL || track->lane == NULL || track->finisher == NULL || keeper != 0 || laner != 0) {
        return ERR_NO_MEMORY;
    }
    track->keeping = thread_start(&track->keeper, "keep", keeper_run, track) == 0;
    track->laning = thread_start(&track->laner, "lane", bulk_run, track) == 0;
    return track->keeping && track->laning ? 0 : ERR_NO_MEMORY;
}

int tracks_start(struct intake *intake, size_t capacity)
{
    size_t count = track_count(intake);
    int err = 0;
    while (intake->track_count < count && err == 0) {
        err = start(intake, &intake->tracks[intake->track_count++], capacity);
    }
    return err;
}

/* Also of one whose start broke off: what was not made is not ended. */
static void stop(struct intake_track *track)
{
    if (track->laning) {
        fair_close(track->lane);
        pthread_join(track->laner, NULL);
    }
    finisher_free(&track->finisher);
    if (track->keeping) {
        fair_close(track->keep);
        pthread_join(track->keeper, NULL);
    }
    worker_fini(&track->laner_tools);
    worker_fini(&track->keeper_tools);
    fair_free(&track->keep);
    fair_free(&track->lane);
}

void tracks_stop(struct intake *intake)
{
    for (size_t i = 0; i < intake->track_count; i++) {
        stop(&intake->tracks[i]);
    }
    intake->track_count = 0;
}

struct intake_track *tracks_enter(struct intake *intake)
{
    struct intake_track *least = &intake->tracks[0];
    for (size_t i = 1; i < intake->track_count; i++) {
        least = intake->tracks[i].imports < least->imports ? &intake->tracks[i] : least;
    }
    least->imports++;
    return least;
}

void tracks_leave(struct intake_track *track)
{
    track->imports--;
}
