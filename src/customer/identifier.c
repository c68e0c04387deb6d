/*
 * Normal forms of identifiers. Two spellings of one thing must meet in the index, two things must
 * not: a rule may only take away what can't carry meaning. A value that breaks its format has a
 * normal form too, so that it is found again by the same broken spelling. Each is one pass over the
 * bytes, whatever their number.
 */
#include "customer/customer.h"

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static struct slice trim(struct slice text)
{
    while (text.size > 0 && is_space(text.data[0]))
        text = slice_from(text, 1);
    while (text.size > 0 && is_space(text.data[text.size - 1]))
        text.size--;
    return text;
}

static bool has(struct slice text, bool (*kind)(char))
{
    for (size_t i = 0; i < text.size; i++)
        if (kind(text.data[i]))
            return true;
    return false;
}

/* ASCII alone: other letters have no one lower case without a language and a version of Unicode. */
static void append_lower(struct buf *out, struct slice text)
{
    char *bytes = buf_extend(out, text.size);
    for (size_t i = 0; bytes != NULL && i < text.size; i++)
        bytes[i] = is_upper(text.data[i]) ? (char)(text.data[i] | 0x20) : text.data[i];
}

/* The context, then a NUL, which no namespace and no contract's name holds. */
static void append_context(struct buf *out, struct slice context)
{
    buf_append_slice(out, context);
    buf_append_byte(out, 0);
}

/*
 * External id: the contract's name, NUL, and the client's bytes as they are, spaces at the ends too:
 * what tells the client's ids apart is the client's affair. Spaces alone are no id.
 */
static void external_id(struct slice value, struct slice contract, struct buf *out)
{
    append_context(out, contract);
    buf_append_slice(out, value);
}

/*
 * E-mail: trimmed, and ASCII in lower case on both sides of the "@". RFC 5321 section 2.4 lets a host
 * tell local parts apart by case, but none of note does, and people type their address in either.
 * Bytes beyond ASCII, dots and "+tags" are left: what they mean is each host's own.
 */
static void email(struct slice value, struct buf *out)
{
    append_lower(out, value);
}

static bool is_phone_separator(char c)
{
    return is_space(c) || c == '.' || c == '-' || c == '(' || c == ')' || c == '/';
}

/*
 * Phone: without the separators that people write (E.123), and with the international prefix 00,
 * which most of the world dials, as "+". Any other byte stays: "x12" is an extension and must not
 * become digits of the number. A text without a digit ("<string>") is kept trimmed.
 */
static void phone(struct slice value, struct buf *out)
{
    if (!has(value, is_digit)) {
        buf_append_slice(out, value);
        return;
    }
    size_t zeros = 0;
    size_t at = 0;
    for (; at < value.size && zeros < 2 && (value.data[at] == '0' || is_phone_separator(value.data[at])); at++)
        zeros += value.data[at] == '0';
    if (zeros == 2)
        buf_append_byte(out, '+');
    else
        at = 0;
    for (; at < value.size; at++)
        if (!is_phone_separator(value.data[at]))
            buf_append_byte(out, (uint8_t)value.data[at]);
}

/* Hexadecimal: lower case; leading zeros are no part of a number. */
static void hex_wallet(struct slice address, bool is_number, struct buf *out)
{
    bool prefixed = address.size > 2 && address.data[0] == '0' && (address.data[1] | 0x20) == 'x';
    if (is_number && prefixed) {
        buf_append_text(out, "0x");
        address = slice_from(address, 2);
        while (address.size > 1 && address.data[0] == '0')
            address = slice_from(address, 1);
    }
    append_lower(out, address);
}

/* Bech32 may be written in upper case (BIP-173), never in both: with a lower-case letter it is as it is. */
static void bech32_wallet(struct slice address, struct buf *out)
{
    if (has(address, is_lower))
        buf_append_slice(out, address);
    else
        append_lower(out, address);
}

/* Avalanche: hexadecimal on the C-chain, else the chain's letter in upper case and Bech32. */
static void avax_wallet(struct slice address, struct buf *out)
{
    if (address.size >= 2 && address.data[0] == '0' && (address.data[1] | 0x20) == 'x') {
        hex_wallet(address, false, out);
    } else if (address.size >= 2 && address.data[1] == '-') {
        buf_append(out, address.data, 2);
        bech32_wallet(slice_from(address, 2), out);
    } else {
        buf_append_slice(out, address);
    }
}

/*
 * Wallet: the namespace, NUL, and the trimmed address: hexadecimal and Bech32 in lower case, for
 * there case is a checksum or a QR code's convenience; base58 as it is, for there case is meaning.
 * eip155 keeps its zeros, its length being fixed; aptos and starknet write a number and drop them.
 */
static void wallet(struct slice address, struct slice chain, struct buf *out)
{
    append_context(out, chain);
    if (slice_equal_text(chain, "eip155"))
        hex_wallet(address, false, out);
    else if (slice_equal_text(chain, "aptos") || slice_equal_text(chain, "starknet"))
        hex_wallet(address, true, out);
    else if (slice_equal_text(chain, "cosmos") || slice_equal_text(chain, "cardano") ||
             slice_equal_text(chain, "bip122"))
        bech32_wallet(address, out);
    else if (slice_equal_text(chain, "avax"))
        avax_wallet(address, out);
    else
        buf_append_slice(out, address);
}

/* DID: trimmed. Its method is in lower case by its syntax; the rest is each method's own. */
static void did(struct slice value, struct buf *out)
{
    buf_append_slice(out, value);
}

bool customer_identifier_normalise(enum identifier_kind kind, struct slice value, struct slice context, struct buf *out)
{
    struct slice trimmed = trim(value);
    if (trimmed.size == 0)
        return false;
    switch (kind) {
    case IDENTIFIER_EXTERNAL_ID:
        external_id(value, context, out);
        return true;
    case IDENTIFIER_EMAIL:
        email(trimmed, out);
        return true;
    case IDENTIFIER_PHONE:
        phone(trimmed, out);
        return true;
    case IDENTIFIER_WALLET:
        wallet(trimmed, context, out);
        return true;
    case IDENTIFIER_DID:
        did(trimmed, out);
        return true;
    case IDENTIFIER_NONE:
    case IDENTIFIER_KIND_COUNT:
        break;
    }
    return false;
}

/* People share phones and mailboxes; a client's own id names one customer or nothing. */
bool customer_identifier_is_unique(enum identifier_kind kind)
{
    return kind == IDENTIFIER_EXTERNAL_ID;
}
