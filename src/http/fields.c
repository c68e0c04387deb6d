/*
 * What must hold of a request's header fields before anything is done with them. The library takes the
 * first of two fields of one name, ignores a name that ends in a space, and lets a Transfer-Encoding win over a
 * Content-Length. A proxy in front may take the last, see the field, or frame the body by the length:
 * then two parties read two requests out of the same bytes (RFC 9112 sections 5.1, 6.3 and 11.2). So what could be
 * read in two ways is refused.
 */
#include "http/http_priv.h"

#define FIELDS_ONCE 10

struct survey {
    const char *once[FIELDS_ONCE]; /* names that may stand once; NULL: none */
    size_t seen[FIELDS_ONCE];
    bool bad_name;
};

enum { AT_LENGTH, AT_CODING, AT_TENANT, AT_TOKEN };

static enum MHD_Result note_field(void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct survey *survey = context;
    (void)kind;
    (void)value;
    survey->bad_name = survey->bad_name || name[0] == '\0' || strpbrk(name, " \t\r\n") != NULL;
    for (size_t i = 0; i < FIELDS_ONCE; i++) {
        if (survey->once[i] != NULL && slice_equal_nocase(slice_from_text(name), slice_from_text(survey->once[i]))) {
            survey->seen[i]++;
        }
    }
    return MHD_YES;
}

/* A contract may call its tenant and its second credential something else. */
static const char *or_named(struct slice named, const char *standard)
{
    return named.size > 0 ? named.data : standard;
}

static void take_survey(const struct http_request *request, struct survey *survey)
{
    *survey = (struct survey){.once = {MHD_HTTP_HEADER_CONTENT_LENGTH, MHD_HTTP_HEADER_TRANSFER_ENCODING, "tenantId",
                                       "token", MHD_HTTP_HEADER_AUTHORIZATION, MHD_HTTP_HEADER_CONTENT_TYPE,
                                       MHD_HTTP_HEADER_CONTENT_ENCODING, MHD_HTTP_HEADER_HOST, MHD_HTTP_HEADER_EXPECT,
                                       "Idempotency-Key"}};
    if (request->contract != NULL) {
        const struct contract_info *info = contract_info(request->contract);
        survey->once[AT_TENANT] = or_named(info->tenant_header, "tenantId");
        survey->once[AT_TOKEN] = or_named(info->token_header, "token");
    }
    MHD_get_connection_values(request->connection, MHD_HEADER_KIND, note_field, survey);
}

/* Why nobody can tell for sure where the body ends; NULL when it is clear. */
static const char *unclear_end(const struct http_request *request, const struct survey *survey)
{
    struct slice coding = http_header(request, MHD_HTTP_HEADER_TRANSFER_ENCODING);
    if (survey->bad_name) {
        return "The name of a header field must not be empty or have spaces.";
    }
    if (survey->seen[AT_LENGTH] + survey->seen[AT_CODING] > 1) {
        return "Send one Content-Length or one Transfer-Encoding, not both and none twice.";
    }
    if (survey->seen[AT_CODING] == 1 && !slice_equal_nocase(coding, SLICE("chunked"))) {
        return "Transfer-Encoding must be chunked and nothing else.";
    }
    return NULL;
}

int http_fields_check(struct http_request *request)
{
    struct survey survey;
    take_survey(request, &survey);
    request->what = unclear_end(request, &survey);
    if (request->what != NULL) {
        request->unframed = true;
        return ERR_BAD_PARAMETER;
    }
    for (size_t i = 0; i < FIELDS_ONCE; i++) {
        if (survey.seen[i] > 1) {
            request->what =
                "A header field that may stand once (Authorization, Content-Type, Content-Encoding, Expect, "
                "Host, tenantId, token) is there twice.";
            return ERR_BAD_PARAMETER;
        }
    }
    return 0;
}
