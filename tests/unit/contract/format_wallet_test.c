/*
 * Wallet addresses. Vectors: each family's own specification, named above its rows. Rows marked
 * "made" were encoded by a separate implementation with right checksums, to break one rule alone.
 */
#include "contract/format_rows.h"

static struct slice family;

static bool test_family(struct slice text)
{
    return format_wallet(family, text);
}

static void run(const char *name, const struct format_row *rows, size_t count)
{
    family = slice_from_text(name);
    assert_true(strlen(format_wallet_expected(family)) > strlen("an address of its blockchain"));
    for (size_t i = 0; i < count; i++) {
        size_t size = rows[i].size != 0 ? rows[i].size : strlen(rows[i].text);
        if (format_run_exact(test_family, rows[i].text, size) != rows[i].fits)
            fail_msg("%s: row %zu: \"%s\" should %sfit", name, i, rows[i].text, rows[i].fits ? "" : "not ");
    }
}

#define RUN(name, rows) run(name, rows, sizeof(rows) / sizeof((rows)[0]))
#define TEN_ZEROS       "0000000000"
#define TWENTY_FS       "ffffffffffffffffffff"

/* ERC-55, test cases. */
static void eip155(void **state)
{
    static const struct format_row rows[] = {
        {"0x52908400098527886E0F7030069857D2E4169EE7", true, 0},
        {"0x8617E340B3D01FA5F11F306F4090FD50E238070D", true, 0},
        {"0xde709f2102306220921060314715629080e2fb77", true, 0},
        {"0x27b1fdb04752bbc536007a920d24acb045561c26", true, 0},
        {"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", true, 0},
        {"0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359", true, 0},
        {"0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB", true, 0},
        {"0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb", true, 0},
        {"0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", true, 0},
        {"0x5AAEB6053F3E94C9B9A09F33669435E7EF1BEAED", true, 0},
        {"0x" TEN_ZEROS TEN_ZEROS TEN_ZEROS TEN_ZEROS, true, 0},
        {"0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", false, 0}, /* one letter's case */
        {"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD", false, 0},
        {"0X5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", false, 0},
        {"5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", false, 0},
        {"0x5aaeb6053f3e94c9b9a09f33669435e7ef1beae", false, 0},
        {"0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed0", false, 0},
        {"0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaeg", false, 0},
        {"0x5aaeb6053f3e94c9b9a09f33669435e7ef1beae\0", false, 42},
        {"0x", false, 0},
        {"", false, 0},
    };
    (void)state;
    RUN("eip155", rows);
}

/* AIP-40; Starknet documentation, contract address, and CAIP-10's example. */
static void aptos_starknet(void **state)
{
    static const struct format_row aptos[] = {
        {"0x1", true, 0},
        {"0xA", true, 0},
        {"0x000000000000000000000000000000000000000000000000000000000000000a", true, 0},
        {"0x" TWENTY_FS TWENTY_FS TWENTY_FS "ffff", true, 0},
        {"0x" TWENTY_FS TWENTY_FS TWENTY_FS "fffff", false, 0},
        {"0x", false, 0},
        {"1", false, 0},
        {"0xg", false, 0},
        {"0x1 ", false, 0},
    };
    static const struct format_row starknet[] = {
        {"0x02dd1b492765c064eac4039e3841aa5f382773b598097a40073bd8b48170ab57", true, 0},
        {"0x2dd1b492765c064eac4039e3841aa5f382773b598097a40073bd8b48170ab57", true, 0},
        {"0x0", true, 0},
        {"0x7" TWENTY_FS TWENTY_FS TWENTY_FS "eff", false, 0}, /* one digit too many */
        {"0x7" TWENTY_FS TWENTY_FS "fffffffffffffffffff"
         "eff",
         true, 0}, /* 2^251 - 257 */
        {"0x07" TWENTY_FS TWENTY_FS "FFFFFFFFFFFFFFFFFFF"
         "eFf",
         true, 0},
        {"0x7" TWENTY_FS TWENTY_FS "fffffffffffffffffff"
         "f00",
         false, 0}, /* 2^251 - 256 */
        {"0x8" TEN_ZEROS TEN_ZEROS TEN_ZEROS TEN_ZEROS TEN_ZEROS TEN_ZEROS "00", false, 0},
        {"0x1" TEN_ZEROS TEN_ZEROS TEN_ZEROS TEN_ZEROS TEN_ZEROS TEN_ZEROS "000", false, 0},
        {"0x", false, 0},
        {"0x0z", false, 0},
    };
    (void)state;
    RUN("aptos", aptos);
    RUN("starknet", starknet);
}

/* Segwit: BIP-350's whole lists. Base58: the first block's and CAIP-10's addresses; made ones. */
static void bip122(void **state)
{
    static const struct format_row rows[] = {
        {"BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", true, 0},
        {"tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7", true, 0},
        {"bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y", true, 0},
        {"BC1SW50QGDZ25J", true, 0},
        {"bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs", true, 0},
        {"tb1qqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesrxh6hy", true, 0},
        {"tb1pqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesf3hn0c", true, 0},
        {"bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0", true, 0},
        {"tc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq5zuyut", false, 0},
        {"bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd", false, 0},
        {"tb1z0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqglt7rf", false, 0},
        {"BC1S0XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ54WELL", false, 0},
        {"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh", false, 0},
        {"tb1q0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq24jc47", false, 0},
        {"bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4", false, 0},
        {"BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R", false, 0},
        {"bc1pw5dgrnzv", false, 0},
        {"bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n0nx0muaewav253zgeav", false, 0},
        {"BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P", false, 0},
        {"tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq47Zagq", false, 0},
        {"bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v07qwwzcrf", false, 0},
        {"tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vpggkg4j", false, 0},
        {"bc1gmk9yu", false, 0},
        {"bc13qypqxpq9qcrsszg2pvxq6rs0zqg3yyc5rkyx9v", false, 0}, /* made: version 17 */
        {"ltc1qqypqxpq9qcrsszg2pvxq6rs0zqg3yyc5dyg36p", true, 0},
        {"bcrt1qqypqxpq9qcrsszg2pvxq6rs0zqg3yyc5phstwt", true, 0},
        {"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", true, 0},
        {"128Lkh3S7CkDTBZ8W7BbpsN3YYizJMp8p6", true, 0},
        {"1111111111111111111114oLvT2", true, 0}, /* twenty zero bytes */
        {"31nM1WuowNDzocNxPPW9NQWJEtwWpjfcLj", true, 0},
        {"mfcHP2WMCVLsVZA8yrovmhMgxNFW9r98xw", true, 0},
        {"2MsLZ5FqqYpjM1Q1W4X81zMVZTF9gdbhVwd", true, 0},
        {"LKKHMBjCU89fyFNgSRprDoD8Jb25N8uWvd", true, 0},
        {"M7zVKQKmtV5Rc7erVGVVC3khZbXxsS5HEX", true, 0},
        {"D5ERdEN1gsouFSs7zsq7VYJxyWP6dP28H1", true, 0},
        {"9rXbkMyi1S6thykRoXAZcY8fwUKYsy6cXE", true, 0},
        {"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", false, 0},
        {"1A1zP1eP5QGefi2DMPTfTL5SLmv7Divfna", false, 0},
        {"A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", false, 0},
        {"11A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", false, 0},
        {"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfN0", false, 0},
        {"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa\0", false, 35},
        {"tWMY7saFGZDmPvXcPzUM1pz4ewdYJYn16S", false, 0}, /* made: another version */
        {"MXL6JWd4bfYJRYnwWgpogB2VC6nuURYLCj", false, 0},
        {"12D2adLM3UKy4Z4giRbReR6gjWx1w6Dz", false, 0}, /* made: 19 bytes, 21 bytes */
        {"1QXEx2ZQ9mEdvMSaVKHznFv6iZqDV1gM2y", false, 0},
        {"", false, 0},
    };
    (void)state;
    RUN("bip122", rows);
}

/* Octez base58 prefixes, addresses of its documentation and CAIP-10; made ones. */
static void tezos(void **state)
{
    static const struct format_row rows[] = {
        {"tz1VSUr8wwNhLAzempoch5d6hLRiTh8Cjcjb", true, 0},
        {"KT1PWx2mnDueood7fEmfbBDKx1D9BAnnXitn", true, 0},
        {"tz1KjMn6Hb23eu1rNemou6ytAzzNxzvaYHyK", true, 0},
        {"tz28QZkJtASQaeeieppeZjx8iaFPUtPpBrZd", true, 0},
        {"tz3LRNhdn2ZwyH7255tuZhQWXw8uFiXNJRVw", true, 0},
        {"tz496afrNbzJu2jtMFwkELNm5WPumbzCEh2S", true, 0},
        {"KT18g6ejmStajqDwZZ5ZwTfu1ZKzhYq5RboW", true, 0},
        {"tz1j4xmCasjE7mqHWjoEERU1SnctDweTk3ua", false, 0}, /* made: 06a1a0, no prefix, and reads as tz1 */
        {"tz1VSUr8wwNhLAzempoch5d6hLRiTh8Cjcjc", false, 0},
        {"tz1VSUr8wwNhLAzempoch5d6hLRiTh8Cjcj", false, 0},
        {"tz1VSUr8wwNhLAzempoch5d6hLRiTh8Cjcj0", false, 0},
        {"", false, 0},
    };
    (void)state;
    RUN("tezos", rows);
}

/* Tron developer documentation; Dash chainparams, made. */
static void tron_dash(void **state)
{
    static const struct format_row tron[] = {
        {"TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", true, 0},          {"TJCnKsPa7y5okkXvQAidZBzqx3QyQ6sxMW", true, 0},
        {"TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6u", false, 0},         {"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", false, 0},
        {"41a614f803b6fd780986a42c78ec9c7f77e6ded13c", false, 0}, {"", false, 0},
    };
    static const struct format_row dash[] = {
        {"XanAvE5GMB8CsPH78B9moJq9viEVKvCS4f", true, 0},
        {"7SVyqiBykMKdoNuuf1AehnVxASmtdfqsFF", true, 0},
        {"yLQmwB9hninHD8Ceh2UAqLFWCzirppNLik", true, 0},
        {"8eWno35qstiGFgLAjGAcAAKK3xYijokhhY", true, 0},
        {"XanAvE5GMB8CsPH78B9moJq9viEVKvCS4g", false, 0},
        {"TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", false, 0},
        {"", false, 0},
    };
    (void)state;
    RUN("tron", tron);
    RUN("dash", dash);
}

/* XRPL documentation, special addresses; XLS-5d, examples; made ones. */
static void xrpl(void **state)
{
    static const struct format_row rows[] = {
        {"rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh", true, 0},
        {"rrrrrrrrrrrrrrrrrrrrrhoLvTp", true, 0},
        {"rrrrrrrrrrrrrrrrrrrrBZbvji", true, 0},
        {"r9cZA1mLK5R5Am25ArfXFmqgNwjZgnfk59", true, 0},
        {"X7AcgcsBL6XDcUb289X4mJ8djcdyKaB5hJDWMArnXr61cqZ", true, 0},
        {"T719a5UwUCnEs54UsxG9CJYYDhwmFCqkr7wxCcNcfZ6p5GZ", true, 0},
        {"X7TiBbkpU3ZqUnpEh2XKnYLRPVD1G5LAYG335V5Sf8d9buz", true, 0},
        {"X7TiBbkpU3ZqUnpEh2XKnYLRPVD1G5GfLyCXpuJVHi5Yhod", false, 0}, /* made: a tag without its flag */
        {"X7TiBbkpU3ZqUnpEh2XKnYLRPVD1G5RmjY2kQa34AjonPqU", false, 0}, /* made: flag 2 */
        {"X7TiBbkpU3ZqUnpEh2XKnYLRPVD1G5Rkehe5uwJE6xnaGfj", false, 0}, /* made: flag 2, no tag */
        {"X7TiBbkpU3ZqUnpEh2XKnYLRPVD1G5LvS8UfDZtJtUSkySF", false, 0}, /* made: a tag of 64 bits */
        {"XVmtxgda329nGqkGBsTTzzDAtFjq6SzoXZAJ2w561Qc5QQC", false, 0}, /* made: another prefix */
        {"NHEN2ZE1FRUX6kHPn3qhAv3K1p9v6Yp3RF", false, 0},              /* made: another type */
        {"rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTi", false, 0},
        {"rHb9CJAWyB4rj91VRWn96DkukG4bwdtyT0", false, 0},
        {"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", false, 0},
        {"", false, 0},
    };
    (void)state;
    RUN("xrpl", rows);
}

/* Solana's native programs; Substrate's well-known keys in SS58 and made ones. */
static void solana_polkadot(void **state)
{
    static const struct format_row solana[] = {
        {"11111111111111111111111111111111", true, 0},
        {"Vote111111111111111111111111111111111111111", true, 0},
        {"TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA", true, 0},
        {"1thX6LZfHDZZKUs92febYZhYRcXddmzfzF2NvTkPNE", true, 0},
        {"111111111111111111111111111111111", false, 0},
        {"1111111111111111111111111111111", false, 0},
        {"thX6LZfHDZZKUs92febYZhYRcXddmzfzF2NvTkPNE", false, 0},    /* 31 bytes */
        {"JNArUumxYJcSQpbuxuroRZtcSMVLcy5WbYGt14SRm1Fv", false, 0}, /* 33 bytes */
        {"Vote1111111111111111111111111111111111111l1", false, 0},
        {"", false, 0},
    };
    static const struct format_row polkadot[] = {
        {"5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY", true, 0},
        {"15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5", true, 0},
        {"HNZata7iMYWmk5RvZRTiAsSDhV8366zq2YGb3tLH5Upf74F", true, 0},
        {"111111111111111111111111111111111HC1", true, 0}, /* the account of zeros */
        {"cEbMsKSHLsgUBMXCQh69Ni6ivESh3WudZy7JcBM4S5wjBnbsE", true, 0},
        {"KVqNesRzNU992Ts8vZZr9oLGpRJM31xDwuhPLS3wPdzX5C5M8", true, 0},
        {"x51iUAhF5RMQxsWL5Cm96u2iT2ocak6LN9cfoHS2MV5Ftv", false, 0},    /* made: 31 bytes */
        {"yNguPaHRbUmZUYpJiKL9EjGgXvstKvvwPs2hzADkBfALx2kCn", false, 0}, /* made: first byte 128 */
        {"5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQZ", false, 0},
        {"5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQ", false, 0},
        {"", false, 0},
    };
    (void)state;
    RUN("solana", solana);
    RUN("polkadot", polkadot);
}

/* CAIP-10's example; Avalanche's documentation; made ones. */
static void cosmos_avax(void **state)
{
    static const struct format_row cosmos[] = {
        {"cosmos1t2uflqwqe0fsj0shcfkrvpukewcw40yjj6hdc0", true, 0},
        {"COSMOS1T2UFLQWQE0FSJ0SHCFKRVPUKEWCW40YJJ6HDC0", true, 0},
        {"osmo1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0snqss8g", true, 0},
        {"cosmos1t2uflqwqe0fsj0shcfkrvpukewcw40yjj6hdc1", false, 0},
        {"Cosmos1t2uflqwqe0fsj0shcfkrvpukewcw40yjj6hdc0", false, 0},
        {"cosmos1qypqxpq9qcrsszg2pvxq6rs0zqg3yyc50qewpq8h", false, 0}, /* made: 21 bytes */
        {"cosmos1qypqxpq9qcrsszg2pvxq6rs0zqg3yyc527ujr7", false, 0},   /* made: Bech32m */
        {"cos-mos1qypqxpq9qcrsszg2pvxq6rs0zqg3yyc5ay0kgu", false, 0},  /* made: prefix */
        {"", false, 0},
    };
    static const struct format_row avax[] = {
        {"X-avax1tzdcgj4ehsvhhgpl7zylwpw0gl2rxcg4r5afk5", true, 0},
        {"P-avax1tzdcgj4ehsvhhgpl7zylwpw0gl2rxcg4r5afk5", true, 0},
        {"C-avax1qypqxpq9qcrsszg2pvxq6rs0zqg3yyc52qphlp", true, 0},
        {"X-fuji1qypqxpq9qcrsszg2pvxq6rs0zqg3yyc5xj9gn7", true, 0},
        {"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", true, 0},
        {"0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", false, 0},
        {"avax1tzdcgj4ehsvhhgpl7zylwpw0gl2rxcg4r5afk5", false, 0},
        {"A-avax1tzdcgj4ehsvhhgpl7zylwpw0gl2rxcg4r5afk5", false, 0},
        {"X-avax1tzdcgj4ehsvhhgpl7zylwpw0gl2rxcg4r5afk6", false, 0},
        {"X-cosmos1qypqxpq9qcrsszg2pvxq6rs0zqg3yyc5lzv7xu", false, 0}, /* made: another prefix */
        {"X-avax1qypqxpq9qcrsszg2pvxq6rs0zqg3yyc52qph7", false, 0},
        {"X-", false, 0},
        {"", false, 0},
    };
    (void)state;
    RUN("cosmos", cosmos);
    RUN("avax", avax);
}

/* CIP-19's test vectors, types 0 to 7, 14 and 15 and Byron; made ones. */
static void cardano(void **state)
{
    static const struct format_row rows[] = {
        {"addr1qx2fxv2umyhttkxyxp8x0dlpdt3k6cwng5pxj3jhsydzer3n0d3vllmyqwsx5wktcd8cc3sq835lu7drv2xwl2wywfgse35a3x",
         true, 0},
        {"addr1z8phkx6acpnf78fuvxn0mkew3l0fd058hzquvz7w36x4gten0d3vllmyqwsx5wktcd8cc3sq835lu7drv2xwl2wywfgs9yc0hh",
         true, 0},
        {"addr1yx2fxv2umyhttkxyxp8x0dlpdt3k6cwng5pxj3jhsydzerkr0vd4msrxnuwnccdxlhdjar77j6lg0wypcc9uar5d2shs2z78ve",
         true, 0},
        {"addr1x8phkx6acpnf78fuvxn0mkew3l0fd058hzquvz7w36x4gt7r0vd4msrxnuwnccdxlhdjar77j6lg0wypcc9uar5d2shskhj42g",
         true, 0},
        {"addr1gx2fxv2umyhttkxyxp8x0dlpdt3k6cwng5pxj3jhsydzer5pnz75xxcrzqf96k", true, 0},
        {"addr128phkx6acpnf78fuvxn0mkew3l0fd058hzquvz7w36x4gtupnz75xxcrtw79hu", true, 0},
        {"addr1vx2fxv2umyhttkxyxp8x0dlpdt3k6cwng5pxj3jhsydzers66hrl8", true, 0},
        {"addr1w8phkx6acpnf78fuvxn0mkew3l0fd058hzquvz7w36x4gtcyjy7wx", true, 0},
        {"stake1uyehkck0lajq8gr28t9uxnuvgcqrc6070x3k9r8048z8y5gh6ffgw", true, 0},
        {"stake178phkx6acpnf78fuvxn0mkew3l0fd058hzquvz7w36x4gtcccycj5", true, 0},
        {"37btjrVyb4KDXBNC4haBVPCrro8AQPHwvCMp3RFhhSVWwfFmZ6wwzSK6JK1hY6wHNmtrpTf1kdbva8TCneM2YsiXT7mrzT21EacHnPpz"
         "5YyUdj64na",
         true, 0},
        {"Ae2tdPwUPEZFRbyhz3cpfC2CumGzNkFBN2L42rcUc2yjQpEkxDbkPodpMAi", true, 0},
        {"addr_test1vqqqzqsrqszsvpcgpy9qkrqdpc83qygjzv2p29shrqv35xcftcpvd", true, 0},
        {"stake_test1uqqqzqsrqszsvpcgpy9qkrqdpc83qygjzv2p29shrqv35xcfrxem8", true, 0},
        {"addr1gyqqzqsrqszsvpcgpy9qkrqdpc83qygjzv2p29shrqv35xcpqgps5xhtvl", true, 0},
        {"Ae2tdPw8xMdpV17TYWHc61ZBbXxJgFWFRRM35i1Ezh4GuEgwnf7ZEa18mg8", true, 0},
        {"addr1vqqqzqsrqszsvpcgpy9qkrqdpc83qygjzv2p29shrqv35xcj3uvr0", false, 0}, /* made: test header, main prefix */
        {"addr_test1vyqqzqsrqszsvpcgpy9qkrqdpc83qygjzv2p29shrqv35xcfegsv2", false, 0},
        {"stake1vyqqzqsrqszsvpcgpy9qkrqdpc83qygjzv2p29shrqv35xc5m6mr6", false, 0}, /* made: kinds out of place */
        {"addr1uyqqzqsrqszsvpcgpy9qkrqdpc83qygjzv2p29shrqv35xcg36alg", false, 0},
        {"addr1syqqzqsrqszsvpcgpy9qkrqdpc83qygjzv2p29shrqv35xchgqakg", false, 0},
        {"addr1vyqqzqsrqszsvpcgpy9qkrqdpc83qygjzv2p29shrqv35cmj8h4", false, 0}, /* made: lengths */
        {"addr1qyqqzqsrqszsvpcgpy9qkrqdpc83qygjzv2p29shrqv35xcd6ka2g", false, 0},
        {"addr1gyqqzqsrqszsvpcgpy9qkrqdpc83qygjzv2p29shrqv35xcpqg0qf9hn", false, 0}, /* made: pointers */
        {"addr1gyqqzqsrqszsvpcgpy9qkrqdpc83qygjzv2p29shrqv35xcpqgpczv8r7au", false, 0},
        {"addr1gyqqzqsrqszsvpcgpy9qkrqdpc83qygjzv2p29shrqv35xcpqgpsgzg9764", false, 0}, /* four numbers */
        {"addr1gyqqzqsrqszsvpcgpy9qkrqdpc83qygjzv2p29shrqv35xupqypqgxcdqm", false, 0},  /* two */
        {"addrx1vyqqzqsrqszsvpcgpy9qkrqdpc83qygjzv2p29shrqv35xc68xjul", false, 0},      /* made: prefix */
        {"addr1mykd6t", false, 0},
        {"Ae2tdPw8xMdpV17TYWHc61ZBbXxJgFWFRRM35i1Ezh4GuEgwnf7ZEUAPP6n", false, 0}, /* made: CRC */
        {"Ae2tdR38BJoqK9XUFDeLNH3cXxSy7gbv7erXcRbJEvxR7DqNgFXZm3CecFv", false, 0},
        {"Ae2tdSS61euQKhUi9v8vvhP1oYzVzoW4q6ETTwiswSNxoF7xY9MhXWWmazg", false, 0}, /* made: payload too long */
        {"Ae2tdPwUPEZFRbyhz3cpfC2CumGzNkFBN2L42rcUc2yjQpEkxDbkPodpMAj", false, 0},
        {"addr1vx2fxv2umyhttkxyxp8x0dlpdt3k6cwng5pxj3jhsydzers66hrl9", false, 0},
        {"", false, 0},
    };
    (void)state;
    RUN("cardano", rows);
}

static void unknown_namespace(void **state)
{
    (void)state;
    assert_true(format_wallet(SLICE("hedera"), SLICE("0.0.1234")));
    assert_true(format_wallet(SLICE_NONE, SLICE_NONE));
    assert_true(format_wallet(SLICE("EIP155"), SLICE("x")));
    assert_string_equal(format_wallet_expected(SLICE("hedera")), "an address of its blockchain");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eip155),          cmocka_unit_test(aptos_starknet),
        cmocka_unit_test(bip122),          cmocka_unit_test(tezos),
        cmocka_unit_test(tron_dash),       cmocka_unit_test(xrpl),
        cmocka_unit_test(solana_polkadot), cmocka_unit_test(cosmos_avax),
        cmocka_unit_test(cardano),         cmocka_unit_test(unknown_namespace),
    };
    return cmocka_run_group_tests_name("contract/format_wallet", tests, NULL, NULL);
}
