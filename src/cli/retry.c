/*
 * What may be repeated: exchanges that broke, and answers that say "not now". What may not: an answer
 * about the body itself. 409 has both meanings; its code says which.
 */
#include "cli/retry.h"

#include "base/err.h"

static bool is_passing(const struct retry_end *end)
{
    if (end->err != 0) {
        return end->err == ERR_NETWORK || end->err == ERR_OUTCOME_UNKNOWN;
    }
    switch (end->status) {
    case 408:
    case 425:
    case 429:
    case 502:
    case 503:
    case 504:
    case 507:
        return true;
    case 409:
        return slice_equal_text(end->code, "idempotency-key-in-flight") || slice_equal_text(end->code, "busy");
    default:
        return false;
    }
}

/* Doubled each time, the upper half of it by chance. */
static int64_t own_pause_ms(uint64_t failed, uint32_t random)
{
    int64_t pause = RETRY_FIRST_MS;
    for (uint64_t i = 1; i < failed && pause < RETRY_LONGEST_MS; i++) {
        pause *= 2;
    }
    pause = pause < RETRY_LONGEST_MS ? pause : RETRY_LONGEST_MS;
    return pause / 2 + (int64_t)(random % (uint64_t)(pause / 2 + 1));
}

struct retry_decision retry_decide(struct retry *retry, const struct retry_end *end, uint32_t random)
{
    struct retry_decision decision = {.kind = RETRY_OVER};
    if (!is_passing(end)) {
        return decision;
    }
    retry->failed = end->progress ? 1 : retry->failed + 1;
    decision.wait_ms = own_pause_ms(retry->failed, random);
    if (end->retry_after_s > RETRY_PATIENCE_MS / 1000) {
        decision.kind = RETRY_TOO_LONG;
        return decision;
    }
    if (end->retry_after_s * 1000 > decision.wait_ms) {
        decision.wait_ms = end->retry_after_s * 1000;
    }
    decision.kind = !end->again ? RETRY_NO_BODY : retry->failed > retry->limit ? RETRY_EXHAUSTED : RETRY_NOW;
    return decision;
}
