/*
 * Admit: from the headers alone, before a byte of the body is taken: who is it, may they, and is
 * this a body that can be read? The order is that of what a stranger may learn: nobody without a
 * token learns more than that one is needed.
 */
#include "intake/intake.h"

/* Takes the next element of a comma-separated header (RFC 9110 section 5.6.1), trimmed. */
static bool next_element(struct slice *list, struct slice *element)
{
    while (list->size > 0 && (list->data[0] == ' ' || list->data[0] == ',' || list->data[0] == '\t')) {
        *list = slice_from(*list, 1);
    }
    if (list->size == 0) {
        return false;
    }
    size_t size = 0;
    while (size < list->size && list->data[size] != ',') {
        size++;
    }
    *element = slice_make(list->data, size);
    *list = slice_from(*list, size);
    return true;
}

static struct slice trim(struct slice text)
{
    while (text.size > 0 && (text.data[0] == ' ' || text.data[0] == '\t')) {
        text = slice_from(text, 1);
    }
    while (text.size > 0 && (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t')) {
        text.size--;
    }
    return text;
}

/* What stands before the first ';': a media type or preference without its parameters. */
static struct slice without_parameters(struct slice element)
{
    size_t size = 0;
    while (size < element.size && element.data[size] != ';') {
        size++;
    }
    return trim(slice_make(element.data, size));
}

int intake_bearer(struct slice authorization, struct slice *token)
{
    static const struct slice scheme = {"Bearer ", 7};
    authorization = trim(authorization);
    if (authorization.size == 0) {
        return ERR_TOKEN_MISSING;
    }
    if (authorization.size <= scheme.size || !slice_equal_nocase(slice_make(authorization.data, scheme.size), scheme)) {
        return ERR_TOKEN_INVALID;
    }
    *token = trim(slice_from(authorization, scheme.size));
    return token->size == 0 ? ERR_TOKEN_MISSING : 0;
}

static bool is_json(struct slice content_type)
{
    return slice_equal_nocase(without_parameters(content_type), SLICE("application/json"));
}

static bool takes_json(struct slice accept)
{
    struct slice element;
    if (trim(accept).size == 0) {
        return true;
    }
    while (next_element(&accept, &element)) {
        struct slice type = without_parameters(element);
        if (slice_equal_nocase(type, SLICE("application/json")) || slice_equal_nocase(type, SLICE("application/*")) ||
            slice_equal_nocase(type, SLICE("*/*"))) {
            return true;
        }
    }
    return false;
}

/* RFC 7240: preferences that are not known are passed over. */
static bool prefers_strict(struct slice prefer)
{
    struct slice element;
    while (next_element(&prefer, &element)) {
        struct slice preference = without_parameters(element);
        if (slice_equal_nocase(preference, SLICE("validation=strict")) ||
            slice_equal_nocase(preference, SLICE("validation=\"strict\""))) {
            return true;
        }
    }
    return false;
}

static int admit_tenant(struct auth *auth, const struct contract_info *info, const struct intake_headers *headers,
                        const struct auth_tenant *tenant, const char **what)
{
    if (info->tenant_header.size > 0 && headers->tenant.size == 0) {
        *what = "The header tenantId is required; it names the tenant of the token.";
        return ERR_BAD_PARAMETER;
    }
    if (headers->tenant.size > 0 && !slice_equal_text(headers->tenant, tenant->name)) {
        return ERR_TENANT_MISMATCH;
    }
    if (info->token_header.size == 0) {
        return 0;
    }
    if (headers->token.size == 0) {
        *what = "The header token is required; it carries the tenant token.";
        return ERR_TOKEN_MISSING;
    }
    return auth_check_tenant_token(auth, headers->token, tenant);
}

static int admit_body(const struct intake_headers *headers, const char **what)
{
    if (!is_json(headers->content_type)) {
        return ERR_MEDIA_TYPE;
    }
    struct slice encoding = trim(headers->content_encoding);
    if (encoding.size > 0 && !slice_equal_nocase(encoding, SLICE("identity"))) {
        *what = "This Content-Encoding is not supported; send the body as it is.";
        return ERR_MEDIA_TYPE;
    }
    return takes_json(headers->accept) ? 0 : ERR_NOT_ACCEPTABLE;
}

int intake_admit(struct auth *auth, const struct contract *contract, const struct intake_headers *headers,
                 int64_t now_ms, struct intake_admission *admission, const char **what)
{
    struct slice token;
    *admission = (struct intake_admission){.contract = contract};
    *what = NULL;
    int err = intake_bearer(headers->authorization, &token);
    if (err == 0) {
        err = auth_check_bearer(auth, token, now_ms, &admission->grant);
    }
    if (err == 0) {
        err = admit_tenant(auth, contract_info(contract), headers, admission->grant.tenant, what);
    }
    if (err == 0 && (admission->grant.scopes & SCOPE_CUSTOMERS_CREATE) == 0) {
        *what = scope_to_text(SCOPE_CUSTOMERS_CREATE);
        err = ERR_SCOPE_MISSING;
    }
    if (err == 0) {
        err = admit_body(headers, what);
    }
    if (err == 0) {
        bool asked = prefers_strict(headers->prefer);
        memcpy(admission->applied, asked ? "validation=strict" : "", asked ? sizeof "validation=strict" : 1);
        admission->strict = asked || admission->grant.tenant->strict;
    }
    return err;
}

void intake_admission_fini(struct intake_admission *admission)
{
    buf_fini(&admission->envelope);
    buf_fini(&admission->map);
}
