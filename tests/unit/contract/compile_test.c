/* What stops a compile: the text, and the place and reason that must be told. */
#include "contract/check_run.h"

struct row {
    const char *text;
    const char *why; /* how it begins */
};

static void run_table(const struct row *rows, size_t count, bool bare)
{
    for (size_t i = 0; i < count; i++) {
        struct buf text, why;
        struct contract *contract = (void *)&text;
        buf_init(&text, 0);
        buf_init(&why, 0);
        buf_append_text(&text, rows[i].text);
        int err = bare ? contract_compile_schema(buf_view(&text), &contract, &why)
                       : contract_compile(buf_view(&text), &contract, &why);
        buf_append_byte(&why, 0);
        if (err != ERR_CONTRACT || strncmp(why.data, rows[i].why, strlen(rows[i].why)) != 0) {
            fail_msg("row %zu: %s gives %d \"%s\", not \"%s\"", i, rows[i].text, err, why.data, rows[i].why);
        }
        assert_null(contract);
        buf_fini(&text);
        buf_fini(&why);
    }
}

#define TABLE(rows, bare) run_table(rows, sizeof(rows) / sizeof((rows)[0]), bare)

static void keywords(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"{\"typ\":\"string\"}", "/typ: unknown keyword \"typ\"; did you mean \"type\"?"},
        {"{\"properties\":{\"a/b\":{\"maxlength\":1}}}",
         "/properties/a~1b/maxlength: unknown keyword \"maxlength\"; did you mean \"maxLength\"?"},
        {"{\"$defs\":{\"a\":{\"x-idenfitier\":\"email\"}}}",
         "/$defs/a/x-idenfitier: unknown keyword \"x-idenfitier\"; did you mean \"x-identifier\"?"},
        {"{\"pattern\":\"a\"}", "/pattern: unknown keyword \"pattern\""},
        {"{\"multipleOf\":2}", "/multipleOf: unknown keyword"},
        {"{\"items\":{\"type\":\"strin\"}}", "/items/type: unknown type \"strin\"; did you mean \"string\"?"},
        {"{\"type\":[\"string\",\"nul\"]}", "/type/1: unknown type \"nul\""},
        {"{\"type\":[\"string\",\"string\"]}", "/type/1: stands there twice"},
        {"{\"type\":[]}", "/type: must name at least one type"},
        {"{\"type\":1}", "/type: must be an array of strings"},
        {"{\"enum\":[]}", "/enum: must be an array of at least one value"},
        {"{\"enum\":\"a\"}", "/enum: must be an array"},
        {"{\"enum\":[1,2,1.0]}", "/enum/2: stands there twice"},
        {"{\"minLength\":-1}", "/minLength: must be an integer from 0"},
        {"{\"maxLength\":1.5}", "/maxLength: must be an integer from 0"},
        {"{\"maxItems\":\"1\"}", "/maxItems: must be an integer from 0"},
        {"{\"minimum\":\"1\"}", "/minimum: must be a number"},
        {"{\"exclusiveMaximum\":true}", "/exclusiveMaximum: must be a number"},
        {"{\"required\":[\"a\",\"a\"]}", "/required/1: stands there twice"},
        {"{\"required\":[1]}", "/required/0: must be a string"},
        {"{\"required\":true}", "/required: must be an array of strings"},
        {"{\"properties\":[]}", "/properties: must be an object of schemas"},
        {"{\"properties\":{\"a\":1}}", "/properties/a: must be a schema"},
        {"{\"additionalProperties\":null}", "/additionalProperties: must be a schema"},
        {"{\"items\":[{}]}", "/items: must be a schema"},
        {"{\"prefixItems\":{}}", "/prefixItems: must be an array of at least one schema"},
        {"{\"anyOf\":[]}", "/anyOf: must be an array of at least one schema"},
        {"{\"allOf\":[{},{\"oneOf\":[3]}]}", "/allOf/1/oneOf/0: must be a schema"},
        {"{\"format\":\"e-mail\"}", "/format: unknown format \"e-mail\"; did you mean \"email\"?"},
        {"{\"format\":1}", "/format: must be a string"},
        {"{\"$ref\":\"other.json\"}", "/$ref: must point into this file"},
        {"{\"$ref\":\"#anchor\"}", "/$ref: must point into this file"},
        {"{\"$ref\":\"#/$defs/x\"}", "/$ref: points at nothing"},
        {"{\"$ref\":\"#/%zz\"}", "/$ref: points at nothing"},
        {"{\"items\":{\"$ref\":\"#/$defs\"},\"$defs\":{\"a\":{}}}", "/$defs/a: unknown keyword \"a\""},
        {"{\"items\":{\"$id\":\"x\"}}", "/items/$id: may stand at the root only"},
        {"{\"$ref\":\"#\"}", "the root: refers to itself"},
        {"{\"allOf\":[{\"$ref\":\"#\"}]}", "/allOf/0: refers to itself"},
        {"{\"$defs\":{\"a\":{\"not\":{\"$ref\":\"#/$defs/b\"}},\"b\":{\"if\":{\"$ref\":\"#/$defs/a\"}}}}", "/$defs/"},
        {"[]", "the root: must be a schema"},
        {"{\"type\":", "line 1, column "},
        {"{\"type\":\"string\",\"type\":\"null\"}", "line 1, column "},
        {"", "line 1, column "},
    };
    TABLE(rows, true);
}

static void notes(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"{\"x-class\":\"privat\"}", "/x-class: unknown kind \"privat\""},
        {"{\"x-class\":\"secre\"}", "/x-class: unknown kind \"secre\"; did you mean \"secret\"?"},
        {"{\"type\":\"string\",\"x-identifier\":\"e-mail\"}",
         "/x-identifier: unknown kind \"e-mail\"; did you mean \"email\"?"},
        {"{\"type\":\"string\",\"x-identifier\":\"wallet\"}", "/x-identifier: a wallet, and no other kind, names"},
        {"{\"type\":\"string\",\"x-identifier\":{\"kind\":\"email\",\"namespace\":\"n\"}}",
         "/x-identifier: a wallet, and no other kind, names"},
        {"{\"type\":\"string\",\"x-identifier\":{\"kind\":\"wallet\",\"namespce\":\"n\"}}",
         "/x-identifier/namespce: unknown member \"namespce\"; did you mean \"namespace\"?"},
        {"{\"properties\":{\"w\":{\"type\":\"string\",\"x-identifier\":{\"kind\":\"wallet\",\"namespace\":\"n\"}}}}",
         "/properties/w: names a namespace or question that is no member beside it"},
        {"{\"x-identifier\":\"email\"}", "the root: what has this annotation must be of type string"},
        {"{\"type\":[\"string\",\"number\"],\"x-card\":\"name\"}",
         "the root: what has this annotation must be of type string"},
        {"{\"type\":\"string\",\"x-card\":\"nam\"}", "/x-card: unknown kind \"nam\"; did you mean \"name\"?"},
        {"{\"properties\":{\"p\":{\"type\":\"string\",\"x-secret\":\"pin\"}}}",
         "/properties/p: a secret must have \"x-class\": \"secret\""},
        {"{\"properties\":{\"p\":{\"type\":\"string\",\"x-class\":\"secret\"}}}",
         "/properties/p: class secret needs x-secret"},
        {"{\"properties\":{\"p\":{\"type\":\"string\",\"x-class\":\"secret\",\"x-secret\":\"answer\"}}}",
         "/properties/p/x-secret: an answer, and no other kind, names"},
        {"{\"type\":\"string\",\"x-class\":\"secret\",\"x-secret\":\"pin\"}",
         "the root: an item as a whole can't be a secret"},
        {"{\"items\":{\"type\":\"string\",\"x-class\":\"secret\",\"x-secret\":\"pin\"}}",
         "the root: an element can't be a secret"},
        {"{\"properties\":{\"a\":{\"prefixItems\":[{\"$ref\":\"#/$defs/s\"}]}},"
         "\"$defs\":{\"s\":{\"type\":\"string\",\"x-class\":\"secret\",\"x-secret\":\"pin\"}}}",
         "/properties/a: an element can't be a secret"},
        {"{\"type\":\"string\",\"enum\":[\"a\"],\"x-alias\":{\"b\":\"c\"}}",
         "/x-alias/b: leads to a value that the enum"},
        {"{\"type\":\"string\",\"enum\":[\"a\",\"b\"],\"x-alias\":{\"b\":\"a\"}}",
         "/x-alias/b: is a documented value itself"},
        {"{\"type\":\"string\",\"x-alias\":{}}", "/x-alias: must be an object"},
        {"{\"type\":\"string\",\"x-alias\":{\"b\":1}}", "/x-alias/b: must be a string"},
        {"{\"x-privileged\":{}}", "/x-privileged/scope: is missing"},
        {"{\"x-privileged\":{\"scope\":\"customers:stats\"}}",
         "/x-privileged/scope: unknown scope \"customers:stats\"; did you mean \"customers:status\"?"},
        {"{\"x-privileged\":{\"scope\":\"admin\",\"only\":[1],\"except\":[2]}}", "/x-privileged: may have"},
        {"{\"x-privileged\":{\"scope\":\"admin\",\"onyl\":[1]}}",
         "/x-privileged/onyl: unknown member \"onyl\"; did you mean \"only\"?"},
        {"{\"x-privileged\":{\"scope\":\"admin\",\"only\":[]}}",
         "/x-privileged/only: must be an array of at least one"},
        {"{\"x-privileged\":\"admin\"}", "/x-privileged: must be an object"},
        {"{\"type\":\"object\",\"x-compare\":{\"left\":\"a\",\"right\":\"b\",\"scope\":\"admin\"}}",
         "/x-compare/result: is missing"},
        {"{\"type\":\"object\",\"x-compare\":{\"left\":\"a\",\"right\":\"b\",\"result\":\"c\",\"scope\":\"admin\"}}",
         "the root: x-compare: left and right must be secrets of kind code"},
        {"{\"x-card-name\":[\"/a\"]}", "the root: what has this annotation must be of type object"},
        {"{\"type\":\"object\",\"x-card-name\":[]}", "/x-card-name: must be an array"},
        {"{\"type\":\"object\",\"x-card-name\":[[]]}", "/x-card-name/0: must be a pointer"},
        {"{\"type\":\"object\",\"properties\":{\"a\":{}},\"x-card-name\":[\"/a\",[\"/b\"]]}",
         "the root: x-card-name: a pointer leads to no named member"},
        {"{\"type\":\"object\",\"x-card-default\":{\"stat\":\"new\"}}", "/x-card-default/stat: unknown kind \"stat\""},
        {"{\"type\":\"object\",\"x-card-default\":{\"status\":1}}", "/x-card-default/status: must be a string"},
    };
    TABLE(rows, true);
}

#define HEAD "{\"number\":9,\"name\":\"t\",\"title\":\"T\",\"path\":\"/t\",\"reply\":[\"$id\"],\"items\":\"\""

static void members(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"[]", "the root: must be an object"},
        {"{}", "the root: \"number\" is missing"},
        {HEAD "}", "the root: \"item\" is missing"},
        {HEAD ",\"item\":{},\"tenentHeader\":\"a\"}",
         "/tenentHeader: unknown member \"tenentHeader\"; did you mean \"tenantHeader\"?"},
        {HEAD ",\"item\":{\"propertis\":{}}}",
         "/item/propertis: unknown keyword \"propertis\"; did you mean \"properties\"?"},
        {HEAD ",\"item\":{\"$ref\":\"#/$defs/a\"},\"$defs\":{\"a\":{\"typo\":1}}}", "/$defs/a/typo: unknown keyword"},
        {HEAD ",\"item\":{\"$ref\":\"#/$defs/a\"},\"$defs\":{\"a\":{\"$ref\":\"#/$defs/a\"}}}",
         "/$defs/a: refers to itself"},
        {HEAD ",\"item\":{\"$ref\":\"#\"}}", "/number: unknown keyword \"number\""},
        {HEAD ",\"item\":{},\"$defs\":[]}", "/$defs: must be an object of schemas"},
        {HEAD ",\"item\":{},\"envelope\":{}}", "/envelope: the items are the root"},
        {HEAD ",\"item\":{},\"project\":\"/p\"}", "/project: points into an envelope, and there is none"},
        {HEAD ",\"item\":{},\"type\":\"p\"}", "/type: must be a JSON Pointer"},
        {"{\"number\":0,\"name\":\"t\",\"title\":\"T\",\"path\":\"/t\",\"reply\":[\"$id\"],\"items\":\"\",\"item\":{}}",
         "/number: must be from 1 to 255"},
        {"{\"number\":256,\"name\":\"t\",\"title\":\"T\",\"path\":\"/"
         "t\",\"reply\":[\"$id\"],\"items\":\"\",\"item\":{}}",
         "/number: must be from 1 to 255"},
        {"{\"number\":1,\"name\":\"T\",\"title\":\"T\",\"path\":\"/t\",\"reply\":[\"$id\"],\"items\":\"\",\"item\":{}}",
         "/name: must be 1 to 64 of"},
        {"{\"number\":1,\"name\":\"t\",\"title\":\"T\",\"path\":\"t\",\"reply\":[\"$id\"],\"items\":\"\",\"item\":{}}",
         "/path: must begin with /"},
        {"{\"number\":1,\"name\":\"t\",\"title\":\"T\",\"path\":\"/t\",\"reply\":[\"$id\"],\"items\":\"/a/"
         "b\",\"item\":{}}",
         "/items: must be empty or a JSON Pointer of one token"},
        {"{\"number\":1,\"name\":\"t\",\"title\":\"T\",\"path\":\"/t\",\"reply\":[],\"items\":\"\",\"item\":{}}",
         "/reply: must have one array with one element that holds \"$id\""},
        {"{\"number\":1,\"name\":\"t\",\"title\":\"T\",\"path\":\"/"
         "t\",\"reply\":{\"a\":\"$id\"},\"items\":\"\",\"item\":{}}",
         "/reply: must have one array"},
        {"{\"number\":1,\"name\":\"t\",\"title\":\"T\",\"path\":\"/"
         "t\",\"reply\":[1,\"$id\"],\"items\":\"\",\"item\":{}}",
         "/reply: must have one array"},
        {"{\"number\":1,\"name\":\"t\",\"title\":\"T\",\"path\":\"/t\",\"reply\":{\"a\":[\"$id\"],\"b\":[\"$id\"]},"
         "\"items\":\"\",\"item\":{}}",
         "/reply: must have one array"},
        {"{\"number\":1,\n\"name\":]", "line 2, column "},
    };
    TABLE(rows, false);
}

/* Opinions about one value: sixteen in one another are taken, more are not; nor are thousands. */
static void in_place_limits(void **state)
{
    (void)state;
    for (int depth = 12; depth <= 20; depth += 8) {
        struct buf text, why;
        struct contract *contract;
        buf_init(&text, 0);
        buf_init(&why, 0);
        for (int i = 0; i < depth; i++) {
            buf_append_text(&text, "{\"not\":");
        }
        buf_append_text(&text, "true");
        for (int i = 0; i < depth; i++) {
            buf_append_text(&text, "}");
        }
        int err = contract_compile_schema(buf_view(&text), &contract, &why);
        assert_int_equal(err, depth == 12 ? 0 : ERR_CONTRACT);
        contract_free(&contract);
        buf_fini(&text);
        buf_fini(&why);
    }
    static const struct row wide[] = {
        {"{\"$defs\":{\"a\":{\"allOf\":[{\"$ref\":\"#/$defs/b\"},{\"$ref\":\"#/$defs/b\"},{\"$ref\":\"#/$defs/b\"},"
         "{\"$ref\":\"#/$defs/b\"},{\"$ref\":\"#/$defs/b\"},{\"$ref\":\"#/$defs/b\"},{\"$ref\":\"#/$defs/b\"},"
         "{\"$ref\":\"#/$defs/b\"}]},"
         "\"b\":{\"allOf\":[{\"$ref\":\"#/$defs/c\"},{\"$ref\":\"#/$defs/c\"},{\"$ref\":\"#/$defs/c\"},"
         "{\"$ref\":\"#/$defs/c\"},{\"$ref\":\"#/$defs/c\"},{\"$ref\":\"#/$defs/c\"},{\"$ref\":\"#/$defs/c\"},"
         "{\"$ref\":\"#/$defs/c\"}]},"
         "\"c\":{\"allOf\":[{\"$ref\":\"#/$defs/d\"},{\"$ref\":\"#/$defs/d\"},{\"$ref\":\"#/$defs/d\"},"
         "{\"$ref\":\"#/$defs/d\"},{\"$ref\":\"#/$defs/d\"},{\"$ref\":\"#/$defs/d\"},{\"$ref\":\"#/$defs/d\"},"
         "{\"$ref\":\"#/$defs/d\"}]},"
         "\"d\":{\"allOf\":[{\"$ref\":\"#/$defs/e\"},{\"$ref\":\"#/$defs/e\"},{\"$ref\":\"#/$defs/e\"},"
         "{\"$ref\":\"#/$defs/e\"},{\"$ref\":\"#/$defs/e\"},{\"$ref\":\"#/$defs/e\"},{\"$ref\":\"#/$defs/e\"},"
         "{\"$ref\":\"#/$defs/e\"}]},\"e\":{}}}",
         "/$defs/"},
    };
    TABLE(wide, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keywords),
        cmocka_unit_test(notes),
        cmocka_unit_test(members),
        cmocka_unit_test(in_place_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
