"""CORS rules as they match requests."""

from cumulo.services.storage.s3.browsers import cors_rules

RULES = [
    {"AllowedOrigins": ["http://*.example.com", "null"], "AllowedMethods": ["GET", "PUT"], "MaxAgeSeconds": 3000},
    {
        "AllowedOrigins": ["*"], "AllowedMethods": ["GET"], "AllowedHeaders": ["x-amz-*", "Content-Type"],
        "ExposeHeaders": ["ETag", "x-amz-meta-a"],
    },
]  # fmt: skip


def test_the_first_rule_that_fits_answers() -> None:
    assert cors_rules.find(RULES, "http://www.example.com", "PUT") is RULES[0]
    assert cors_rules.find(RULES, "http://www.example.com", "GET", ["X-Amz-Date", "content-type"]) is RULES[1]
    assert cors_rules.find(RULES, "https://www.example.com", "PUT") is None
    assert cors_rules.find(RULES, "https://other", "GET", ["authorization"]) is None
    assert cors_rules.find(RULES, "null", "PUT") is RULES[0]
    assert cors_rules.find(RULES, "http://example.com", "PUT") is None


def test_what_the_answer_says() -> None:
    assert cors_rules.fields(RULES[0], "http://a.example.com") == [
        ("Access-Control-Allow-Origin", "http://a.example.com"),
        ("Access-Control-Allow-Methods", "GET, PUT"),
        ("Access-Control-Max-Age", "3000"),
        ("Access-Control-Allow-Credentials", "true"),
        ("Vary", cors_rules.VARY),
    ]
    assert cors_rules.fields(RULES[1], "http://b", cors_rules.requested_headers("X-Amz-Date, ,Content-Type")) == [
        ("Access-Control-Allow-Origin", "*"),
        ("Access-Control-Allow-Methods", "GET"),
        ("Access-Control-Allow-Headers", "x-amz-date, content-type"),
        ("Access-Control-Expose-Headers", "ETag, x-amz-meta-a"),
        ("Vary", cors_rules.VARY),
    ]


def test_a_pattern_has_one_star() -> None:
    assert cors_rules.fits("a*a", "aa")
    assert not cors_rules.fits("a*a", "a")
    assert cors_rules.fits("exact", "exact")
    assert not cors_rules.fits("exact", "Exact")
