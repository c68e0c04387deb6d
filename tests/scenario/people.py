"""Made-up customers of realistic size and shape, in several scripts. All that is personal is marked."""

import random

from muster import private

NAMES = [
    ("Ana", "García Márquez"), ("Łukasz", "Wójcik"), ("Дмитрий", "Соколов"), ("Ελένη", "Παπαδοπούλου"),
    ("محمد", "الحسيني"), ("נועה", "לוי"), ("美咲", "高橋"), ("伟", "王"), ("민준", "김"), ("आरव", "शर्मा"),
    ("สมชาย", "ใจดี"), ("Nguyễn", "Thị Hồng"), ("Siobhán", "Ní Bhriain"), ("José", "da Conceição"),
    ("Zoë", "van der Berg"), ("🙂 Robin", "O'Neill \"Rob\""), ("Ayşe", "Yılmaz"), ("Þórdís", "Jónsdóttir"),
]
CITIES = [("Madrid", "ES"), ("Kraków", "PL"), ("Санкт-Петербург", "RU"), ("Αθήνα", "GR"), ("القاهرة", "EG"),
          ("תל אביב", "IL"), ("東京", "JP"), ("上海", "CN"), ("서울", "KR"), ("मुंबई", "IN")]
BCRYPT = "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW"  # of "abc123xyz"
COUNTRIES = ["ESP", "POL", "DEU", "GRC", "EGY", "ISR", "JPN", "CHN", "KOR", "IND", "VNM", "IRL", "BRA", "XKX"]


def cyrexa(number, prefix="c"):
    """About 1.65 KB, with all that a customer usually has. Its password came hashed."""
    luck = random.Random(f"{prefix}{number}")
    given, family = luck.choice(NAMES)
    city, country = luck.choice(CITIES)
    mark = private()
    return {
        "id": f"{prefix}-{number:08d}-{mark}",
        "customerType": "Person",
        "customerName": f"{given} {family} {mark}",
        "customerStatus": luck.choice(["new", "under_verificaiton"]),
        "categorization": luck.choice(["category1", "category2", "category3"]),
        "notifications": [{"notificationType": "Marketingemails", "isEnabled": luck.random() < 0.5}],
        "person": {
            "firstName": {"name": f"{given} {mark}", "order": 1, "abbreviation": given[0], "language": "en",
                          "native": given},
            "lastName": {"name": f"{family} {mark}", "order": 2, "language": "en", "native": family},
            "fullName": f"{given} {family} {mark}",
            "groupId": f"group-{mark}",
            "gender": luck.choice(["Male", "Female"]),
            "dateOfBirth": f"{luck.randint(1940, 2005)}-{luck.randint(1, 12):02d}-{luck.randint(1, 28):02d}",
            "placeOfBirth": f"{city} {mark}",
            "nationality": country,
            "password": BCRYPT,
            "email": f"{mark}.{number}@example.org",
            "telephoneNumbers": [{"phoneType": "fixed", "operator": "Telco", "encoding": "numbers",
                                  "country": country, "number": f"+49{luck.randint(10**9, 10**10 - 1)}",
                                  "purpose": "home"}],
            "addresses": [{"addressPurpose": "home", "address": {
                "country": country, "area": "Centre", "zipCode": f"{luck.randint(10000, 99999)}", "city": city,
                "street": f"Long Street {mark}", "streetNumber": [str(luck.randint(1, 300))], "building": "B",
                "apartment": "12", "entrance": "left", "floor": "3", "doorNumber": "31",
                "geoPosition": {"latitude": round(luck.uniform(-80, 80), 6),
                                "longitude": round(luck.uniform(-180, 180), 6), "altitude": 12.5},
                "alternative": {"word1": "filled", "word2": "count", "word3": "soap"},
                "additionalData": [{"name": "meter", "type": "Number", "value": f"{luck.randint(1, 10**6)}"}]}}],
            "documents": [{"purpose": "KYC", "name": f"passport {mark}", "documentType": "Passport",
                           "location": f"s3://documents/{mark}", "status": "underverification",
                           "metadata": [{"name": "pages", "type": "Number", "value": "2"}]}],
        },
    }


def nexera(number, prefix="n"):
    """About 0.75 KB: a wallet, claims, a DID."""
    luck = random.Random(f"{prefix}{number}")
    given, family = luck.choice(NAMES)
    city, country = luck.choice(CITIES)
    mark = private()
    return {
        "customerWallet": {"wallet": f"0x{luck.getrandbits(160):040x}", "blockchainNamespace": "eip155",
                           "verified": False, "createdBy": f"importer {mark}"},
        "customerClaims": {
            "sub": f"{prefix}-{number:08d}-{mark}", "name": f"{given} {family} {mark}", "givenName": given,
            "familyName": family, "nickname": f"{given[0]}{mark}", "preferredUsername": f"user{number}{mark}",
            "profile": f"https://people.example.org/{mark}", "website": "https://example.org/",
            "gender": luck.choice(["female", "male"]), "birthdate": f"{luck.randint(1940, 2005)}-04-05T00:00:00.000Z",
            "zoneinfo": "Europe/Madrid", "locale": "es-ES", "countryOfResidence": luck.choice(COUNTRIES),
            "nationality": luck.choice(COUNTRIES), "address": f"Long Street {number}, {city} {mark}",
        },
        "customerDid": {"did": f"did:example:{luck.getrandbits(64):016x}{mark}", "createdBy": f"importer {mark}"},
    }
