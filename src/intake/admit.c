/*
 * Admit: from the headers alone, before a byte of the body is taken: who is it, may they, and is
 * this a body that can be read? The order is that of what a stranger may learn: nobody without a
 * token learns more than that one is needed.
 */
#include "intake/intake_priv.h"

int intake_bearer(struct slice authorization, struct slice *token)
{
    static const struct slice scheme = {"Bearer ", 7};
    authorization = slice_trim(authorization);
    if (authorization.size == 0) {
        return ERR_TOKEN_MISSING;
    }
    if (authorization.size <= scheme.size || !slice_equal_nocase(slice_make(authorization.data, scheme.size), scheme)) {
        return ERR_TOKEN_INVALID;
    }
    *token = slice_trim(slice_from(authorization, scheme.size));
    return token->size == 0 ? ERR_TOKEN_MISSING : 0;
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

int intake_admit(struct auth *auth, const struct contract *contract, const struct intake_headers *headers,
                 int64_t now_ms, struct intake_admission *admission, const char **what)
{
    struct slice token;
    *admission = (struct intake_admission){.contract = contract, .request = headers->request};
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
    if (err == 0 && admission->grant.tenant->strict) {
        admission->strict = true;
    }
    return err == 0 ? ask_read(headers, admission, what) : err;
}

void intake_admission_fini(struct intake_admission *admission)
{
    buf_fini(&admission->envelope);
    buf_fini(&admission->map);
}
