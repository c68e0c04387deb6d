/*
 * Wallet addresses by blockchain namespace (CAIP-2 names), each with its own encoding and checksum.
 * A namespace stands for a family of chains, so a family's addresses fit whichever of its chains
 * they are of, test networks included; what can't fit is an address of another family or one with a
 * slip of the pen. The one difficulty is cost: hashing is left until length and prefix have fitted.
 */
#include "contract/format.h"
#include "contract/format_priv.h"
#include "crypto/digest.h"

#define BIP173_TEXT_MAX 90

/* ---- hexadecimal families ---- */

/* The digits behind "0x", at least one and at most `most`, else an empty slice. */
static struct slice hex_digits(struct slice text, size_t most)
{
    if (text.size < 3 || text.size > most + 2 || !slice_starts(text, SLICE("0x")))
        return SLICE_NONE;
    text = slice_from(text, 2);
    return format_all(text, FORMAT_HEX) ? text : SLICE_NONE;
}

/* ERC-55: a letter is upper case where the hash of the lower-case digits has a nibble of 8 or more. */
static bool mixed_case_fits(struct slice digits)
{
    char lower[40];
    uint8_t hash[32];
    for (size_t i = 0; i < sizeof(lower); i++)
        lower[i] = (char)(digits.data[i] | 0x20); /* digits have the bit anyway */
    crypto_digest_keccak_256(slice_make(lower, sizeof(lower)), hash);
    for (size_t i = 0; i < sizeof(lower); i++) {
        unsigned nibble = i % 2 == 0 ? hash[i / 2] >> 4 : hash[i / 2] & 15u;
        unsigned class = format_class(digits.data[i]);
        if ((class & FORMAT_ALPHA) != 0 && (nibble >= 8) != ((class & FORMAT_UPPER) != 0))
            return false;
    }
    return true;
}

/* 20 bytes in hexadecimal; digits of one case carry no checksum (ERC-55, CAIP-10 profile of eip155). */
static bool eip155(struct slice text)
{
    struct slice digits = hex_digits(text, 40);
    if (digits.size != 40)
        return false;
    return format_all(digits, FORMAT_DIGIT | FORMAT_LOWER) || format_all(digits, FORMAT_DIGIT | FORMAT_UPPER) ||
           mixed_case_fits(digits);
}

/* 32 bytes in hexadecimal, leading zeros optional (AIP-40, relaxed reading). */
static bool aptos(struct slice text)
{
    return hex_digits(text, 64).size > 0;
}

/* A field element below 2^251 - 256, leading zeros optional (Starknet documentation, contract address). */
static bool starknet(struct slice text)
{
    static const char bound[] = "7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff00";
    struct slice digits = hex_digits(text, 64);
    if (digits.size == 0)
        return false;
    while (digits.size > 0 && digits.data[0] == '0')
        digits = slice_from(digits, 1);
    if (digits.size != sizeof(bound) - 1)
        return digits.size < sizeof(bound) - 1;
    for (size_t i = 0; i < digits.size; i++) {
        char digit = (char)(digits.data[i] | 0x20);
        if (digit != bound[i])
            return digit < bound[i];
    }
    return false;
}

/* ---- base58 families ---- */

/* Whether the text is Base58Check of 20 bytes behind one of the version bytes. */
static bool version_and_hash(struct slice text, const uint8_t *versions, size_t count)
{
    struct format_bytes bytes;
    if (text.size < 25 || text.size > 35 || !format_base58_check(text, FORMAT_BASE58_BITCOIN, &bytes))
        return false;
    return bytes.size == 21 && memchr(versions, bytes.data[0], count) != NULL;
}

/* Tezos: 20 bytes behind three bytes that read as tz1, tz2, tz3, tz4 or KT1 (Octez, base58 prefixes). */
static bool tezos(struct slice text)
{
    static const uint8_t prefixes[][3] = {
        {0x06, 0xa1, 0x9f}, {0x06, 0xa1, 0xa1}, {0x06, 0xa1, 0xa4}, {0x06, 0xa1, 0xa6}, {0x02, 0x5a, 0x79}};
    struct format_bytes bytes;
    if (text.size != 36 || !format_base58_check(text, FORMAT_BASE58_BITCOIN, &bytes) || bytes.size != 23)
        return false;
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
        if (memcmp(bytes.data, prefixes[i], 3) == 0)
            return true;
    return false;
}

/* Tron: Base58Check of 0x41 and 20 bytes (Tron protocol document, accounts). */
static bool tron(struct slice text)
{
    static const uint8_t versions[] = {0x41};
    return version_and_hash(text, versions, sizeof(versions));
}

/* Dash Core chainparams: X and 7, on the test network y and 8 or 9. */
static bool dash(struct slice text)
{
    static const uint8_t versions[] = {0x4c, 0x10, 0x8c, 0x13};
    return version_and_hash(text, versions, sizeof(versions));
}

/* An X-address behind its prefix: 20 bytes, a flag, and a tag of 64 bits of which XRPL uses 32 (XLS-5d). */
static bool xrpl_tagged(const struct format_bytes *bytes)
{
    static const uint8_t main_prefix[] = {0x05, 0x44};
    static const uint8_t test_prefix[] = {0x04, 0x93};
    static const uint8_t zeros[8] = {0};
    if (bytes->size != 31 || (memcmp(bytes->data, main_prefix, 2) != 0 && memcmp(bytes->data, test_prefix, 2) != 0))
        return false;
    return bytes->data[22] <= 1 && memcmp(bytes->data + 27, zeros, 4) == 0 &&
           (bytes->data[22] == 1 || memcmp(bytes->data + 23, zeros, 4) == 0);
}

/* XRPL: 20 bytes behind 0x00, which reads as r, or an X-address (XRPL base58 encodings, XLS-5d). */
static bool xrpl(struct slice text)
{
    struct format_bytes bytes;
    if (text.size < 25 || text.size > 47 || !format_base58_check(text, FORMAT_BASE58_XRPL, &bytes))
        return false;
    return (bytes.size == 21 && bytes.data[0] == 0) || xrpl_tagged(&bytes);
}

/* A Solana address is an Ed25519 public key or a derived address: any 32 bytes (Solana accounts). */
static bool solana(struct slice text)
{
    struct format_bytes bytes;
    return text.size >= 32 && text.size <= 44 && format_base58_decode(text, FORMAT_BASE58_BITCOIN, &bytes) &&
           bytes.size == 32;
}

/*
 * SS58: a network of one byte below 64, or of two whose first is below 128, an account of 32 bytes
 * (33 for a public key of secp256k1), and two bytes of BLAKE2b-512 over "SS58PRE" and all before.
 */
static bool polkadot(struct slice text)
{
    static const char mark[] = "SS58PRE";
    char hashed[sizeof(mark) - 1 + 2 + 33];
    uint8_t digest[64];
    struct format_bytes bytes;
    if (text.size < 35 || text.size > 52 || !format_base58_decode(text, FORMAT_BASE58_BITCOIN, &bytes))
        return false;
    if (bytes.data[0] >= 128)
        return false;
    size_t network = bytes.data[0] < 64 ? 1 : 2;
    if (bytes.size != network + 34 && bytes.size != network + 35)
        return false;
    memcpy(hashed, mark, sizeof(mark) - 1);
    memcpy(hashed + sizeof(mark) - 1, bytes.data, bytes.size - 2);
    crypto_digest_blake2b_512(slice_make(hashed, sizeof(mark) - 1 + bytes.size - 2), digest);
    return memcmp(digest, bytes.data + bytes.size - 2, 2) == 0;
}

/* ---- bech32 families ---- */

static bool is_one_of(struct slice text, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (slice_equal_text(text, names[i]))
            return true;
    return false;
}

/* A witness program: version 0 in Bech32 with 20 or 32 bytes, later ones in Bech32m (BIP-350, BIP-141). */
static bool segwit(struct slice text)
{
    static const char *const prefixes[] = {"bc", "tb", "bcrt", "ltc", "tltc"};
    struct format_bech32 in;
    struct format_bytes program;
    if (!format_bech32_decode(text, BIP173_TEXT_MAX, &in) || in.word_count == 0 || in.words[0] > 16)
        return false;
    if (!is_one_of(format_bech32_prefix(&in), prefixes, sizeof(prefixes) / sizeof(prefixes[0])))
        return false;
    if (!format_bech32_bytes(&in, 1, &program) || program.size < 2 || program.size > 40)
        return false;
    if (in.words[0] != 0)
        return in.kind == FORMAT_BECH32M;
    return in.kind == FORMAT_BECH32 && (program.size == 20 || program.size == 32);
}

/* Bitcoin and its kin: P2PKH and P2SH in Base58Check, witness programs. */
static bool bip122(struct slice text)
{
    static const uint8_t versions[] = {
        0x00, 0x05, 0x6f, 0xc4, /* Bitcoin, its test networks */
        0x30, 0x32, 0x3a,       /* Litecoin; its old P2SH is Bitcoin's */
        0x1e, 0x16,             /* Dogecoin */
    };
    return version_and_hash(text, versions, sizeof(versions)) || segwit(text);
}

/* Cosmos SDK: an account of 20 bytes, or of 32 (ADR-028), in Bech32 under any chain's prefix. */
static bool cosmos(struct slice text)
{
    struct format_bech32 in;
    struct format_bytes account;
    if (!format_bech32_decode(text, BIP173_TEXT_MAX, &in) || in.kind != FORMAT_BECH32)
        return false;
    if (!format_all(format_bech32_prefix(&in), FORMAT_LOWER | FORMAT_DIGIT))
        return false;
    return format_bech32_bytes(&in, 0, &account) && (account.size == 20 || account.size == 32);
}

/* Avalanche: the chain's letter, then an account of 20 bytes in Bech32; on the C-chain also as eip155. */
static bool avax(struct slice text)
{
    static const char *const prefixes[] = {"avax", "fuji", "local", "custom"};
    struct format_bech32 in;
    struct format_bytes account;
    if (slice_starts(text, SLICE("0x")))
        return eip155(text);
    if (text.size < 3 || text.data[1] != '-' || (text.data[0] != 'X' && text.data[0] != 'P' && text.data[0] != 'C'))
        return false;
    if (!format_bech32_decode(slice_from(text, 2), BIP173_TEXT_MAX, &in) || in.kind != FORMAT_BECH32)
        return false;
    return is_one_of(format_bech32_prefix(&in), prefixes, sizeof(prefixes) / sizeof(prefixes[0])) &&
           format_bech32_bytes(&in, 0, &account) && account.size == 20;
}

/* ---- Cardano ---- */

/* A chain pointer: three numbers of seven bits a byte, all but a number's last byte with the top bit. */
static bool pointer(struct slice bytes)
{
    size_t numbers = 0;
    if (bytes.size < 3 || bytes.size > 30 || (bytes.data[bytes.size - 1] & 0x80) != 0)
        return false;
    for (size_t i = 0; i < bytes.size; i++)
        numbers += (bytes.data[i] & 0x80) == 0;
    return numbers == 3;
}

/* CIP-19: the header's high half is the kind of address, which says what follows; the low the network. */
static bool shelley_bytes(const struct format_bytes *bytes, bool stake, bool test)
{
    if (bytes->size < 29 || (bytes->data[0] & 15) != (test ? 0 : 1))
        return false;
    unsigned kind = bytes->data[0] >> 4;
    if (stake)
        return kind >= 14 && bytes->size == 29;
    if (kind <= 3)
        return bytes->size == 57;
    if (kind <= 5)
        return pointer(slice_make(bytes->data + 29, bytes->size - 29));
    return kind <= 7 && bytes->size == 29;
}

static bool shelley(struct slice text)
{
    struct format_bech32 in;
    struct format_bytes bytes;
    if (!format_bech32_decode(text, FORMAT_BECH32_TEXT_MAX, &in) || in.kind != FORMAT_BECH32)
        return false;
    struct slice prefix = format_bech32_prefix(&in);
    bool stake = slice_starts(prefix, SLICE("stake"));
    struct slice rest = stake                                 ? slice_from(prefix, 5)
                        : slice_starts(prefix, SLICE("addr")) ? slice_from(prefix, 4)
                                                              : prefix;
    bool test = slice_equal_text(rest, "_test");
    return (rest.size == 0 || test) && format_bech32_bytes(&in, 0, &bytes) && shelley_bytes(&bytes, stake, test);
}

/* CRC-32 of ISO 3309, bit by bit: old addresses are rare. */
static uint32_t crc32(const uint8_t *bytes, size_t size)
{
    uint32_t sum = 0xffffffff;
    for (size_t i = 0; i < size; i++) {
        sum ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            sum = sum >> 1 ^ ((0u - (sum & 1)) & 0xedb88320);
    }
    return ~sum;
}

/* The unsigned integer in CBOR's shortest form that fills the bytes (RFC 8949 section 3). */
static bool cbor_number(const uint8_t *bytes, size_t size, uint32_t *value)
{
    size_t width = size == 0 || bytes[0] > 0x1a ? 9 : bytes[0] < 0x18 ? 0 : (size_t)1 << (bytes[0] - 0x18);
    if (size != width + 1)
        return false;
    *value = width == 0 ? bytes[0] : 0;
    for (size_t i = 1; i < size; i++)
        *value = *value << 8 | bytes[i];
    return true;
}

/* CIP-19, Byron: base58 of CBOR [24(payload), CRC-32 of the payload]. */
static bool byron(struct slice text)
{
    static const uint8_t head[] = {0x82, 0xd8, 0x18, 0x58};
    struct format_bytes bytes;
    uint32_t sum;
    if (text.size < 50 || !format_base58_decode(text, FORMAT_BASE58_BITCOIN, &bytes))
        return false;
    if (bytes.size < 6 || memcmp(bytes.data, head, sizeof(head)) != 0)
        return false;
    size_t payload = bytes.data[4];
    if (bytes.size < 5 + payload || !cbor_number(bytes.data + 5 + payload, bytes.size - 5 - payload, &sum))
        return false;
    return crc32(bytes.data + 5, payload) == sum;
}

static bool cardano(struct slice text)
{
    return shelley(text) || byron(text);
}

/* ---- by name ---- */

struct wallet {
    const char *name;
    bool (*test)(struct slice text);
    const char *expected;
};

static const struct wallet wallets[] = {
    {"eip155", eip155, "an Ethereum address: 0x and 40 hexadecimal digits, in ERC-55's case when the case is mixed"},
    {"solana", solana, "a Solana address: 32 bytes in base58"},
    {"bip122", bip122, "a Bitcoin address in Base58Check, Bech32 or Bech32m with a right checksum"},
    {"tron", tron, "a Tron address: T and 33 base58 characters with a right checksum"},
    {"polkadot", polkadot, "a Polkadot address in SS58 with a right checksum"},
    {"cosmos", cosmos, "a Cosmos address in Bech32 with a right checksum"},
    {"cardano", cardano,
     "a Cardano address: addr1... or stake1... in Bech32, or one of the Byron era, with a right checksum"},
    {"tezos", tezos, "a Tezos address: tz1, tz2, tz3, tz4 or KT1 and 33 base58 characters with a right checksum"},
    {"aptos", aptos, "an Aptos address: 0x and up to 64 hexadecimal digits"},
    {"starknet", starknet, "a Starknet address: 0x and up to 64 hexadecimal digits, below 2^251"},
    {"xrpl", xrpl, "an XRP Ledger address: r... or X... with a right checksum"},
    {"dash", dash, "a Dash address: X or 7 and 33 base58 characters with a right checksum"},
    {"avax", avax,
     "an Avalanche address: X-avax1..., P-avax1... or C-avax1... with a right checksum, or 0x and 40 digits"},
};

static const struct wallet *find(struct slice name)
{
    for (size_t i = 0; i < sizeof(wallets) / sizeof(wallets[0]); i++)
        if (slice_equal_text(name, wallets[i].name))
            return &wallets[i];
    return NULL;
}

bool format_wallet(struct slice namespace_name, struct slice address)
{
    const struct wallet *wallet = find(namespace_name);
    return wallet == NULL || wallet->test(address);
}

const char *format_wallet_expected(struct slice namespace_name)
{
    const struct wallet *wallet = find(namespace_name);
    return wallet == NULL ? "an address of its blockchain" : wallet->expected;
}
