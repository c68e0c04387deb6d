/* Annotations: what an item comes to. One row: schema, value, the outcome as check_run.h tells it. */
#include "contract/check_run.h"
#include "contract/schemas.h"

static void identifiers(void **state)
{
    (void)state;
#define MAIL    OBJECT("\"e\":" TEXT(",\"x-identifier\":\"email\",\"format\":\"email\""))
#define WALLET  OBJECT("\"n\":" TEXT("") ",\"w\":" TEXT(",\"x-identifier\":{\"kind\":\"wallet\",\"namespace\":\"n\"}"))
#define ADDRESS "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed" /* EIP-55's own vector */
    static const struct run_row rows[] = {
        {MAIL, "{\"e\":\"a@example.com\"}", "I email a@example.com\n", SCOPE_ALL, false},
        {MAIL, "{\"e\":\"none\"}", "f format /e\nI email none\n", SCOPE_ALL, false},
        {MAIL, "{\"e\":\"none\"}", "F format /e\nI email none\n", SCOPE_ALL, true},
        {MAIL, "{\"e\":\"\"}", "f format /e\n", SCOPE_ALL, false},
        {MAIL, "{}", "", SCOPE_ALL, true},
        {MAIL, "{\"e\":null}", "F type /e\n", SCOPE_ALL, false},
        {MAIL, "{\"e\":1}", "F type /e\n", SCOPE_ALL, false},
        {OBJECT("\"i\":{\"type\":[\"string\",\"null\"],\"x-identifier\":\"external-id\"}"), "{\"i\":null}", "",
         SCOPE_ALL, false},
        {WALLET, "{\"w\":\"" ADDRESS "\",\"n\":\"eip155\"}", "I wallet " ADDRESS " (eip155)\n", SCOPE_ALL, true},
        {WALLET, "{\"w\":\"" ADDRESS "\",\"n\":\"tezos\"}", "f format /w\nI wallet " ADDRESS " (tezos)\n", SCOPE_ALL,
         false},
        {WALLET, "{\"w\":\"" ADDRESS "\",\"n\":\"tezos\"}", "F format /w\nI wallet " ADDRESS " (tezos)\n", SCOPE_ALL,
         true},
        {WALLET, "{\"w\":\"x\"}", "I wallet x\n", SCOPE_ALL, true},
        {WALLET, "{\"w\":\"x\",\"n\":1}", "F type /n\nI wallet x\n", SCOPE_ALL, false},
    };
    RUN_ROWS(rows);
}

static void secrets(void **state)
{
    (void)state;
#define LOCK                                                                                                           \
    OBJECT("\"p\":" SECRET("\"password\"") ",\"k\":" SECRET(                                                           \
        "\"pin\"") ",\"a\":{},\"q\":{\"type\":\"array\","                                                              \
                   "\"items\":" OBJECT("\"q\":" TEXT("") ",\"a\":" SECRET("{\"kind\":\"answer\",\"question\":"         \
                                                                          "\"q\"}")) "}")
    static const struct run_row rows[] = {
        {LOCK, "{\"a\":1,\"p\":\"pw\",\"k\":\"12\"}", "S password /p pw\nS pin /k 12\n= {\"a\":1}\n", SCOPE_ALL, false},
        {LOCK, "{\"p\":\"\",\"a\":1}", "= {\"a\":1}\n", SCOPE_ALL, false},
        {LOCK, "{\"q\":[{\"a\":\"x\",\"q\":\"who?\"},{\"a\":\"y\"},{\"q\":\"why?\"}]}",
         "S answer /q/0/a x (who?)\nS answer /q/1/a y\n= {\"q\":[{\"q\":\"who?\"},{},{\"q\":\"why?\"}]}\n", SCOPE_ALL,
         false},
        {LOCK, "{\"p\":12}", "F type /p\n", SCOPE_ALL, false},
        {OBJECT("\"a/b~\":" SECRET("\"pin\"")), "{\"a/b~\":\"1\"}", "S pin /a~1b~0 1\n= {}\n", SCOPE_ALL, false},
        /* a secret that two opinions name is cut once */
        {"{\"type\":\"object\",\"properties\":{\"p\":" SECRET("\"pin\"") "},\"allOf\":[" OBJECT(
             "\"p\":" SECRET("\"pin\"")) "]}",
         "{\"p\":\"1\"}", "S pin /p 1\nS pin /p 1\n= {}\n", SCOPE_ALL, false},
    };
    RUN_ROWS(rows);
}

static void cards(void **state)
{
    (void)state;
#define NAMED                                                                                                                            \
    "{\"type\":\"object\",\"x-card-name\":[\"/c\",\"/p/full\",[\"/p/first/name\",\"/p/last/name\"]],"                                    \
    "\"x-card-default\":{\"status\":\"new\"},\"properties\":{\"c\":" TEXT("") ",\"s\":" TEXT(",\"x-card\":\"status\"") ",\"p\":" OBJECT( \
        "\"full\":" TEXT("") ",\"first\":" OBJECT("\"name\":" TEXT("")) ",\"last\":" OBJECT(                                             \
            "\"name\":" TEXT(""))) "}}"
    static const struct run_row rows[] = {
        {NAMED, "{\"c\":\"C\",\"p\":{\"full\":\"F\"},\"s\":\"x\"}", "C status x\nC name C\n", SCOPE_ALL, true},
        {NAMED, "{\"c\":\"\",\"p\":{\"full\":\"F\"}}", "C name F\nC status new\n", SCOPE_ALL, true},
        {NAMED, "{\"p\":{\"first\":{\"name\":\"A\"},\"last\":{\"name\":\"B\"}}}", "C name A B\nC status new\n",
         SCOPE_ALL, true},
        {NAMED, "{\"p\":{\"first\":{\"name\":\"\"},\"last\":{\"name\":\"B\"}}}", "C name B\nC status new\n", SCOPE_ALL,
         true},
        {NAMED, "{\"p\":{\"first\":{\"name\":\"A\"}},\"s\":\"\"}", "C name A\nC status new\n", SCOPE_ALL, true},
        {NAMED, "{}", "C status new\n", SCOPE_ALL, true},
        {OBJECT("\"t\":" TEXT(",\"x-card\":\"type\"") ",\"k\":" TEXT(",\"x-card\":\"category\"")),
         "{\"t\":\"person\",\"k\":\"gold\"}", "C type person\nC category gold\n", SCOPE_ALL, true},
    };
    RUN_ROWS(rows);
}

static void aliases_and_privileges(void **state)
{
    (void)state;
#define STATUS                                                                                                         \
    OBJECT("\"s\":{\"type\":\"string\",\"enum\":[\"new\",\"checked\",\"gone\"],\"x-class\":\"open\",\"x-card\":"       \
           "\"status\","                                                                                               \
           "\"x-alias\":{\"fresh\":\"new\",\"gonne\":\"gone\"},"                                                       \
           "\"x-privileged\":{\"scope\":\"customers:status\",\"except\":[\"new\",\"checked\"]}}")
#define FLAG OBJECT("\"v\":{\"type\":\"boolean\",\"x-privileged\":{\"scope\":\"customers:status\",\"only\":[true]}}")
#define ANY  OBJECT("\"v\":{\"x-privileged\":{\"scope\":\"customers:status\"}}")
#define ONLY OBJECT("\"v\":{\"x-privileged\":{\"scope\":\"customers:status\",\"only\":[\"a\",7]}}")
    static const struct run_row rows[] = {
        {STATUS, "{\"s\":\"new\"}", "C status new\n", NO_STATUS, true},
        {STATUS, "{\"s\":\"checked\"}", "C status checked\n", NO_STATUS, true},
        {STATUS, "{\"s\":\"gone\"}", "C status gone\n", SCOPE_ALL, true},
        {STATUS, "{\"s\":\"gone\"}", "F scope-missing /s\nC status gone\n", NO_STATUS, false},
        {STATUS, "{\"s\":\"fresh\"}", "C status new\n= {\"s\":\"new\"}\n", NO_STATUS, true},
        {STATUS, "{\"s\":\"gonne\"}", "C status gone\n= {\"s\":\"gone\"}\n", SCOPE_ALL, true},
        {STATUS, "{\"s\":\"gonne\"}", "F scope-missing /s\nC status gone\n= {\"s\":\"gone\"}\n", NO_STATUS, true},
        {STATUS, "{\"s\":\"lost\"}", "F enum /s\nC status lost\n", SCOPE_ALL, false},
        {FLAG, "{\"v\":true}", "", SCOPE_CUSTOMERS_STATUS, false},
        {FLAG, "{\"v\":true}", "F scope-missing /v\n", NO_STATUS, false},
        {FLAG, "{\"v\":false}", "", 0, false},
        {ANY, "{\"v\":null}", "F scope-missing /v\n", 0, false},
        {ANY, "{\"v\":{}}", "F scope-missing /v\n", 0, false},
        {ANY, "{\"v\":\"\"}", "F scope-missing /v\n", 0, false},
        {ANY, "{}", "", 0, false},
        {ONLY, "{\"v\":\"a\"}", "F scope-missing /v\n", 0, false},
        {ONLY, "{\"v\":7.0}", "F scope-missing /v\n", 0, false},
        {ONLY, "{\"v\":\"7\"}", "", 0, false},
    };
    RUN_ROWS(rows);
}

/* The matrix of codes: both, one, none, empty; the client's word: absent, true, false. */
static void compared_codes(void **state)
{
    (void)state;
#define TWOFA                                                                                                          \
    "{\"type\":\"object\",\"x-compare\":{\"left\":\"l\",\"right\":\"r\",\"result\":\"m\",\"scope\":\"customers:"       \
    "status\"},"                                                                                                       \
    "\"properties\":{\"l\":" CODE ",\"r\":" CODE ",\"m\":{\"type\":\"boolean\"},\"t\":" TEXT("") "}}"
    static const struct run_row rows[] = {
        {TWOFA, "{\"l\":\"1\",\"r\":\"1\"}", "S code /l 1\nS code /r 1\n= {\"m\":true}\n", 0, true},
        {TWOFA, "{\"l\":\"1\",\"r\":\"2\"}", "S code /l 1\nS code /r 2\n= {\"m\":false}\n", 0, true},
        {TWOFA, "{\"t\":\"x\",\"l\":\"1\",\"r\":\"12\"}", "S code /l 1\nS code /r 12\n= {\"t\":\"x\",\"m\":false}\n", 0,
         true},
        {TWOFA, "{\"m\":true,\"l\":\"1\",\"r\":\"1\"}", "S code /l 1\nS code /r 1\n= {\"m\":true}\n", 0, true},
        {TWOFA, "{\"l\":\"1\",\"m\":true,\"r\":\"2\"}",
         "F code-mismatch /m\nS code /l 1\nS code /r 2\n= {\"m\":false}\n", SCOPE_ALL, false},
        {TWOFA, "{\"l\":\"1\",\"r\":\"1\",\"m\":false}", "S code /l 1\nS code /r 1\n= {\"m\":true}\n", 0, true},
        {TWOFA, "{\"l\":\"1\",\"r\":\"2\",\"m\":false}", "S code /l 1\nS code /r 2\n= {\"m\":false}\n", 0, true},
        {TWOFA, "{\"m\":true}", "F scope-missing /m\n", NO_STATUS, false},
        {TWOFA, "{\"m\":true}", "", SCOPE_CUSTOMERS_STATUS, true},
        {TWOFA, "{\"m\":false}", "", 0, true},
        {TWOFA, "{\"l\":\"1\",\"m\":true}", "F scope-missing /m\nS code /l 1\n= {\"m\":true}\n", NO_STATUS, false},
        {TWOFA, "{\"l\":\"\",\"r\":\"\",\"m\":true}", "F scope-missing /m\n= {\"m\":true}\n", NO_STATUS, false},
        {TWOFA, "{\"l\":\"\",\"r\":\"\"}", "= {}\n", 0, true},
        {TWOFA, "{\"l\":1,\"r\":1,\"m\":true}", "F type /l\nF type /r\nF scope-missing /m\n", 0, false},
        {TWOFA, "{\"m\":\"true\"}", "F type /m\n", 0, false},
        {TWOFA, "{}", "", 0, true},
    };
    RUN_ROWS(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identifiers),    cmocka_unit_test(secrets),
        cmocka_unit_test(cards),          cmocka_unit_test(aliases_and_privileges),
        cmocka_unit_test(compared_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
