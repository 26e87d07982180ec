"""Example products, the same ones every time: what `make demo` and an empty catalogue's page load."""

import csv
import io
import random
from collections.abc import Iterator
from typing import Any

FIELDS = ("name", "description", "price", "categoria", "email_fornecedor")
PRODUCTS = 3000
SEED = 1500  # the same products every time

SHARES = {"Roupas": 9, "Calçados": 6, "Eletrodoméstico": 4, "Móveis": 3, "Eletrônico": 3}  # of 25 products
# Per category: what is sold, with its price range in R$, and how it varies.
SHOP: dict[str, tuple[list[tuple[str, int, int]], list[str], list[str]]] = {
    "Eletrônico": (
        [
            ("Smartphone", 799, 8999),
            ("Notebook", 1999, 14999),
            ("Smart TV", 1299, 11999),
            ("Fone de Ouvido Bluetooth", 59, 1999),
            ("Caixa de Som Portátil", 99, 1899),
            ("Tablet", 699, 6999),
            ("Monitor", 549, 4999),
            ("Console de Videogame", 1899, 4799),
            ("Câmera de Segurança Wi-Fi", 119, 899),
            ("Relógio Inteligente", 199, 3499),
        ],
        ["Aurora", "Pampa", "Ipê", "Jaguar", "Maré", "Cerrado"],
        ["Preto", "Grafite", "Branco", "Azul", "Prata"],
    ),
    "Eletrodoméstico": (
        [
            ("Geladeira Frost Free", 2199, 9499),
            ("Fogão 4 Bocas", 599, 2899),
            ("Micro-ondas 30 L", 449, 1299),
            ("Máquina de Lavar 12 kg", 1499, 4599),
            ("Air Fryer 5 L", 249, 999),
            ("Liquidificador", 99, 599),
            ("Cafeteira Expressa", 299, 3499),
            ("Aspirador Robô", 699, 3999),
            ("Ar-condicionado Split 12.000 BTU", 1699, 3799),
            ("Ferro de Passar a Vapor", 79, 499),
        ],
        ["Casanova", "Brisa", "Lumiar", "Vitória", "Serrana"],
        ["110 V", "220 V", "Inox 110 V", "Inox 220 V", "Bivolt"],
    ),
    "Móveis": (
        [
            ("Sofá Retrátil 3 Lugares", 1199, 6999),
            ("Guarda-roupa 6 Portas", 899, 4299),
            ("Mesa de Jantar 6 Cadeiras", 999, 5499),
            ("Cama Box Casal", 799, 3999),
            ("Escrivaninha", 199, 1499),
            ("Cadeira de Escritório", 299, 2499),
            ("Estante para Livros", 179, 1299),
            ("Rack para TV", 249, 1699),
            ("Poltrona Decorativa", 399, 1999),
            ("Criado-mudo", 119, 699),
        ],
        ["Araucária", "Jacarandá", "Mantiqueira", "Recanto", "Linhares"],
        ["Carvalho", "Nogueira", "Branco Fosco", "Cinza", "Freijó"],
    ),
    "Roupas": (
        [
            ("Camiseta Algodão", 29, 149),
            ("Calça Jeans", 89, 399),
            ("Vestido Midi", 99, 499),
            ("Jaqueta Corta-vento", 129, 599),
            ("Bermuda de Sarja", 59, 249),
            ("Camisa Social", 79, 349),
            ("Moletom com Capuz", 99, 399),
            ("Saia Plissada", 69, 279),
            ("Pijama Longo", 69, 259),
            ("Biquíni", 59, 329),
        ],
        ["Maresia", "Sertão", "Carioca", "Garoa", "Mandacaru"],
        ["P", "M", "G", "GG"],
    ),
    "Calçados": (
        [
            ("Tênis de Corrida", 149, 1299),
            ("Sandália Rasteira", 39, 249),
            ("Bota de Couro", 199, 899),
            ("Sapato Social", 129, 799),
            ("Chinelo", 19, 129),
            ("Sapatilha", 59, 299),
            ("Tênis Casual", 99, 699),
            ("Mocassim", 119, 499),
            ("Chuteira Society", 99, 899),
            ("Papete", 69, 349),
        ],
        ["Passada", "Trilha", "Itapuã", "Calçadão", "Rumo"],
        ["34", "36", "38", "40", "42", "44"],
    ),
}
SUPPLIERS = ["atacado", "distribuidora", "comercial", "importadora", "fabrica"]
CITIES = ["saopaulo", "curitiba", "recife", "manaus", "goiania", "salvador", "joinville", "franca", "blumenau"]
NOTES = [
    "Garantia de 12 meses do fabricante.",
    "Frete grátis para todo o Brasil.",
    "Últimas unidades em estoque.",
    "Produto novo, na caixa lacrada, com nota fiscal.",
    "Em até 10x sem juros no cartão.",
    None,
]


def example_file() -> bytes:
    """Return the PRODUCTS examples as a CSV file that POST /products/import takes."""
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, FIELDS)
    writer.writeheader()
    writer.writerows(demo_products(PRODUCTS))
    return file.getvalue().encode()


def demo_products(count: int) -> Iterator[dict[str, Any]]:
    """Generate `count` products, of the categories by their shares, the same ones on every call."""
    chance = random.Random(SEED)  # noqa: S311 - example data, not secrets
    categories = [name for name, share in SHARES.items() for _ in range(share)]
    for n in range(count):
        categoria = categories[n * 7 % len(categories)]  # 7: those of one category are not all beside each other
        kinds, brands, variants = SHOP[categoria]
        kind, low, high = chance.choice(kinds)
        price = low * (high / low) ** chance.random()  # as in shops: many cheap ones, few dear ones
        yield {
            "name": f"{kind} {chance.choice(brands)} {chance.choice(variants)}",
            "description": chance.choice(NOTES),
            "price": int(price) + chance.choice([0.9, 0.99, 0.5, 0.0]),
            "categoria": categoria,
            "email_fornecedor": f"{chance.choice(SUPPLIERS)}.{chance.choice(CITIES)}@fornecedores.example.com",
        }
