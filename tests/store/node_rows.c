/*
 * Two servers on one database, and what happens between them. The fixture's store is one, a row opens the other. What
 * is done at the same time is done by threads; their checks are counted and asserted at the end.
 */
#include "fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

static const struct uuid second_node = {{2}};

static struct store *open_second(struct fixture *fixture)
{
    struct store *second = NULL;
    assert_int_equal(fixture_open_node(fixture, &second_node, &second), 0);
    return second;
}

static void use(struct fixture *fixture, struct store **other)
{
    struct store *was = fixture->store;
    fixture->store = *other;
    *other = was;
}

static struct store_import import_row(struct fixture *fixture, const struct store_import *import)
{
    struct store_import row;
    struct buf envelope;
    buf_init(&envelope, 0);
    assert_int_equal(store_import_get(fixture->store, &import->tenant, &import->id, &row, &envelope), 0);
    buf_fini(&envelope);
    return row;
}

/* As if no node had the imports: at once, where a release comes soon. */
static void disown(struct fixture *fixture)
{
    fixture_sql(fixture, "UPDATE muster_unfinished SET value = overlay(value PLACING decode('%s', 'hex') FROM 3)",
                "00000000000000000000000000000000");
}

static void rest(void)
{
    (void)nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
}

#define PAUSES 1000

/* ---- contended creates ---- */

#define ROUNDS  12
#define PEOPLE  6
#define WRITERS 4

struct writer {
    struct store *store;
    struct store_chunk *chunk;
    struct store_import *row;
    pthread_barrier_t *start;
    int error;
};

static void *write_once(void *context)
{
    struct writer *writer = context;
    pthread_barrier_wait(writer->start);
    writer->error = store_commit(writer->store, &writer->chunk, 1);
    return NULL;
}

/* Each round the same ids from all: each customer has one creator, and all others name it. */
static void check_round(struct writer *writers)
{
    for (size_t person = 0; person < PEOPLE; person++) {
        unsigned created = 0;
        struct uuid winner = {{0}};
        for (size_t i = 0; i < WRITERS; i++) {
            const struct store_outcome *outcome = &writers[i].chunk->outcomes[person];
            created += outcome->kind == STORE_CREATED ? 1 : 0;
            winner = outcome->kind == STORE_CREATED ? outcome->id : winner;
        }
        assert_int_equal(created, 1);
        for (size_t i = 0; i < WRITERS; i++) {
            assert_memory_equal(&writers[i].chunk->outcomes[person].id, &winner, sizeof winner);
        }
    }
}

static void contended_creates(struct fixture *fixture)
{
    struct store *second = open_second(fixture);
    pthread_barrier_t start;
    assert_int_equal(pthread_barrier_init(&start, NULL, WRITERS), 0);
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct writer writers[WRITERS];
        struct store_import rows[WRITERS];
        pthread_t threads[WRITERS];
        for (size_t i = 0; i < WRITERS; i++) {
            struct person people[PEOPLE];
            for (unsigned j = 0; j < PEOPLE; j++) { /* in different orders */
                unsigned number = i % 2 == 0 ? j : PEOPLE - 1 - j;
                people[number] = (struct person){.unique = round * PEOPLE + number + 1, .content = number};
            }
            rows[i] = fixture_import(fixture, 0);
            rows[i].state = IMPORT_COMMITTED;
            rows[i].chunks = 1;
            writers[i] = (struct writer){.store = i % 2 == 0 ? fixture->store : second,
                                         .chunk = fixture_chunk(fixture, &rows[i], 0, people, PEOPLE),
                                         .start = &start};
            writers[i].chunk->row = &rows[i];
        }
        for (size_t i = 0; i < WRITERS; i++) {
            assert_int_equal(pthread_create(&threads[i], NULL, write_once, &writers[i]), 0);
        }
        for (size_t i = 0; i < WRITERS; i++) {
            pthread_join(threads[i], NULL);
        }
        for (size_t i = 0; i < WRITERS; i++) {
            assert_int_equal(writers[i].error, 0);
            assert_true(writers[i].chunk->kept);
            /* Decided again or not, the row counts once. */
            assert_int_equal(rows[i].created + rows[i].existing, PEOPLE);
        }
        check_round(writers);
    }
    assert_int_equal(fixture_count(fixture, 0), ROUNDS * PEOPLE);
    pthread_barrier_destroy(&start);
    store_close(&second);
}

/* ---- an import belongs to a node ---- */

static void another_nodes_import(struct fixture *fixture)
{
    static const struct person one = {.unique = 1};
    static const struct person two = {.unique = 2};
    struct store *second = open_second(fixture);
    struct store_import row = fixture_import(fixture, 0);
    row.resumable = true;
    fixture_commit(fixture, fixture_chunk(fixture, &row, 0, &one, 1), &row, IMPORT_OPEN);
    struct store_chunk *chunk = fixture_chunk(fixture, &row, 1, &two, 1);
    use(fixture, &second);
    assert_int_equal(store_commit(fixture->store, &chunk, 1), 0);
    assert_int_equal(chunk->error, ERR_KEY_IN_FLIGHT);
    assert_false(chunk->kept);
    fixture_sweep(fixture); /* it lives: nobody takes it for left */
    assert_int_equal(import_row(fixture, &row).state, IMPORT_OPEN);
    use(fixture, &second);
    store_import_release(fixture->store, &row.tenant, &row.id);
    use(fixture, &second);
    row.state = IMPORT_COMMITTED;
    row.chunks = 2;
    chunk->row = &row;
    for (unsigned i = 0; i < PAUSES && chunk->error != 0; i++) {
        rest();
        assert_int_equal(store_commit(fixture->store, &chunk, 1), 0);
    }
    assert_int_equal(chunk->error, 0);
    use(fixture, &second);
    assert_int_equal(fixture_count(fixture, 0), 2);
    store_close(&second);
}

/* Whoever is asked ends it; the node that goes on with it finds it ended, and may still write its report. */
static void another_node_aborts(struct fixture *fixture)
{
    static const struct person one = {.unique = 1};
    static const struct person two = {.unique = 2};
    struct store *second = open_second(fixture);
    struct store_import row = fixture_import(fixture, 0);
    fixture_commit(fixture, fixture_chunk(fixture, &row, 0, &one, 1), &row, IMPORT_OPEN);
    struct store_import ended = row;
    ended.state = IMPORT_ABORTED;
    struct store_chunk *end = fixture_chunk(fixture, &row, 1, NULL, 0);
    end->row = &ended;
    assert_int_equal(store_commit(second, &end, 1), 0);
    assert_int_equal(end->error, ERR_KEY_IN_FLIGHT);
    end->by_request = true;
    assert_int_equal(store_commit(second, &end, 1), 0);
    assert_int_equal(end->error, 0);
    struct store_chunk *chunk = fixture_chunk(fixture, &row, 1, &two, 1);
    assert_int_equal(store_commit(fixture->store, &chunk, 1), 0);
    assert_int_equal(chunk->error, ERR_IMPORT_ENDED);
    assert_false(chunk->kept);
    fixture_end(fixture, &row, IMPORT_ABORTED);
    assert_int_equal(fixture_keep(fixture, 0, &one, 1)->outcomes[0].kind, STORE_CREATED);
    fixture_sweep(fixture);
    assert_int_equal(fixture_count(fixture, 0), 1);
    store_close(&second);
}

static void given_back_unfinished(struct fixture *fixture)
{
    static const struct person one = {.unique = 1};
    struct store_import row = fixture_import(fixture, 0);
    fixture_commit(fixture, fixture_chunk(fixture, &row, 0, &one, 1), &row, IMPORT_OPEN);
    store_import_release(fixture->store, &row.tenant, &row.id);
    for (unsigned i = 0; i < PAUSES && import_row(fixture, &row).state == IMPORT_OPEN; i++) {
        rest();
    }
    assert_int_equal(import_row(fixture, &row).state, IMPORT_ABORTED);
    assert_int_equal(fixture_keep(fixture, 0, &one, 1)->outcomes[0].kind, STORE_CREATED);
    fixture_sweep(fixture);
}

/* S6 of many: the row of the dead node's lease runs out. */
static void dead_nodes_imports(struct fixture *fixture)
{
    static const struct person one = {.unique = 1};
    static const struct person two = {.unique = 2};
    static const struct person three = {.unique = 3};
    struct store *second = open_second(fixture);
    struct store_import plain = fixture_import(fixture, 0);
    struct store_import resumable = fixture_import(fixture, 0);
    struct store_import alive = fixture_import(fixture, 0);
    resumable.resumable = true;
    fixture_commit(fixture, fixture_chunk(fixture, &plain, 0, &one, 1), &plain, IMPORT_OPEN);
    fixture_commit(fixture, fixture_chunk(fixture, &resumable, 0, &two, 1), &resumable, IMPORT_OPEN);
    /* As if another node had them, and was gone. */
    fixture_sql(fixture, "UPDATE muster_unfinished SET value = overlay(value PLACING decode('%s', 'hex') FROM 3)",
                "03000000000000000000000000000000");
    use(fixture, &second);
    fixture_commit(fixture, fixture_chunk(fixture, &alive, 0, &three, 1), &alive, IMPORT_OPEN);
    fixture_sql(fixture, "INSERT INTO muster_node VALUES ('03000000-0000-0000-0000-000000000000', now() + '1 h')");
    fixture_sweep(fixture);
    assert_int_equal(import_row(fixture, &plain).state, IMPORT_OPEN);
    fixture_sql(fixture, "UPDATE muster_node SET until = now() - interval '1 s' WHERE id::text LIKE '03%%'");
    fixture_sweep(fixture); /* it has just begun: the other may live and not have had the time to say so */
    assert_int_equal(import_row(fixture, &plain).state, IMPORT_OPEN);
    for (unsigned i = 0; i < 3 * PAUSES && import_row(fixture, &plain).state == IMPORT_OPEN; i++) {
        rest();
        fixture_sweep(fixture);
    }
    assert_int_equal(import_row(fixture, &plain).state, IMPORT_ABORTED);
    assert_int_equal(import_row(fixture, &resumable).state, IMPORT_OPEN);
    assert_int_equal(import_row(fixture, &alive).state, IMPORT_OPEN);
    assert_int_equal(fixture_keep(fixture, 0, &one, 1)->outcomes[0].kind, STORE_CREATED);
    fixture_end(fixture, &resumable, IMPORT_COMMITTED); /* taken over */
    fixture_end(fixture, &alive, IMPORT_ABORTED);
    fixture_sweep(fixture);
    use(fixture, &second);
    store_close(&second);
}

/* ---- two things at once ---- */

struct ender {
    struct store *store;
    const struct store_import *import;
    pthread_barrier_t *start;
    int error;
};

static void *undo_once(void *context)
{
    struct ender *ender = context;
    struct uuid changed;
    size_t count = 0;
    pthread_barrier_wait(ender->start);
    ender->error = store_import_undo(ender->store, &ender->import->tenant, &ender->import->id, 2, &changed, 1, &count);
    return NULL;
}

static void join_two(pthread_t threads[2])
{
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
}

/* W2: either the undo is refused for the update, or the update finds its customer gone and makes it anew. */
static void update_meets_undo(struct fixture *fixture)
{
    struct store *second = open_second(fixture);
    pthread_barrier_t start;
    assert_int_equal(pthread_barrier_init(&start, NULL, 2), 0);
    for (unsigned round = 1; round <= ROUNDS; round++) {
        struct person person = {.unique = round, .content = 1};
        struct store_import older = fixture_import(fixture, 0);
        fixture_commit(fixture, fixture_chunk(fixture, &older, 0, &person, 1), &older, IMPORT_COMMITTED);
        person.content = 2;
        struct store_import newer = fixture_import(fixture, 0);
        newer.state = IMPORT_COMMITTED;
        newer.on_existing = IMPORT_EXISTING_UPDATE;
        newer.chunks = 1;
        struct writer writer = {
            .store = fixture->store, .chunk = fixture_chunk(fixture, &newer, 0, &person, 1), .start = &start};
        writer.chunk->on_existing = IMPORT_EXISTING_UPDATE;
        writer.chunk->row = &newer;
        struct ender ender = {.store = second, .import = &older, .start = &start};
        pthread_t threads[2];
        assert_int_equal(pthread_create(&threads[0], NULL, write_once, &writer), 0);
        assert_int_equal(pthread_create(&threads[1], NULL, undo_once, &ender), 0);
        join_two(threads);
        assert_int_equal(writer.error, 0);
        assert_true(writer.chunk->kept);
        bool updated = writer.chunk->outcomes[0].kind == STORE_UPDATED;
        assert_true(updated || writer.chunk->outcomes[0].kind == STORE_CREATED);
        assert_int_equal(ender.error, updated ? ERR_IMPORT_CHANGED : 0);
        assert_int_equal(fixture_found(fixture, 0, fixture_key(IDENTIFIER_EXTERNAL_ID, round, true)), 1);
    }
    assert_int_equal(fixture_count(fixture, 0), ROUNDS);
    fixture_sweep(fixture);
    pthread_barrier_destroy(&start);
    store_close(&second);
}

/* W1: a node that is taken for dead goes on with a chunk, while another ends its import. */
static void chunk_meets_abort(struct fixture *fixture)
{
    struct store *second = open_second(fixture);
    pthread_barrier_t start;
    assert_int_equal(pthread_barrier_init(&start, NULL, 2), 0);
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct person people[2] = {{.unique = 2 * round + 1}, {.unique = 2 * round + 2}};
        struct store_import import = fixture_import(fixture, 0);
        struct store_import ended;
        import.resumable = true;
        fixture_commit(fixture, fixture_chunk(fixture, &import, 0, &people[0], 1), &import, IMPORT_OPEN);
        disown(fixture);
        ended = import;
        ended.state = IMPORT_ABORTED;
        struct store_chunk *end = fixture_chunk(fixture, &import, 1, NULL, 0);
        end->row = &ended;
        struct writer writers[2] = {
            {.store = fixture->store, .chunk = fixture_chunk(fixture, &import, 1, &people[1], 1), .start = &start},
            {.store = second, .chunk = end, .start = &start}};
        pthread_t threads[2];
        assert_int_equal(pthread_create(&threads[0], NULL, write_once, &writers[0]), 0);
        assert_int_equal(pthread_create(&threads[1], NULL, write_once, &writers[1]), 0);
        join_two(threads);
        assert_int_equal(writers[0].error, 0);
        assert_int_equal(writers[1].error, 0);
        /* Who has it first has it: the chunk makes the import its node's, or finds it ended. */
        bool kept = writers[0].chunk->kept;
        assert_int_equal(writers[0].chunk->error, kept ? 0 : ERR_IMPORT_ENDED);
        assert_int_equal(end->error, kept ? ERR_KEY_IN_FLIGHT : 0);
        assert_int_equal(import_row(fixture, &import).state, kept ? IMPORT_OPEN : IMPORT_ABORTED);
        if (kept) {
            fixture_end(fixture, &import, IMPORT_ABORTED);
        }
    }
    fixture_sweep(fixture);
    assert_int_equal(fixture_count(fixture, 0), 0);
    assert_int_equal(fixture_verify(fixture).keys, 0);
    pthread_barrier_destroy(&start);
    store_close(&second);
}

/* S9 over nodes. */
static void claim_meets_claim(struct fixture *fixture)
{
    struct store *second = open_second(fixture);
    pthread_barrier_t start;
    assert_int_equal(pthread_barrier_init(&start, NULL, 2), 0);
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct store_import rows[2];
        struct store_request requests[2];
        struct writer writers[2];
        pthread_t threads[2];
        for (unsigned i = 0; i < 2; i++) {
            struct person person = {.unique = 2 * round + i + 1};
            rows[i] = fixture_import(fixture, 0);
            rows[i].state = IMPORT_COMMITTED;
            rows[i].chunks = 1;
            requests[i] = (struct store_request){.mac = {(uint8_t)round, 7}, .import = rows[i].id, .created_ms = 5};
            writers[i] = (struct writer){.store = i == 0 ? fixture->store : second,
                                         .chunk = fixture_chunk(fixture, &rows[i], 0, &person, 1),
                                         .start = &start};
            writers[i].chunk->row = &rows[i];
            writers[i].chunk->request = &requests[i];
        }
        assert_int_equal(pthread_create(&threads[0], NULL, write_once, &writers[0]), 0);
        assert_int_equal(pthread_create(&threads[1], NULL, write_once, &writers[1]), 0);
        join_two(threads);
        assert_int_equal(writers[0].chunk->kept + writers[1].chunk->kept, 1);
        const struct store_chunk *loser = writers[writers[0].chunk->kept ? 1 : 0].chunk;
        assert_int_equal(loser->error, ERR_KEY_IN_FLIGHT);
    }
    assert_int_equal(fixture_count(fixture, 0), ROUNDS);
    pthread_barrier_destroy(&start);
    store_close(&second);
}

/* ---- work that is shared ---- */

static void pending_is_claimed(struct fixture *fixture)
{
    static const struct person person = {.secrets = true, .pending = true};
    struct store *second = open_second(fixture);
    struct uuid tenants[3] = {0};
    struct uuid ids[3] = {0};
    (void)fixture_keep(fixture, 0, &person, 1);
    (void)fixture_keep(fixture, 0, &person, 1);
    assert_int_equal(store_secrets_next_pending(fixture->store, &tenants[0], &ids[0]), 0);
    assert_int_equal(store_secrets_next_pending(second, &tenants[1], &ids[1]), 0);
    assert_memory_not_equal(&ids[0], &ids[1], sizeof ids[0]);
    assert_int_equal(store_secrets_next_pending(second, &tenants[1], &ids[1]), ERR_NOT_FOUND);
    fixture_sql(fixture, "UPDATE muster_pending SET claimed_until = now() - interval '1 s'");
    assert_int_equal(store_secrets_next_pending(second, &tenants[2], &ids[2]), 0);
    assert_memory_equal(&ids[0], &ids[2], sizeof ids[0]); /* the first one's claim has lapsed */
    store_close(&second);
}

static void one_node_sweeps(struct fixture *fixture)
{
    static const struct person person = {.unique = 1};
    struct store *second = open_second(fixture);
    bool left = true;
    fixture_sql(fixture, "INSERT INTO muster_lease VALUES ('upkeep', '%s', now() + interval '1 h')",
                "03000000-0000-0000-0000-000000000000");
    struct store_import row = fixture_import(fixture, 0);
    fixture_commit(fixture, fixture_chunk(fixture, &row, 0, &person, 1), &row, IMPORT_OPEN);
    fixture_end(fixture, &row, IMPORT_ABORTED);
    assert_int_equal(store_sweep(fixture->store, 100, &left), 0);
    assert_false(left);
    assert_int_equal(fixture_verify(fixture).keys, 1); /* another's work */
    fixture_sql(fixture, "UPDATE muster_lease SET until = now() - interval '1 s'");
    assert_int_equal(store_sweep(second, 100, &left), 0);
    assert_int_equal(fixture_verify(fixture).keys, 0);
    store_close(&second);
}

/* ---- sessions that end ---- */

#define COMMITS    40
#define KILL_EVERY 15 /* rests: time enough to connect anew */

struct killed {
    struct fixture *fixture;
    struct store_chunk *chunks[COMMITS];
    struct store_import rows[COMMITS];
    int errors[COMMITS];
    atomic_bool done;
};

static void *commit_all(void *context)
{
    struct killed *killed = context;
    for (size_t i = 0; i < COMMITS; i++) {
        killed->errors[i] = store_commit(killed->fixture->store, &killed->chunks[i], 1);
    }
    killed->done = true;
    return NULL;
}

/* An operator ends every session, again and again: what was answered is there, what was refused is not, and a commit
 * whose answer got lost is settled. */
static void sessions_are_ended(struct fixture *fixture)
{
    static struct killed killed;
    pthread_t writer;
    size_t kept = 0;
    killed = (struct killed){.fixture = fixture};
    for (unsigned i = 0; i < COMMITS; i++) {
        struct person people[3] = {{.unique = 3 * i + 1}, {.unique = 3 * i + 2}, {.unique = 3 * i + 3}};
        killed.rows[i] = fixture_import(fixture, 0);
        killed.rows[i].state = IMPORT_COMMITTED;
        killed.rows[i].chunks = 1;
        killed.chunks[i] = fixture_chunk(fixture, &killed.rows[i], 0, people, 3);
        killed.chunks[i]->row = &killed.rows[i];
    }
    assert_int_equal(pthread_create(&writer, NULL, commit_all, &killed), 0);
    for (unsigned i = 1; !killed.done; i++) {
        rest();
        if (i % KILL_EVERY == 0) {
            fixture_sql(fixture, "%s",
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                        "WHERE application_name = 'muster'");
        }
    }
    pthread_join(writer, NULL);
    for (size_t i = 0; i < COMMITS; i++) {
        bool there = fixture_shows(fixture, 0, &killed.chunks[i]->customers[0]);
        assert_true(killed.errors[i] == ERR_OUTCOME_UNKNOWN || there == (killed.errors[i] == 0));
        if (killed.errors[i] == 0) {
            assert_int_equal(killed.chunks[i]->outcomes[0].kind, STORE_CREATED);
            assert_int_equal(killed.rows[i].created, 3);
        }
        kept += there ? 3 : 0;
    }
    assert_int_equal(fixture_count(fixture, 0), kept);
    assert_true(kept > 0);
    for (unsigned i = 0; i < PAUSES && store_health(fixture->store) != 0; i++) {
        rest();
    }
    assert_int_equal(store_health(fixture->store), 0);
}

/* ---- opening ---- */

static void newer_schema_is_refused(struct fixture *fixture)
{
    struct store *second = NULL;
    fixture_sql(fixture, "UPDATE muster_schema SET version = 99");
    assert_int_equal(fixture_open_node(fixture, &second_node, &second), ERR_CORRUPT);
    assert_null(second);
}

struct opener {
    struct fixture *fixture;
    struct uuid node;
    struct store *store;
    int error;
};

static void *open_once(void *context)
{
    struct opener *opener = context;
    opener->error = fixture_open_node(opener->fixture, &opener->node, &opener->store);
    return NULL;
}

static void many_make_the_tables(struct fixture *fixture)
{
    struct opener openers[3];
    pthread_t threads[3];
    store_close(&fixture->store);
    fixture_sql(fixture, "DROP SCHEMA %s CASCADE; CREATE SCHEMA %s", fixture->schema, fixture->schema);
    for (size_t i = 0; i < 3; i++) {
        openers[i] = (struct opener){.fixture = fixture, .node = {{(uint8_t)(10 + i)}}};
        assert_int_equal(pthread_create(&threads[i], NULL, open_once, &openers[i]), 0);
    }
    for (size_t i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(openers[i].error, 0);
    }
    for (size_t i = 1; i < 3; i++) {
        store_close(&openers[i].store);
    }
    fixture->store = openers[0].store;
    assert_true(fixture_keep(fixture, 0, &(struct person){.unique = 1}, 1)->kept);
}

/* A run's chunk counts when it is added, whatever becomes of the run. */
static void run_is_kept(struct fixture *fixture)
{
    static const struct person one = {.unique = 1};
    struct store_import import = fixture_import(fixture, 0);
    struct store_run *run = NULL;
    fixture_end(fixture, &import, IMPORT_OPEN);
    assert_int_equal(store_run_open(fixture->store, &import.tenant, &import.id, &run), 0);
    assert_int_equal(store_run_add(run, fixture_chunk(fixture, &import, 0, &one, 1)), 0);
    store_run_cancel(&run);
    import.created = 1;
    import.chunks = 1;
    fixture_end(fixture, &import, IMPORT_COMMITTED);
    assert_int_equal(fixture_count(fixture, 0), 1);
}

/* ---- rows of the house ---- */

struct adder {
    struct store *store;
    pthread_barrier_t *start;
    struct slice key;
    struct slice old; /* empty: adds */
    struct slice value;
    int error;
};

static void *change_once(void *context)
{
    struct adder *adder = context;
    pthread_barrier_wait(adder->start);
    adder->error = adder->old.size == 0 ? store_meta_add(adder->store, adder->key, adder->value)
                                        : store_meta_replace(adder->store, adder->key, adder->old, adder->value);
    return NULL;
}

/* All add the row, or replace it, at once: one succeeds, the others are told `refusal`, and its value stays. */
static void change_together(struct fixture *fixture, struct store *second, struct slice key, struct slice old,
                            int refusal)
{
    static const char *const values[WRITERS] = {"a", "b", "c", "d"};
    struct adder adders[WRITERS];
    pthread_t threads[WRITERS];
    pthread_barrier_t start;
    struct buf value;
    unsigned wins = 0;
    assert_int_equal(pthread_barrier_init(&start, NULL, WRITERS), 0);
    for (size_t i = 0; i < WRITERS; i++) {
        adders[i] = (struct adder){.store = i % 2 == 0 ? fixture->store : second,
                                   .start = &start,
                                   .key = key,
                                   .old = old,
                                   .value = slice_from_text(values[i])};
        assert_int_equal(pthread_create(&threads[i], NULL, change_once, &adders[i]), 0);
    }
    for (size_t i = 0; i < WRITERS; i++) {
        pthread_join(threads[i], NULL);
    }
    buf_init(&value, 0);
    assert_int_equal(store_meta_get(fixture->store, key, &value), 0);
    for (size_t i = 0; i < WRITERS; i++) {
        assert_true(adders[i].error == 0 || adders[i].error == refusal);
        wins += adders[i].error == 0;
        assert_true(adders[i].error != 0 || slice_equal_text(buf_view(&value), values[i]));
    }
    assert_int_equal(wins, 1);
    buf_fini(&value);
    pthread_barrier_destroy(&start);
}

/* W8 */
static void house_rows_meet(struct fixture *fixture)
{
    struct store *second = open_second(fixture);
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct slice key = slice_make(&round, sizeof round);
        change_together(fixture, second, key, SLICE_NONE, ERR_EXISTS);
        assert_int_equal(store_meta_put(fixture->store, key, SLICE("old")), 0);
        change_together(fixture, second, key, SLICE("old"), ERR_BUSY);
    }
    store_close(&second);
}

/* The other server hears of a row that was replaced, and of none that was added, within the time that is promised. */
static void replaced_rows_are_heard_of(struct fixture *fixture)
{
    struct store *second = open_second(fixture);
    uint64_t before = 1;
    uint64_t after = 1;
    assert_int_equal(store_meta_add(fixture->store, SLICE("row"), SLICE("0")), 0);
    assert_int_equal(store_meta_stamp(second, &before), 0);
    assert_int_equal(before, 0);
    for (int round = 0; round < 3; round++) {
        char value = (char)('0' + round);
        char next = (char)(value + 1);
        assert_int_equal(store_meta_stamp(second, &before), 0);
        assert_int_equal(store_meta_replace(fixture->store, SLICE("row"), slice_make(&value, 1), slice_make(&next, 1)),
                         0);
        int64_t replaced_ns = clock_monotonic_ns();
        bool in_time = true;
        do {
            in_time = clock_monotonic_ns() - replaced_ns < STORE_STAMP_MS * 1000000LL;
            assert_int_equal(store_meta_stamp(second, &after), 0);
            rest();
        } while (in_time && after == before);
        assert_true(after != before);
    }
    store_close(&second);
}

/* The server is told to answer before the disk, while this one is on: a commit that does not wait is refused here. */
static void commits_wait_all_the_same(struct fixture *fixture)
{
    static const struct person person = {.unique = 1, .content = 1};
    struct store_import row = fixture_import(fixture, 0);
    fixture_sql(fixture, "CREATE FUNCTION refuse_weak() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                         "IF current_setting('synchronous_commit') = 'off' THEN RAISE 'it would not wait'; END IF; "
                         "RETURN NEW; END $$");
    fixture_sql(fixture, "CREATE TRIGGER weak BEFORE INSERT ON muster_import FOR EACH ROW "
                         "EXECUTE FUNCTION refuse_weak()");
    fixture_sql(fixture, "ALTER SYSTEM SET synchronous_commit = off");
    fixture_sql(fixture, "SELECT pg_reload_conf()");
    (void)usleep(300000); /* until every session has heard of it */
    struct store_chunk *chunk = fixture_chunk(fixture, &row, 0, &person, 1);
    chunk->row = &row;
    row.state = IMPORT_COMMITTED;
    row.chunks = 1;
    int err = store_commit(fixture->store, &chunk, 1);
    fixture_sql(fixture, "ALTER SYSTEM RESET synchronous_commit");
    fixture_sql(fixture, "SELECT pg_reload_conf()");
    assert_int_equal(err, 0);
    assert_true(chunk->kept);
}

const struct row node_rows[] = {
    {"S1 commits wait for the disk whatever the server is told", KIND_POSTGRES, commits_wait_all_the_same},
    {"an import is aborted at another node than the one that takes it in", KIND_POSTGRES, another_node_aborts},
    {"W8 rows of the house are added and replaced by one of two nodes", KIND_POSTGRES, house_rows_meet},
    {"a row of the house that one node replaces is heard of by the other", KIND_POSTGRES, replaced_rows_are_heard_of},
    {"S4 of many creates on two nodes one wins", KIND_POSTGRES, contended_creates},
    {"an open import is its node's until it is given back", KIND_POSTGRES, another_nodes_import},
    {"S6 what is given back and can't be gone on with is aborted", KIND_POSTGRES, given_back_unfinished},
    {"S6 a dead node's imports are aborted or taken over", KIND_POSTGRES, dead_nodes_imports},
    {"an update meets the undo of its customer", KIND_POSTGRES, update_meets_undo},
    {"a chunk meets the end of its import", KIND_POSTGRES, chunk_meets_abort},
    {"S9 a claim meets a claim on another node", KIND_POSTGRES, claim_meets_claim},
    {"secrets that wait are worked on by one node", KIND_POSTGRES, pending_is_claimed},
    {"upkeep is one node's at a time", KIND_POSTGRES, one_node_sweeps},
    {"S1 S10 sessions are ended by an operator", KIND_POSTGRES, sessions_are_ended},
    {"a newer schema is refused", KIND_POSTGRES, newer_schema_is_refused},
    {"many nodes make the tables at once", KIND_POSTGRES, many_make_the_tables},
    {"what is added to a run is kept", KIND_POSTGRES, run_is_kept},
    {0},
};
