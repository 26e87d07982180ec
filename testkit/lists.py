"""Every kind of list that is asked for: the benchmarks measure how long it takes, the tests look at its plans."""

from datetime import timedelta

from testkit.products import FIRST_DAY, RARE, RARE_WORD

MONTH = {
    "created_after": (FIRST_DAY + timedelta(days=180)).isoformat(),
    "created_before": (FIRST_DAY + timedelta(days=210)).isoformat(),
}

FEW = {"limit": 10}  # where the smallest table has no full page, so that all answers are as long

# Their parameters by what is asked.
REQUESTS: dict[str, dict[str, object]] = {
    "first page": {},
    "filter: one category": {"categoria": "Roupas"},
    "filter: two categories, a range of prices": {
        "categoria": ["Roupas", "Calçados"],
        "price_min": 50,
        "price_max": 100,
    },
    "filter: a range of prices": {"price_min": 1000, "price_max": 2000},
    "filter: one supplier": {"email_fornecedor": "atacado.recife@fornecedores.example.com", **FEW},
    "filter: a month": {**MONTH},
    "filter: one category, dearest first": {"categoria": "Móveis", "sort": "-price"},
    "filter: a month, by name": {**MONTH, "sort": "name"},
    **{
        f"sort: {order}": {"sort": order}
        for order in ("-id", "name", "-name", "description", "price", "-price", "categoria", "email_fornecedor")
    },
    "sort: created_at": {"sort": "created_at"},
    "sort: -updated_at": {"sort": "-updated_at"},
    "search: a word in one of six": {"q": "garantia"},
    "search: a word in one of fifty": {"q": "camiseta", **FEW},
    "search: two words": {"q": "tênis corrida", **FEW},
    "search: a prefix": {"q": "ca"},
    "search: a plural, found by its stem": {"q": "geladeiras", **FEW},
    f"search: a word in {RARE}": {"q": RARE_WORD},
    "search: a word in none": {"q": "xilofone"},
    "search: in a category, dearest first": {"q": "camiseta", "categoria": "Roupas", "sort": "-price", **FEW},
}
