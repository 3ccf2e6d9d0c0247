"""Writes the price book that Clew vendors out of the data of the genai-prices package, as JSON on stdout.

Only what Clew can count is kept: tokens by kind, and calls. Prices stay decimal texts, in US dollars per million.
"""

import datetime
import importlib.metadata
import json
import re
import sys

from genai_prices.data import providers

RATES = {
    "input_mtok": "input",
    "output_mtok": "output",
    "cache_read_mtok": "cacheRead",
    "cache_write_mtok": "cacheWrite",
    "cache_write_5m_mtok": "cacheWrite",
    "cache_write_1h_mtok": "cacheWrite1h",
    "input_audio_mtok": "audioInput",
    "input_image_mtok": "imageInput",
    "output_audio_mtok": "audioOutput",
    "output_image_mtok": "imageOutput",
    "output_reasoning_mtok": "reasoning",
    "requests_kcount": "request",
}
# Prices of a thousand become prices of a million.
TIMES = {"requests_kcount": 1000}
CLAUSES = {
    "ClauseEquals": ("equals", "equals"),
    "ClauseStartsWith": ("startsWith", "starts_with"),
    "ClauseEndsWith": ("endsWith", "ends_with"),
    "ClauseContains": ("contains", "contains"),
    "ClauseRegex": ("regex", "regex"),
}


def clause(logic):
    if logic is None:
        return None
    kind = type(logic).__name__
    if kind == "ClauseOr":
        return {"any": [clause(each) for each in logic.or_]}
    if kind == "ClauseAnd":
        return {"all": [clause(each) for each in logic.and_]}
    name, field = CLAUSES[kind]
    text = getattr(logic, field)
    ahead = re.match(r"\^\(\?!(.*?)\)(?=$|\(|[a-z])", text) if name == "regex" else None
    if ahead is None:
        return {name: text}
    # The regular expressions that read the book look neither ahead nor back: "not this" becomes a clause of its own.
    rest = text[ahead.end() :]
    refused = {"not": {"regex": "^" + ahead[1]}}
    return {"all": [refused, {"regex": "^" + rest}]} if rest else refused


def plain(price):
    text = format(price, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def rates(price):
    stated = {}
    for key, value in price.__dict__.items():
        name = RATES.get(key)
        if name is None or value is None:
            continue
        times = TIMES.get(key, 1)
        if type(value).__name__ == "TieredPrices":
            above = [{"above": tier.start, "price": plain(tier.price * times)} for tier in value.tiers]
            stated[name] = {"price": plain(value.base * times), "tiers": above}
        else:
            stated[name] = {"price": plain(value * times)}
    return stated


def constrained(constraint):
    if constraint is None:
        return {"from": None, "daily": None}
    if type(constraint).__name__ == "StartDateConstraint":
        return {"from": constraint.start_date.isoformat(), "daily": None}
    minutes = [each.hour * 60 + each.minute for each in (constraint.start_time, constraint.end_time)]
    for each in (constraint.start_time, constraint.end_time):
        if each.utcoffset() not in (None, type(each.utcoffset())(0)) or each.second:
            sys.exit(f"a daily price is not in whole minutes of UTC: {each}")
    return {"from": None, "daily": minutes}


def model(info):
    prices = info.prices if isinstance(info.prices, list) else [None]
    dated = [
        {**constrained(each and each.constraint), "rates": rates(each.prices if each else info.prices)}
        for each in prices
    ]
    variants = [
        {**constrained(each.constraint), "when": each.when, "rates": rates(each.prices)}
        for each in info.price_variants or []
    ]
    return {
        "id": info.id,
        "match": clause(info.match),
        "window": info.context_window,
        "prices": dated,
        "variants": [each for each in variants if each["rates"]],
    }


def has_rates(info):
    return any(each["rates"] for each in info["prices"])


book = {
    "source": "genai-prices",
    "version": importlib.metadata.version("genai-prices"),
    "licence": "MIT",
    "url": "https://github.com/pydantic/genai-prices",
    "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    "providers": [
        {
            "id": each.id,
            "name": each.name,
            "match": clause(each.provider_match),
            "models": [known for known in map(model, each.models) if has_rates(known)],
            "modelMatch": clause(each.model_match),
            "fallback": each.fallback_model_providers or [],
        }
        for each in providers
    ],
}
lines = []
for each in book.pop("providers"):
    models = each.pop("models")
    body = ",\n".join(json.dumps(known, ensure_ascii=False, separators=(",", ":")) for known in models)
    head = json.dumps(each, ensure_ascii=False, separators=(",", ":"))[:-1]
    lines.append(f'{head},"models":[\n{body}\n]}}')
head = json.dumps(book, ensure_ascii=False)[:-1]
print(f'{head}, "providers": [\n' + ",\n".join(lines) + "\n]}")
