/*
 * A key as an operator's tools hand it over. Files hold its bytes; programs and secret stores print text, and mostly
 * end it with a line feed. The forms are told apart by their length alone, so that no key has two readings: 32
 * bytes, 64 hex digits, 44 characters of base64.
 */
#include "crypto/crypto.h"

#include <sodium.h>

#define HEX_BYTES    64
#define BASE64_BYTES 44

static struct slice without_line_end(struct slice text)
{
    if (text.size > CRYPTO_KEY_BYTES + 2 && text.data[text.size - 1] == '\n') {
        text.size--;
        text.size -= text.data[text.size - 1] == '\r';
    }
    return text;
}

static bool decode(struct slice text, uint8_t key[CRYPTO_KEY_BYTES])
{
    size_t size = 0;
    const char *end = NULL;
    if (text.size == HEX_BYTES) {
        return sodium_hex2bin(key, CRYPTO_KEY_BYTES, text.data, text.size, NULL, &size, &end) == 0 &&
               size == CRYPTO_KEY_BYTES && end == text.data + text.size;
    }
    return text.size == BASE64_BYTES &&
           sodium_base642bin(key, CRYPTO_KEY_BYTES, text.data, text.size, NULL, &size, &end,
                             sodium_base64_VARIANT_ORIGINAL) == 0 &&
           size == CRYPTO_KEY_BYTES && end == text.data + text.size;
}

int crypto_key_from_text(struct slice text, uint8_t key[CRYPTO_KEY_BYTES])
{
    if (text.size == CRYPTO_KEY_BYTES) {
        memcpy(key, text.data, CRYPTO_KEY_BYTES);
        return 0;
    }
    if (decode(without_line_end(text), key)) {
        return 0;
    }
    crypto_wipe(key, CRYPTO_KEY_BYTES);
    return ERR_KEY;
}
