/*
 * What an import's answer means. Three kinds: it has ended and its ids went out; it runs on at the server and
 * is followed; or it was refused, which may have left a list of faults.
 */
#include "base/clock.h"
#include "cli/download.h"
#include "cli/import_priv.h"
#include "cli/interrupt.h"
#include "cli/watch.h"

/* ---- what was refused ---- */

static int fetch_faults(const struct import *import, const char *id, uint64_t refused)
{
    const char *file = import->options.faults;
    struct counts counts;
    int code = download_report(&import->connection, id, "faults", NULL, file);
    if (code != CLI_KEPT) {
        cli_say("the refused items could not be fetched; ask again with: muster imports faults %s -o FILE", id);
        return CLI_REFUSED;
    }
    if (refused == 0 && counts_ask(&import->connection, id, true, &counts) == CLI_KEPT) {
        refused = counts.refused;
    }
    if (refused > 0) {
        cli_say("%llu refused items are in %s; mend them there and send it again: muster import %s",
                (unsigned long long)refused, file, file);
    } else {
        cli_say("the refused items are in %s; mend them there and send it again: muster import %s", file, file);
    }
    return CLI_REFUSED;
}

/* Some items were refused: the first faults, or all of them into the file. */
static int end_refused(struct import *import, const char *id, uint64_t refused)
{
    if (import->options.faults != NULL && id[0] != '\0') {
        return fetch_faults(import, id, refused);
    }
    struct slice faults = ids_faults(import->ids);
    fwrite(faults.data, 1, faults.size, stderr);
    if (id[0] != '\0') {
        cli_say("all of them, to be mended and sent again: muster imports faults %s -o FILE", id);
    }
    return CLI_REFUSED;
}

/* ---- what was kept ---- */

static void say_end(const struct import *import, const char *id, const struct ids_counts *counts)
{
    double seconds = (double)(clock_monotonic_ns() - import->started_ns) / 1e9;
    char refused[40] = "";
    char which[80] = "";
    if (counts->refused > 0) {
        snprintf(refused, sizeof refused, ", %llu refused", (unsigned long long)counts->refused);
    }
    if (id[0] != '\0') {
        snprintf(which, sizeof which, ", import %s", id);
    }
    if (import->options.dry_run) {
        cli_say("%llu would be kept%s%s, %.1f s; this was a dry run, and nothing was kept",
                (unsigned long long)counts->kept, refused, which, seconds);
        return;
    }
    cli_say("%llu kept%s%s, %.1f s, %.0f/s%s", (unsigned long long)counts->kept, refused, which, seconds,
            (double)(counts->kept + counts->refused) / seconds,
            import->answer.replayed ? "; it had been answered before, and nothing was kept twice" : "");
}

/* Sending it again would bring the same answer, so that is left to whoever asked for it. */
int import_end_unread(const struct import *import)
{
    bool is_full = ferror(stdout) != 0;
    cli_say("%s; the import %s has been answered all the same, and repeating it brings the answer again",
            is_full ? "stdout takes no more" : "the answer is not what was expected", import->answer.import);
    import_request_say_repeat(import);
    return is_full ? CLI_UNKNOWN : CLI_USAGE;
}

/* Of an answer with counts instead of ids the counts are its own, or those of the import. */
static struct ids_counts final_counts(struct import *import)
{
    struct ids_counts counts = ids_counts(import->ids);
    struct counts told;
    if (counts.kept + counts.refused > 0) {
        return counts;
    }
    if (counts_parse(ids_short_answer(import->ids), &told) ||
        (import->answer.import[0] != '\0' &&
         counts_ask(&import->connection, import->answer.import, true, &told) == CLI_KEPT)) {
        counts = (struct ids_counts){told.kept, told.refused};
    }
    return counts;
}

static int end_kept(struct import *import)
{
    ids_end(import->ids);
    if (fflush(stdout) != 0) {
        return import_end_unread(import);
    }
    struct ids_counts counts = final_counts(import);
    say_end(import, import->answer.import, &counts);
    return counts.refused > 0 ? end_refused(import, import->answer.import, counts.refused) : CLI_KEPT;
}

/* ---- what runs on ---- */

/* Muster-Import, or else the last segment of Location. */
static const char *import_id(const struct client_answer *answer)
{
    const char *slash = strrchr(answer->location, '/');
    return answer->import[0] != '\0' || slash == NULL ? answer->import : slash + 1;
}

static bool take_results(void *context, struct slice piece)
{
    struct import *import = context;
    return !interrupt_seen() && ids_take(import->ids, piece);
}

/* The ids of an import whose answer did not have them. */
static int print_results(struct import *import, const char *id)
{
    struct client_answer answer;
    struct buf path;
    buf_init(&path, 0);
    buf_append_text(&path, "/v1/imports/");
    client_append_escaped(&path, id);
    buf_append_text(&path, "/results");
    buf_append_byte(&path, '\0');
    if (buf_error(&path) != 0 || !ids_begin(import->ids, true, SLICE_NONE)) {
        return CLI_USAGE;
    }
    struct client_request request = {.method = "GET",
                                     .path = path.data,
                                     .bearer = import->connection.token,
                                     .headers = {{"Accept", "application/x-ndjson"}},
                                     .header_count = 1,
                                     .take = take_results,
                                     .context = import};
    int code = client_finish(client_perform(&import->connection, &request, &answer), &answer);
    client_answer_fini(&answer);
    buf_fini(&path);
    if (code == CLI_KEPT) {
        ids_end(import->ids);
    }
    return code;
}

static int end_followed(struct import *import, const char *id)
{
    struct counts counts;
    int code = watch_follow(&import->connection, id, false, &counts);
    if (code == CLI_UNKNOWN && interrupt_seen()) {
        cli_say("the server has all of it and goes on; follow it with: muster imports watch %s", id);
    }
    if (code != CLI_KEPT) {
        return code;
    }
    bool kept = strcmp(counts.state, "committed") == 0 || import->options.dry_run;
    if (kept && !import->options.quiet && !import->options.dry_run) {
        code = print_results(import, id);
    }
    if (code != CLI_KEPT) {
        cli_say("the import %s is kept; ask again for its ids with: muster imports results %s", id, id);
        return code;
    }
    struct ids_counts told = {kept ? counts.kept : 0, counts.refused};
    say_end(import, id, &told);
    if (!kept) {
        cli_say("the import ended as %s: nothing was kept", counts.state);
    }
    return counts.refused > 0 ? end_refused(import, id, counts.refused) : kept ? CLI_KEPT : CLI_REFUSED;
}

static int end_accepted(struct import *import)
{
    const char *id = import_id(&import->answer);
    if (id[0] == '\0') {
        cli_say("the server has taken the body but not said as which import");
        return CLI_UNKNOWN;
    }
    if (import->options.no_wait) {
        printf("%s\n", id);
        cli_say("taken; it goes on at the server: muster imports watch %s", id);
        return CLI_KEPT;
    }
    return end_followed(import, id);
}

int import_end(struct import *import, int err)
{
    const struct client_answer *answer = &import->answer;
    if (err == 0 && answer->status == 202) {
        return end_accepted(import);
    }
    int code = client_finish(err, answer);
    if (code == CLI_KEPT) {
        return end_kept(import);
    }
    bool has_faults =
        code == CLI_REFUSED && answer->import[0] != '\0' && (answer->status == 422 || answer->status == 409);
    if (has_faults && import->options.faults != NULL) {
        return fetch_faults(import, answer->import, 0);
    }
    return code;
}
