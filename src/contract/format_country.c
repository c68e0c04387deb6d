/*
 * Country codes: the officially assigned ones of ISO 3166-1, 249 of each length, in byte order and
 * without gaps between them. Codes that are reserved or user-assigned (EU, UK, XKX, ANT) are no
 * country of the standard and don't fit; a contract that takes them lists them itself.
 */
#include "contract/format_priv.h"

#define CODE_COUNT 249

static const char alpha_2[] = "ADAEAFAGAIALAMAOAQARASATAUAWAXAZ"
                              "BABBBDBEBFBGBHBIBJBLBMBNBOBQBRBSBTBVBWBYBZ"
                              "CACCCDCFCGCHCICKCLCMCNCOCRCUCVCWCXCYCZ"
                              "DEDJDKDMDODZ"
                              "ECEEEGEHERESET"
                              "FIFJFKFMFOFR"
                              "GAGBGDGEGFGGGHGIGLGMGNGPGQGRGSGTGUGWGY"
                              "HKHMHNHRHTHU"
                              "IDIEILIMINIOIQIRISIT"
                              "JEJMJOJP"
                              "KEKGKHKIKMKNKPKRKWKYKZ"
                              "LALBLCLILKLRLSLTLULVLY"
                              "MAMCMDMEMFMGMHMKMLMMMNMOMPMQMRMSMTMUMVMWMXMYMZ"
                              "NANCNENFNGNINLNONPNRNUNZ"
                              "OM"
                              "PAPEPFPGPHPKPLPMPNPRPSPTPWPY"
                              "QA"
                              "RERORSRURW"
                              "SASBSCSDSESGSHSISJSKSLSMSNSOSRSSSTSVSXSYSZ"
                              "TCTDTFTGTHTJTKTLTMTNTOTRTTTVTWTZ"
                              "UAUGUMUSUYUZ"
                              "VAVCVEVGVIVNVU"
                              "WFWS"
                              "YEYT"
                              "ZAZMZW";

static const char alpha_3[] = "ABWAFGAGOAIAALAALBANDAREARGARMASMATAATFATGAUSAUTAZE"
                              "BDIBELBENBESBFABGDBGRBHRBHSBIHBLMBLRBLZBMUBOLBRABRBBRNBTNBVTBWA"
                              "CAFCANCCKCHECHLCHNCIVCMRCODCOGCOKCOLCOMCPVCRICUBCUWCXRCYMCYPCZE"
                              "DEUDJIDMADNKDOMDZA"
                              "ECUEGYERIESHESPESTETH"
                              "FINFJIFLKFRAFROFSM"
                              "GABGBRGEOGGYGHAGIBGINGLPGMBGNBGNQGRCGRDGRLGTMGUFGUMGUY"
                              "HKGHMDHNDHRVHTIHUN"
                              "IDNIMNINDIOTIRLIRNIRQISLISRITA"
                              "JAMJEYJORJPN"
                              "KAZKENKGZKHMKIRKNAKORKWT"
                              "LAOLBNLBRLBYLCALIELKALSOLTULUXLVA"
                              "MACMAFMARMCOMDAMDGMDVMEXMHLMKDMLIMLTMMRMNEMNGMNPMOZMRTMSRMTQMUSMWIMYSMYT"
                              "NAMNCLNERNFKNGANICNIUNLDNORNPLNRUNZL"
                              "OMN"
                              "PAKPANPCNPERPHLPLWPNGPOLPRIPRKPRTPRYPSEPYF"
                              "QAT"
                              "REUROURUSRWA"
                              "SAUSDNSENSGPSGSSHNSJMSLBSLESLVSMRSOMSPMSRBSSDSTPSURSVKSVNSWESWZSXMSYCSYR"
                              "TCATCDTGOTHATJKTKLTKMTLSTONTTOTUNTURTUVTWNTZA"
                              "UGAUKRUMIURYUSAUZB"
                              "VATVCTVENVGBVIRVNMVUT"
                              "WLFWSM"
                              "YEM"
                              "ZAFZMBZWE";

_Static_assert(sizeof(alpha_2) == CODE_COUNT * 2 + 1, "a two-letter code is missing");
_Static_assert(sizeof(alpha_3) == CODE_COUNT * 3 + 1, "a three-letter code is missing");

static bool find(const char *codes, size_t width, struct slice code)
{
    size_t low = 0;
    size_t high = CODE_COUNT;
    if (code.size != width)
        return false;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = memcmp(codes + middle * width, code.data, width);
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

/* ISO 3166-1 alpha-2, in the upper case of the standard. */
bool format_country_alpha_2(struct slice text)
{
    return find(alpha_2, 2, text);
}

/* ISO 3166-1 alpha-3, in the upper case of the standard. */
bool format_country_alpha_3(struct slice text)
{
    return find(alpha_3, 3, text);
}
