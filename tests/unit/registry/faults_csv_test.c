/* Refused rows with four columns more: fields as they came, in their columns, whatever is in them. */
#include "reasons.h"

static void headers(void **state)
{
    (void)state;
    static const struct {
        const char *header, *want;
    } rows[] = {
        {"", "_row,_pointer,_code,_detail\r\n"},
        {"id", "id,_row,_pointer,_code,_detail\r\n"},
        {"id,person/email", "id,person/email,_row,_pointer,_code,_detail\r\n"},
        {"\"a,b\",\"c\"\"d\"", "\"a,b\",\"c\"\"d\",_row,_pointer,_code,_detail\r\n"},
        /* A file that was sent again, and one whose columns were moved. */
        {"id,_row,_pointer,_code,_detail", "id,_row,_pointer,_code,_detail\r\n"},
        {"_row,id,_detail,\"_code\",x,_pointer", "id,x,_row,_pointer,_code,_detail\r\n"},
        {"_rows,_note", "_rows,_note,_row,_pointer,_code,_detail\r\n"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf out;
        buf_init(&out, 0);
        registry_csv_header(slice_from_text(rows[i].header), &out);
        buf_append_byte(&out, 0);
        assert_string_equal(out.data, rows[i].want);
        buf_fini(&out);
    }
}

#define ONE "7,\"/id\",\"type\",\"Send a \"\"string\"\".\"\r\n"

static void rows(void **state)
{
    (void)state;
    static const struct {
        const char *header, *row, *reasons, *want;
    } table[] = {
        {"id,b", "5,x", "type /id Send a \"string\".", "5,x," ONE},
        {"id,b", "\"5,\n5\",\"\"", "type /id Send a \"string\".", "\"5,\n5\",\"\"," ONE},
        {"id,b", "\"a\"\",\"\"b\",", "type /id Send a \"string\".", "\"a\"\",\"\"b\",," ONE},
        {"id,b,c", "5", "type /id Send a \"string\".", "5,,," ONE},
        {"id,b", "", "type /id Send a \"string\".", ",," ONE},
        {"id", "", "type /id Send a \"string\".", "," ONE},
        {"_row,id,_detail,\"_code\",x,_pointer", "3,5,\"old, one\",type,y,/id", "type /id Send a \"string\".",
         "5,y," ONE},
        {"id", "5", "type /id One.|enum /customerType Two.",
         "5,7,\"/id | /customerType\",\"type | enum\",\"One. | Two.\"\r\n"},
        {"id", "5", "", "5,7,\"\",\"\",\"\"\r\n"},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct buf out;
        struct buf keep;
        struct registry_reasons reasons = make_reasons(7, table[i].reasons, &keep);
        buf_init(&out, 0);
        registry_csv_row(slice_from_text(table[i].header), slice_from_text(table[i].row), &reasons, &out);
        buf_append_byte(&out, 0);
        assert_string_equal(out.data, table[i].want);
        buf_fini(&out);
        buf_fini(&keep);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(headers), cmocka_unit_test(rows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
