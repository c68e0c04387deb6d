/* A secret as a client sent it: a hash or plain. What counts as a hash must be cheap to tell. */
#include <assert.h>

#include "crypto/crypto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_make(data, size);
    enum crypto_hash_form form = crypto_hash_recognise(text);
    assert(form == CRYPTO_HASH_NONE || data[0] == '$');
    /* bcrypt has one length: a byte more is no hash. */
    assert(form != CRYPTO_HASH_BCRYPT || size == 60);
    return 0;
}
