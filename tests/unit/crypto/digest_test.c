/* Digests against their specifications' vectors, at block borders too. */
#include "crypto/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void hex(const uint8_t *bytes, size_t size, char *out)
{
    for (size_t i = 0; i < size; i++)
        sprintf(out + 2 * i, "%02x", bytes[i]);
}

struct row {
    char byte; /* the message: this byte so many times; 0: "abc" */
    size_t count;
    const char *digest;
};

static struct slice message(const struct row *row)
{
    static char text[512];
    if (row->byte == 0)
        return SLICE("abc");
    memset(text, row->byte, row->count);
    return slice_make(text, row->count);
}

/*
 * The first two: the Keccak team's vectors. The others: a second implementation, written from the
 * reference's pseudo-code and shown to be right by SHA3-256, whose padding alone differs.
 */
static void keccak_256(void **state)
{
    static const struct row rows[] = {
        {'a', 0, "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"},
        {0, 3, "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"},
        {'a', 135, "34367dc248bbd832f4e3e69dfaac2f92638bd0bbd18f2912ba4ef454919cf446"},
        {'a', 136, "a6c4d403279fe3e0af03729caada8374b5ca54d8065329a3ebcaeb4b60aa386e"},
        {'a', 137, "d869f639c7046b4929fc92a4d988a8b22c55fbadb802c0c66ebcd484f1915f39"},
        {'a', 300, "5b7e0e47a96f32a88b4f14ca177982790807c40e1a105742ba0fc1babe1ef826"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t digest[32];
        char text[65];
        crypto_digest_keccak_256(message(&rows[i]), digest);
        hex(digest, sizeof(digest), text);
        assert_string_equal(text, rows[i].digest);
    }
}

/* FIPS 180-4's examples. */
static void sha256(void **state)
{
    static const struct row rows[] = {
        {'a', 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {0, 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t digest[32];
        char text[65];
        crypto_digest_sha256(message(&rows[i]), digest);
        hex(digest, sizeof(digest), text);
        assert_string_equal(text, rows[i].digest);
    }
}

/* RFC 7693 appendix A. */
static void blake2b_512(void **state)
{
    uint8_t digest[64];
    char text[129];
    (void)state;
    crypto_digest_blake2b_512(SLICE("abc"), digest);
    hex(digest, sizeof(digest), text);
    assert_string_equal(text, "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
                              "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keccak_256),
        cmocka_unit_test(sha256),
        cmocka_unit_test(blake2b_512),
    };
    return cmocka_run_group_tests_name("crypto/digest", tests, NULL, NULL);
}
