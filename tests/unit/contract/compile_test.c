/* What stops a compile before a keyword is read, and values that are wrong for any keyword. */
#include "contract/compile_rows.h"

static void words_and_values(void **state)
{
    (void)state;
    static const struct compile_row rows[] = {
        {"{\"typ\":\"string\"}", "/typ: unknown keyword \"typ\"; did you mean \"type\"?"},
        {"{\"properties\":{\"a/b\":{\"maxlength\":1}}}",
         "/properties/a~1b/maxlength: unknown keyword \"maxlength\"; did you mean \"maxLength\"?"},
        {"{\"$defs\":{\"a\":{\"x-idenfitier\":\"email\"}}}",
         "/$defs/a/x-idenfitier: unknown keyword \"x-idenfitier\"; did you mean \"x-identifier\"?"},
        {"{\"pattern\":\"a\"}", "/pattern: unknown keyword \"pattern\""},
        {"{\"multipleOf\":2}", "/multipleOf: unknown keyword"},
        {"{\"type\":[\"string\",\"string\"]}", "/type/1: stands there twice"},
        {"{\"type\":1}", "/type: must be an array of strings"},
        {"{\"enum\":[]}", "/enum: must be an array of at least one value"},
        {"{\"enum\":\"a\"}", "/enum: must be an array"},
        {"{\"enum\":[1,2,1.0]}", "/enum/2: stands there twice"},
        {"{\"minLength\":-1}", "/minLength: must be an integer from 0"},
        {"{\"maxLength\":1.5}", "/maxLength: must be an integer from 0"},
        {"{\"maxItems\":\"1\"}", "/maxItems: must be an integer from 0"},
        {"{\"format\":1}", "/format: must be a string"},
        {"{\"items\":{\"$ref\":\"#/$defs\"},\"$defs\":{\"a\":{}}}", "/$defs/a: unknown keyword \"a\""},
        {"[]", "the root: must be a schema"},
        {"{\"type\":", "line 1, column "},
        {"{\"type\":\"string\",\"type\":\"null\"}", "line 1, column "},
        {"", "line 1, column "},
    };
    COMPILE_ROWS(rows, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_and_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
