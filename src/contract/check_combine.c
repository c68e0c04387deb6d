/*
 * Several schemas for one value. allOf, $ref, then and else speak for themselves: their faults are
 * the value's. anyOf, oneOf, not and if ask whether a branch holds: the branch is run quietly, and
 * one that does not hold leaves nothing behind.
 *
 * The difficulty is to say something useful when no branch holds. Only when the fault will really be
 * listed, the branch that came nearest is run once more, and the first sentence it has to say is
 * repeated.
 */
#include "contract/check_priv.h"

struct marks {
    size_t findings, facts, edits;
};

static struct marks mark(const struct checker *checker)
{
    return (struct marks){checker->findings.count, checker->facts.count, checker->edits.count};
}

static void take_back(struct checker *checker, struct marks marks)
{
    checker->findings.count = marks.findings;
    checker->facts.count = marks.facts;
    checker->edits.count = marks.edits;
}

/* Runs a branch; answers how many faults it has. */
static size_t try_branch(struct checker *checker, const struct node *branch, const struct place *place,
                         bool want_reason)
{
    struct marks marks = mark(checker);
    size_t outer_faults = checker->quiet_faults;
    bool outer_want = checker->want_reason;
    checker->quiet++;
    checker->quiet_faults = 0;
    checker->want_reason = want_reason;
    contract_check_value(checker, branch, place, false);
    size_t faults = checker->quiet_faults;
    checker->quiet--;
    checker->quiet_faults = outer_faults;
    checker->want_reason = outer_want;
    if (faults > 0) {
        take_back(checker, marks);
    }
    return faults;
}

struct tried {
    size_t holding;
    const struct node *nearest; /* of those that don't hold */
};

static struct tried try_branches(struct checker *checker, const struct node_list *list, const struct place *place)
{
    struct tried tried = {0, NULL};
    size_t least = SIZE_MAX;
    uint8_t type = contract_value_type(checker->doc, place->at);
    for (size_t i = 0; i < list->count; i++) {
        size_t faults = try_branch(checker, list->nodes[i], place, false);
        if (faults == 0) {
            tried.holding++;
            continue;
        }
        /* A branch for another type is never the one that was meant. */
        size_t distance = (list->nodes[i]->types & type) != 0 ? faults : SIZE_MAX - 1;
        if (distance < least) {
            least = distance;
            tried.nearest = list->nodes[i];
        }
    }
    return tried;
}

static void report_none(struct checker *checker, const struct place *place, const struct node *nearest)
{
    struct slice reason = SLICE_NONE;
    if (!contract_report_begin(checker, place, LEVEL_CONTRACT)) {
        return;
    }
    if (checker->quiet == 0) {
        checker->reason = SLICE_NONE;
        (void)try_branch(checker, nearest, place, true);
        reason = checker->reason;
    }
    /* The second run used the scratch text: begin it again, without counting. */
    contract_report_subject(checker, place);
    buf_append_text(&checker->text, "fits none of the allowed forms");
    if (reason.size > 0) {
        buf_append_text(&checker->text, "; for the nearest one, ");
        buf_append_slice(&checker->text, reason);
    }
    contract_report_end(checker, place, LEVEL_CONTRACT, "combination", SLICE_NONE);
}

static void check_any(struct checker *checker, const struct node_list *list, const struct place *place)
{
    struct tried tried = try_branches(checker, list, place);
    if (tried.holding == 0) {
        report_none(checker, place, tried.nearest);
    }
}

static void check_one(struct checker *checker, const struct node_list *list, const struct place *place)
{
    struct tried tried = try_branches(checker, list, place);
    if (tried.holding == 0) {
        report_none(checker, place, tried.nearest);
    } else if (tried.holding > 1) {
        contract_report(checker, place, LEVEL_CONTRACT, "combination",
                        "fits more than one of the allowed forms: it must fit exactly one");
    }
}

static void check_not(struct checker *checker, const struct node *negated, const struct place *place)
{
    struct marks marks = mark(checker);
    if (try_branch(checker, negated, place, false) == 0) {
        take_back(checker, marks);
        contract_report(checker, place, LEVEL_CONTRACT, "not-allowed", "has a form that is not allowed");
    }
}

void contract_check_combination(struct checker *checker, const struct node *node, const struct place *place)
{
    const struct combination *rules = node->combination;
    for (size_t i = 0; i < rules->all.count; i++) {
        contract_check_value(checker, rules->all.nodes[i], place, false);
    }
    if (rules->any.count > 0) {
        check_any(checker, &rules->any, place);
    }
    if (rules->one.count > 0) {
        check_one(checker, &rules->one, place);
    }
    if (rules->negated != NULL) {
        check_not(checker, rules->negated, place);
    }
    if (rules->condition != NULL) {
        bool holds = try_branch(checker, rules->condition, place, false) == 0;
        const struct node *next = holds ? rules->then : rules->otherwise;
        if (next != NULL) {
            contract_check_value(checker, next, place, false);
        }
    }
}
