/*
 * What the tests of check share: compile a schema, run it over a value, and tell the outcome as one
 * text that a row can hold:
 *   F code pointer         a fault             f code pointer        a finding
 *   I kind value (context) an identifier       C role value          a card
 *   S kind pointer value (context)             a secret
 *   = {…}                  the document as it would be kept, when edits change it
 */
#ifndef TESTS_UNIT_CONTRACT_CHECK_RUN_H
#define TESTS_UNIT_CONTRACT_CHECK_RUN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "contract/contract.h"

#define RUN_FAULT_LIMIT 100

struct run {
    struct contract *contract;
    struct json_parser *parser;
    struct buf padded;
    struct arena *arena;
    struct json_doc doc;
    struct contract_options options;
    struct contract_result result;
    struct buf told;
};

/* The contract file around an item's schema; `members` go to the file's top. */
static inline void run_wrap(struct buf *out, const char *members, const char *item)
{
    buf_printf(out,
               "{\"number\":9,\"name\":\"t\",\"title\":\"T\",\"path\":\"/t\",\"items\":\"\",\"reply\":[\"$id\"],"
               "%s\"item\":%s}",
               members, item);
}

static inline void run_init(struct run *run)
{
    *run = (struct run){.options = {.scopes = SCOPE_ALL, .fault_limit = RUN_FAULT_LIMIT}};
    run->parser = json_parser_new(4u << 20);
    run->arena = arena_new(4096, 64u << 20);
    assert_non_null(run->parser);
    assert_non_null(run->arena);
}

static inline void run_fini(struct run *run)
{
    contract_free(&run->contract);
    json_parser_free(&run->parser);
    arena_free(&run->arena);
    buf_fini(&run->padded);
    buf_fini(&run->told);
}

/* Compiles a bare schema, or the schema as the item of a contract. */
static inline void run_compile(struct run *run, const char *schema, bool bare)
{
    struct buf text, why;
    buf_init(&text, 0);
    buf_init(&why, 0);
    if (bare) {
        buf_append_text(&text, schema);
    } else {
        run_wrap(&text, "", schema);
    }
    contract_free(&run->contract);
    int err = bare ? contract_compile_schema(buf_view(&text), &run->contract, &why)
                   : contract_compile(buf_view(&text), &run->contract, &why);
    if (err != 0) {
        fail_msg("%s does not compile: %.*s", schema, SLICE_ARG(buf_view(&why)));
    }
    buf_fini(&text);
    buf_fini(&why);
}

/* Parses the value and checks it as an item. */
static inline void run_check_slice(struct run *run, struct slice value)
{
    struct json_error error;
    buf_clear(&run->padded);
    buf_append_slice(&run->padded, value);
    assert_int_equal(buf_reserve(&run->padded, JSON_PADDING), 0);
    memset(run->padded.data + run->padded.size, 0, JSON_PADDING);
    if (json_parse(run->parser, buf_view(&run->padded), &JSON_LIMITS_DEFAULT, &run->doc, &error) != 0) {
        fail_msg("%.*s is no JSON: %s", SLICE_ARG(value), error.reason);
    }
    arena_rewind(run->arena);
    assert_int_equal(contract_check_item(run->contract, &run->doc, &run->options, run->arena, &run->result), 0);
}

static inline void run_check(struct run *run, const char *value)
{
    run_check_slice(run, slice_from_text(value));
}

static inline void run_tell_fact(struct buf *out, const struct contract_fact *fact)
{
    static const char ROLES[] = {[FACT_IDENTIFIER] = 'I', [FACT_CARD] = 'C', [FACT_SECRET] = 'S'};
    const char *kind = fact->role == FACT_IDENTIFIER ? identifier_kind_to_text((enum identifier_kind)fact->kind)
                       : fact->role == FACT_CARD     ? card_role_to_text((enum card_role)fact->kind)
                                                     : secret_kind_to_text((enum secret_kind)fact->kind);
    buf_printf(out, "%c %s ", ROLES[fact->role], kind);
    if (fact->pointer.size > 0) {
        buf_printf(out, "%.*s ", SLICE_ARG(fact->pointer));
    }
    buf_append_slice(out, fact->value);
    if (fact->context.size > 0) {
        buf_printf(out, " (%.*s)", SLICE_ARG(fact->context));
    }
    buf_append_byte(out, '\n');
}

/* The outcome as text; see the top. */
static inline const char *run_tell(struct run *run)
{
    const struct contract_result *result = &run->result;
    buf_clear(&run->told);
    for (size_t i = 0; i < result->fault_count; i++) {
        buf_printf(&run->told, "F %s %.*s\n", result->faults[i].code, SLICE_ARG(result->faults[i].pointer));
    }
    for (size_t i = 0; i < result->finding_count; i++) {
        buf_printf(&run->told, "f %s %.*s\n", result->findings[i].code, SLICE_ARG(result->findings[i].pointer));
    }
    for (size_t i = 0; i < result->fact_count; i++) {
        run_tell_fact(&run->told, &result->facts[i]);
    }
    if (result->edit_count > 0) {
        buf_append_text(&run->told, "= ");
        json_append_minified(&run->told, &run->doc, json_root(&run->doc), result->edits, result->edit_count);
        buf_append_byte(&run->told, '\n');
    }
    buf_append_byte(&run->told, 0);
    return run->told.data;
}

/* One row: what a value must come to under a schema. */
struct run_row {
    const char *schema;
    const char *value;
    const char *told;
    uint32_t scopes;
    bool strict;
};

static inline void run_rows(const struct run_row *rows, size_t count)
{
    struct run run;
    run_init(&run);
    for (size_t i = 0; i < count; i++) {
        run.options.scopes = rows[i].scopes;
        run.options.strict = rows[i].strict;
        run_compile(&run, rows[i].schema, false);
        run_check(&run, rows[i].value);
        const char *told = run_tell(&run);
        if (strcmp(told, rows[i].told) != 0) {
            fail_msg("row %zu: %s under %s gives\n%sand should give\n%s", i, rows[i].value, rows[i].schema, told,
                     rows[i].told);
        }
    }
    run_fini(&run);
}

#define RUN_ROWS(rows) run_rows(rows, sizeof(rows) / sizeof((rows)[0]))

/* ---- rows of valid or not, for bare schemas ---- */

struct valid_row {
    const char *schema;
    const char *value;
    bool valid;
};

static inline void valid_rows(const struct valid_row *rows, size_t count)
{
    struct run run;
    run_init(&run);
    for (size_t i = 0; i < count; i++) {
        run_compile(&run, rows[i].schema, true);
        run_check(&run, rows[i].value);
        if ((run.result.fault_total == 0) != rows[i].valid) {
            fail_msg("row %zu: %s must %sbe valid under %s", i, rows[i].value, rows[i].valid ? "" : "not ",
                     rows[i].schema);
        }
        assert_int_equal(run.result.fault_count, run.result.fault_total);
    }
    run_fini(&run);
}

#define VALID_ROWS(rows) valid_rows(rows, sizeof(rows) / sizeof((rows)[0]))

#endif
