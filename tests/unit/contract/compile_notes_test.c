/* Annotations that are written wrong: the place and the reason. */
#include "contract/compile_rows.h"

static void notes(void **state)
{
    (void)state;
    static const struct compile_row rows[] = {
        {"{\"x-class\":\"privat\"}", "/x-class: unknown kind \"privat\""},
        {"{\"x-class\":\"secre\"}", "/x-class: unknown kind \"secre\"; did you mean \"secret\"?"},
        {"{\"type\":\"string\",\"x-identifier\":\"e-mail\"}",
         "/x-identifier: unknown kind \"e-mail\"; did you mean \"email\"?"},
        {"{\"type\":\"string\",\"x-identifier\":\"wallet\"}", "/x-identifier: a wallet, and no other kind, names"},
        {"{\"type\":\"string\",\"x-identifier\":{\"kind\":\"email\",\"namespace\":\"n\"}}",
         "/x-identifier: a wallet, and no other kind, names"},
        {"{\"type\":\"string\",\"x-identifier\":{\"kind\":\"wallet\",\"namespce\":\"n\"}}",
         "/x-identifier/namespce: unknown member \"namespce\"; did you mean \"namespace\"?"},
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
        {"{\"x-card-name\":[\"/a\"]}", "the root: what has this annotation must be of type object"},
        {"{\"type\":\"object\",\"x-card-name\":[]}", "/x-card-name: must be an array"},
        {"{\"type\":\"object\",\"x-card-name\":[[]]}", "/x-card-name/0: must be a pointer"},
        {"{\"type\":\"object\",\"x-card-default\":{\"stat\":\"new\"}}", "/x-card-default/stat: unknown kind \"stat\""},
        {"{\"type\":\"object\",\"x-card-default\":{\"status\":1}}", "/x-card-default/status: must be a string"},
    };
    COMPILE_ROWS(rows, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
