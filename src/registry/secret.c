/*
 * Verifying a secret. A customer may have several of a kind (answers to several questions): any of
 * them matches. A pending one is compared as it is and then hashed at once, so that it is not plain
 * for longer than needed.
 */
#include "record/record.h"
#include "registry/registry_priv.h"

static int matches(const struct registry *registry, const struct record_secret *secret, struct slice value, bool *match)
{
    if (secret->state == SECRET_PENDING) {
        *match = slice_equal_secret(secret->value, value);
        return 0;
    }
    int err = crypto_password_verify(registry->ring, secret->value, secret->state == SECRET_READY, value, match);
    /* A hash that came with parameters beyond reason matches nothing; others of its kind may. */
    return err == ERR_BAD_PARAMETER ? 0 : err;
}

/* `owner` is what the row is sealed to. */
static int verify_row(const struct registry *registry, const struct auth_tenant *tenant, const struct uuid *owner,
                      struct slice row, enum secret_kind kind, struct slice value, bool *match)
{
    struct record_secret secrets[RECORD_SECRETS_MAX];
    struct buf plain;
    size_t count = 0;
    buf_init(&plain, 0);
    int err = record_secrets_open(&tenant->id, owner, row, tenant->keys, &plain, secrets, &count);
    for (size_t i = 0; err == 0 && i < count && !*match; i++) {
        if (secrets[i].kind == kind) {
            err = matches(registry, &secrets[i], value, match);
        }
    }
    crypto_wipe(plain.data, plain.size);
    buf_fini(&plain);
    return err;
}

static int hash_pending(const struct registry *registry, const struct auth_tenant *tenant, const struct uuid *id,
                        struct slice row)
{
    size_t pending = 0;
    int err = record_secrets_pending(row, &pending);
    if (err != 0 || pending == 0) {
        return err;
    }
    return intake_hash_now(registry->intake, &tenant->id, id);
}

int registry_secret_verify(const struct registry *registry, const struct auth_tenant *tenant, const struct uuid *id,
                           enum secret_kind kind, struct slice value, bool *match)
{
    struct buf buf;
    *match = false;
    buf_init(&buf, 0);
    int err = store_customer_get(registry->store, &tenant->id, id, &buf);
    buf_clear(&buf);
    if (err == 0) {
        struct uuid owner;
        err = store_secrets_get(registry->store, &tenant->id, id, &owner, &buf);
        if (err == 0) {
            err = verify_row(registry, tenant, &owner, buf_view(&buf), kind, value, match);
        } else if (err == ERR_NOT_FOUND) {
            err = 0; /* no secrets: nothing matches */
        }
        if (err == 0 && buf.size > 0) {
            /* The answer is known; should this fail, the hashing lane will come to it. */
            (void)hash_pending(registry, tenant, id, buf_view(&buf));
        }
    }
    buf_fini(&buf);
    return err;
}
