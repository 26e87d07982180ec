"""The products of a rehearsal: one by one, and as files."""

from typing import Any

PRODUCT: dict[str, Any] = {
    "name": "Geladeira Frost Free 375 L",
    "description": None,
    "price": 2899.9,
    "categoria": "Eletrodoméstico",
    "email_fornecedor": "vendas@fornecedor.example.com",
}
_HEADER = "name,description,price,categoria,email_fornecedor\r\n"


def csv(rows: int) -> bytes:
    """Return a file of so many different products."""
    lines = (f"Produto do ensaio {n},,{n % 9000 + 1}.90,Roupas,vendas@fornecedor.example.com\r\n" for n in range(rows))
    return (_HEADER + "".join(lines)).encode()
