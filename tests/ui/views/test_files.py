"""Import and export as a visitor meets them, by Streamlit's AppTest against the real API and ones that fail."""

import codecs
import csv
import io
import json
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import streamlit as st
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet
from streamlit.testing.v1 import AppTest

from app.ui.client.api_client import ApiClient
from app.ui.client.api_models import EVERYTHING, Product
from app.ui.files import import_form, import_result, spreadsheet
from app.ui.files.import_job import ImportJob, Imports
from app.ui.formats import WORD_JOINER
from app.ui.texts import ENGLISH, LANGUAGES, PORTUGUESE, Texts
from testkit.server import free_port
from testkit.tools import ROOT
from tests.ui.conftest import Misbehaviour
from tests.ui.visiting import click, run

FILES_PAGE = "views/files.py"
HEADER = "Nome;Descrição;Preço;Categoria;E-mail do fornecedor;Estoque"
FRIDGE = 'Geladeira 375 L;"Branca,\r\n110 V";2.899,90;eletrodomestico;vendas@fornecedor.example.com;3'
SHIRT = "Camiseta;;29,90;Roupas;camisetas;40"  # no e-mail address
STOVE = "Fogão;;zero;Fogões;vendas@fornecedor.example.com;1"  # no price, no category
SOFA = "Sofá;;1.899,90;MÓVEIS;vendas@fornecedor.example.com;2"
MIXED = [HEADER, FRIDGE, SHIRT, "", STOVE, SOFA, ";;;;;"]


@pytest.fixture
def visit(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], AppTest]]:
    """Open the page with API_URL set to an address."""

    def open_page(url: str) -> AppTest:
        monkeypatch.setenv("API_URL", url)
        app = AppTest.from_file(ROOT / "app/ui/main.py", default_timeout=30)
        return run(run(app).switch_page(FILES_PAGE))

    yield open_page
    st.cache_resource.clear()


@pytest.fixture
def nowhere() -> str:
    """The address of an API that is down."""
    return f"http://127.0.0.1:{free_port()}"


def data(lines: list[str], encoding: str = "utf-8") -> bytes:
    return ("\r\n".join(lines) + "\r\n").encode(encoding)


def upload(app: AppTest, content: bytes, name: str = "produtos.csv") -> AppTest:
    app.file_uploader[0].set_value((name, content, "text/csv"))
    return run(app)


def begin(app: AppTest) -> AppTest:
    return click(app, "import")


def finished(app: AppTest) -> AppTest:
    """Wait for the import, as the page does."""
    deadline = time.monotonic() + 60
    while not job(app).is_done:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return run(app)


def job(app: AppTest) -> ImportJob:
    imports: Imports = app.session_state["imports"]
    assert imports.job is not None
    return imports.job


def refused_file(app: AppTest, texts: Texts) -> bytes:
    """The rows that were refused, as they are downloaded."""
    imports: Imports = app.session_state["imports"]
    assert imports.job is not None
    return import_result.refused_file(imports.job.table, imports.job.options, imports.job.refused, texts)


def written(app: AppTest) -> str:
    return " ".join(element.value for element in app.markdown).replace("\\", "").replace(WORD_JOINER, "")


def has(app: AppTest, key: str) -> bool:
    return key in {button.key for button in app.button}


def said(elements: Any) -> str:
    return (
        " ".join(f"{element.proto.title} {element.value}" for element in elements)
        .replace("\\", "")
        .replace(WORD_JOINER, "")
    )


def select(app: AppTest, label: str) -> Any:
    [found] = [box for box in app.selectbox if box.label == label]
    return found


def stored(api_url: str) -> tuple[Product, ...]:
    return ApiClient(api_url).list_products(limit=200).products


def test_a_spreadsheet_from_excel_becomes_products_but_for_its_wrong_rows(
    visit: Callable[[str], AppTest], api_url: str
) -> None:
    app = upload(visit(api_url), data(MIXED, "cp1252"))
    assert [select(app, label).value for label in ("Codificação", "Separador", "Escrita dos números")] == [
        "cp1252",
        ";",
        ",",
    ]
    assert [select(app, getattr(PORTUGUESE, field)).value for field in spreadsheet.FIELDS] == [0, 1, 2, 3, 4]
    preview = app.dataframe[0].value
    assert list(preview["line"]) == [2, 4, 6, 7]
    assert preview["price"][0].replace("\N{NO-BREAK SPACE}", " ") == "R$ 2.899,90"
    assert preview["categoria"][0] == "Eletrodoméstico"
    assert "2 novos, 0 alterados, 0 iguais, 2 recusados" in written(app)
    assert list(app.dataframe[1].value["line"]) == [4, 6]  # before anything is written
    assert app.button(key="import").label == "Importar 2 produtos"

    app = finished(begin(app))
    fridge, sofa = stored(api_url)
    assert (fridge.name, fridge.description) == ("Geladeira 375 L", "Branca,\r\n110 V")
    assert (float(fridge.price), fridge.categoria) == (2899.9, "Eletrodoméstico")
    assert (sofa.name, sofa.description, float(sofa.price), sofa.categoria) == ("Sofá", None, 1899.9, "Móveis")
    assert said(app.success) == " 2 produtos importados."
    assert "2 linhas não puderam ser importadas." in said(app.warning)
    told = app.dataframe[0].value
    assert list(zip(told["line"], told["field"], told["0"], strict=True)) == [
        (4, "E-mail do fornecedor", "Camiseta"),
        (6, "Preço", "Fogão"),
    ]
    assert "Não é um endereço de e-mail válido" in told["reason"][0]
    assert "Precisa ser um número" in told["reason"][1]
    assert not has(app, "import")


def test_prices_that_could_be_two_numbers_are_asked_about(visit: Callable[[str], AppTest], api_url: str) -> None:
    rows = [SHIRT.replace("29,90", price) for price in ("10,505", "1,250")]
    app = upload(visit(api_url), data([HEADER, *rows]))
    assert select(app, PORTUGUESE.decimal_style).value is None
    assert PORTUGUESE.decimal_style_missing in said(app.warning)
    assert list(app.dataframe[0].value.iloc[:, 2]) == ["10,505", "1,250"]
    assert app.button(key="import").disabled

    select(app, PORTUGUESE.decimal_style).set_value(".")
    app = run(app)
    assert app.dataframe[0].value["price"][0].replace("\N{NO-BREAK SPACE}", " ") == "R$ 10.505,00"
    assert PORTUGUESE.decimal_style_missing not in said(app.warning)


def test_the_refused_rows_can_be_corrected_and_brought_again(visit: Callable[[str], AppTest], api_url: str) -> None:
    app = finished(begin(upload(visit(api_url), data(MIXED, "cp1252"))))
    file = refused_file(app, PORTUGUESE)
    assert file.startswith(codecs.BOM_UTF8)
    header, shirt, stove = csv.reader(io.StringIO(file.decode("utf-8-sig"), newline=""), delimiter=";")
    assert header == [*HEADER.split(";"), "Motivo"]
    assert shirt[:-1] == SHIRT.split(";")
    assert shirt[-1].startswith("E-mail do fornecedor: Não é um endereço")
    assert stove[-1].startswith("Preço: Precisa ser um número")

    once_more = finished(begin(upload(app, file.replace(b"camisetas", b"vendas@camisetas.example.com"))))
    assert said(once_more.success) == " 1 produto importado."
    assert [product.name for product in stored(api_url)] == ["Geladeira 375 L", "Sofá", "Camiseta"]
    header, stove = csv.reader(
        io.StringIO(refused_file(once_more, ENGLISH).decode("utf-8-sig"), newline=""), delimiter=";"
    )
    assert header == [*HEADER.split(";"), "Reason"]
    assert stove[:-1] == STOVE.split(";")

    corrected = upload(once_more, refused_file(once_more, ENGLISH).replace(b"zero", b"599"))
    assert "Fogões" in list(corrected.dataframe[0].value["categoria"])
    assert "0 novos, 0 alterados, 0 iguais, 1 recusados" in written(corrected)
    assert corrected.button(key="import").disabled


def test_all_or_nothing_is_nothing_when_one_row_is_wrong(visit: Callable[[str], AppTest], api_url: str) -> None:
    app = upload(visit(api_url), data(MIXED))
    app.radio(key="skip_refused").set_value(False)
    app = finished(begin(run(app)))
    assert stored(api_url) == ()
    assert said(app.error).startswith("Nada foi importado: 2 linhas não puderam ser importadas.")
    assert list(app.dataframe[1].value["line"]) == [4, 6]
    assert not app.button(key="import").disabled

    app.radio(key="skip_refused").set_value(True)
    app = finished(begin(run(app)))
    assert len(stored(api_url)) == 2
    assert not app.error


def test_a_row_with_a_separator_too_many_is_told(visit: Callable[[str], AppTest], api_url: str) -> None:
    lines = ["name,description,price,categoria,email_fornecedor", "Mesa, grande,,10,Móveis,a@fornecedor.example.com"]
    lines.append("Mesa grande,,10,Móveis,a@fornecedor.example.com")
    app = finished(begin(upload(visit(api_url), data(lines))))
    told = app.dataframe[0].value
    assert (list(told["line"]), list(told["field"]), list(told["reason"])) == (
        [2],
        ["Linha inteira"],
        [PORTUGUESE.wrong_width],
    )
    [[*row], [*refused]] = csv.reader(io.StringIO(refused_file(app, PORTUGUESE).decode("utf-8-sig")))
    assert (len(row), len(refused)) == (6, 7)


def test_more_mistakes_than_are_told_are_counted(visit: Callable[[str], AppTest], api_url: str) -> None:
    app = finished(begin(upload(visit(api_url), data([HEADER, *[SHIRT] * 1500, SOFA]))))
    assert said(app.success) == " 1 produto importado."
    assert "1.500 linhas não puderam ser importadas." in said(app.warning)
    assert len(app.dataframe[0].value) == 1000
    [more] = [caption.value for caption in app.caption if "lista" in caption.value]
    assert "até a linha 1.001 do arquivo" in more
    assert "500 linhas recusadas" in more


def test_columns_of_other_names_are_chosen_by_the_visitor(visit: Callable[[str], AppTest], api_url: str) -> None:
    lines = ["A;B;;B", "Mesa;1.500;moveis;a@fornecedor.example.com"]
    app = upload(visit(api_url), data(lines))
    assert app.button(key="import").disabled
    assert said(app.warning) == " Falta escolher a coluna de: Nome, Preço, Categoria, E-mail do fornecedor."
    assert list(app.dataframe[0].value.iloc[0]) == lines[1].split(";")
    assert select(app, "Nome").options == [
        "A · Mesa",
        "B · 1.500",
        "Coluna 3 · moveis",
        "B · a@fornecedor.example.com",
    ]
    for label, column in (("Nome", 0), ("Preço", 1), ("Categoria", 2), ("E-mail do fornecedor", 3)):
        select(app, label).set_value(column)
    app = run(app)
    assert said(app.warning) == f" {PORTUGUESE.decimal_style_missing}"
    select(app, "Escrita dos números").set_value(",")
    app = run(app)
    assert not app.warning
    assert app.dataframe[0].value["price"][0].endswith("1.500,00")
    select(app, "Escrita dos números").set_value(".")
    assert run(app).dataframe[0].value["price"][0].endswith("1,50")
    select(app, "Escrita dos números").set_value(",")
    finished(begin(run(app)))
    [table] = stored(api_url)
    assert (table.name, float(table.price), table.description) == ("Mesa", 1500, None)


def test_what_was_found_out_about_a_file_can_be_changed(visit: Callable[[str], AppTest], api_url: str) -> None:
    header = "name;price;category;e-mail"
    sofa = "Sofá;1.899,90;moveis;vendas@fornecedor.example.com"
    app = upload(visit(api_url), data([header, sofa]))
    select(app, "Codificação").set_value("cp1252")
    assert list(run(app).dataframe[0].value["name"]) == ["SofÃ¡"]
    select(app, "Separador").set_value(",")
    app = run(app)
    assert app.button(key="import").disabled
    assert select(app, "Nome").options == [f"{header} · SofÃ¡;1.899"]
    select(app, "Separador").set_value(";")
    select(app, "Codificação").set_value("utf-8-sig")
    assert list(run(app).dataframe[0].value["name"]) == ["Sofá"]
    latin = upload(app, data([header, sofa], "cp1252"))
    select(latin, "Codificação").set_value("utf-8-sig")
    assert "A linha 2 tem um caractere que não existe nesta codificação" in said(run(latin).error)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", PORTUGUESE.file_empty),
        (b"PK\x03\x04\x14\x00", PORTUGUESE.workbook_broken),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", PORTUGUESE.file_workbook),
        (b"\x89PNG\r\n\x1a\n\x00", PORTUGUESE.file_binary),
        (data([SOFA, SOFA]), PORTUGUESE.file_header.format(line=1)),
        (data([HEADER, SOFA, SOFA.replace("Sofá", '"Sofá')]), PORTUGUESE.file_quotes.format(line=3)),
        (data([HEADER, ";;;;;"]), PORTUGUESE.file_rows),
    ],
)
def test_what_cannot_be_imported_is_one_sentence_and_nothing_is_sent(
    visit: Callable[[str], AppTest], misbehaviour: Misbehaviour, content: bytes, sentence: str
) -> None:
    misbehaviour.answers = [(200, "application/json", "[]")]
    app = upload(visit(misbehaviour.url), content)
    assert said(app.error) == f"{PORTUGUESE.file_unreadable} {sentence}"
    assert not has(app, "import")
    assert "POST" not in misbehaviour.requests


def test_an_api_that_is_down_is_told_before_anybody_chooses_a_file(
    visit: Callable[[str], AppTest], api_url: str, nowhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = visit(nowhere)
    told = f"{PORTUGUESE.recent_imports_failed} {PORTUGUESE.unreachable.format(url=nowhere)}"
    assert said(app.error) == told
    monkeypatch.setenv("API_URL", api_url)
    assert not run(app).error


def test_an_api_that_is_down_is_told_and_the_file_stays(
    visit: Callable[[str], AppTest], api_url: str, nowhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = upload(visit(api_url), data([HEADER, SOFA]))
    monkeypatch.setenv("API_URL", nowhere)
    app = finished(begin(app))
    assert f"Nada foi importado {PORTUGUESE.unreachable.format(url=nowhere)}" in said(app.error)
    monkeypatch.setenv("API_URL", api_url)
    finished(begin(app))
    assert [product.name for product in stored(api_url)] == ["Sofá"]


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (None, "Não se sabe se isto foi feito A conexão com a API caiu antes da resposta."),
        ((502, "text/html", "Bad gateway"), "Não se sabe se isto foi feito A API respondeu com o erro 502."),
        ((401, "application/problem+json", '{"detail": "?"}'), "Nada foi importado A API não aceita esta interface."),
        ((413, "application/problem+json", '{"detail": "Too large."}'), "Nada foi importado Too large."),
    ],
)
def test_what_is_not_certain_is_not_said(
    visit: Callable[[str], AppTest], misbehaviour: Misbehaviour, answer: Any, sentence: str
) -> None:
    misbehaviour.answers = [(200, "application/json", "[]")]
    app = upload(visit(misbehaviour.url), data([HEADER, SOFA]))
    misbehaviour.answers = [answer]
    app = finished(begin(app))
    assert sentence in said(app.error)
    uncertain = sentence.startswith("Não se sabe")
    assert (PORTUGUESE.outcome_unknown in said(app.error)) == uncertain
    assert not app.button(key="import").disabled


def test_a_connection_that_breaks_before_the_last_row_is_certain_to_have_done_nothing(
    visit: Callable[[str], AppTest], api_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = upload(visit(api_url), data([HEADER, *[SOFA] * 50_000]))
    assert app.button(key="import").disabled
    app = click(app, "check")  # a large file is only looked through when that is wanted
    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setenv("API_URL", f"http://127.0.0.1:{listener.getsockname()[1]}")
        begin(app)
        connection, _ = listener.accept()
        connection.recv(65_536)
        connection.close()
        app = finished(app)
    assert f"Nada foi importado {PORTUGUESE.interrupted}" in said(app.error)


def test_while_an_import_runs_it_cannot_be_started_again(
    visit: Callable[[str], AppTest], misbehaviour: Misbehaviour
) -> None:
    misbehaviour.answers = [(200, "application/json", "[]")]
    app = upload(visit(misbehaviour.url), data([HEADER, SOFA]))
    misbehaviour.answers = [(200, "application/json", json.dumps({"created": 1, "refused": 0, "errors": []}))]
    misbehaviour.delay = 600  # until the test lets go
    begin(app)
    assert app.button(key="import").disabled
    assert app.file_uploader[0].disabled
    deadline = time.monotonic() + 30
    while app.progress[0].text != PORTUGUESE.import_writing and time.monotonic() < deadline:  # until all is sent
        app = run(app)
    assert app.progress[0].text == PORTUGUESE.import_writing
    elsewhere = run(app.switch_page("views/product.py"))
    assert elsewhere.progress[0].text == f"produtos\\.csv: {PORTUGUESE.import_writing}"
    back = run(elsewhere.switch_page(FILES_PAGE))
    assert back.progress[0].value == 100
    misbehaviour.released.set()
    assert said(finished(back).success) == " 1 produto importado."
    assert misbehaviour.requests.count("POST") == 2  # what it would do, and doing it


def test_the_second_click_of_a_double_click_imports_nothing(visit: Callable[[str], AppTest], api_url: str) -> None:
    app = finished(begin(upload(visit(api_url), data([HEADER, SOFA]))))
    imports: Imports = app.session_state["imports"]
    done = job(app)
    again = ImportJob(done.file_id, data([HEADER, SOFA]), done.table, done.options, done.skip_refused)
    imports.begin(imports.attempts - 1, again, ApiClient(api_url))
    assert imports.job is done
    assert len(stored(api_url)) == 1


def test_another_file_starts_afresh(visit: Callable[[str], AppTest], api_url: str) -> None:
    app = finished(begin(upload(visit(api_url), data(MIXED))))
    app.button(key="another").click()
    app = run(app)
    assert not app.success
    assert app.file_uploader[0].value is None
    assert has(upload(app, data([HEADER, SOFA])), "import")


@pytest.mark.parametrize(("language", "separator"), [("pt", ";"), ("en", ",")])
def test_the_template_can_be_imported_as_it_is(
    visit: Callable[[str], AppTest], api_url: str, language: str, separator: str
) -> None:
    texts: Texts = LANGUAGES[language]
    app = visit(api_url)
    app.selectbox(key="lang_pt").set_value(language)
    app = upload(run(app), import_form.template(texts))
    assert select(app, texts.separator).value == separator
    finished(begin(app))
    assert [(product.name, float(product.price)) for product in stored(api_url)] == [
        (texts.name_example, 2899.9),
        (texts.other_name_example, 1249.5),
    ]


def test_a_price_is_previewed_as_it_is_and_not_rounded(visit: Callable[[str], AppTest], api_url: str) -> None:
    header, row = "nome;preço;categoria;e-mail", "Mesa;{};Móveis;vendas@casa.example.com"
    prices = ["19,90", "10,505", "1e99999999", "NaN"]
    app = upload(visit(api_url), "\n".join([header, *map(row.format, prices)]).encode())
    shown = [price.replace("\N{NO-BREAK SPACE}", " ") for price in app.dataframe[0].value["price"]]
    assert shown == ["R$ 19,90", "R$ 10,505", "1e99999999", "NaN"]
    assert "1 novos, 0 alterados, 0 iguais, 3 recusados" in written(app)


def test_a_file_that_was_exported_comes_back(visit: Callable[[str], AppTest], api_url: str) -> None:
    app = finished(begin(upload(visit(api_url), data(MIXED))))
    before = stored(api_url)
    for file_format in ("csv", "excel"):
        exported = b"".join(ApiClient(api_url).export_products(EVERYTHING, sort="id", file_format=file_format))
        app = upload(app, exported)
        assert select(app, PORTUGUESE.match).value == "id"
        assert "0 novos, 0 alterados, 2 iguais, 0 recusados" in written(app)
        assert app.button(key="import").disabled  # there is nothing to do, and nothing twice
        changed = exported.replace(b"Sof\xc3\xa1", f"Sofá {file_format}".encode())
        app = upload(app, changed)
        [line, product_id, name, field, old, new] = app.dataframe[1].value.iloc[0]
        assert (line, product_id, name, field) == (4, before[1].id, stored(api_url)[1].name, "Nome")
        assert (old, new) == (stored(api_url)[1].name, f"Sofá {file_format}" + old.removeprefix("Sofá"))
        assert app.button(key="import").label == "Importar 1 produto"
        app = finished(begin(app))
        assert said(app.success) == " 1 produto alterado. 1 já estavam assim."
        assert [product.id for product in stored(api_url)] == [product.id for product in before]


def test_what_others_changed_since_the_export_is_refused_unless_it_is_wanted(
    visit: Callable[[str], AppTest], api_url: str
) -> None:
    finished(begin(upload(visit(api_url), data([HEADER, SOFA]))))
    client = ApiClient(api_url)
    exported = b"".join(client.export_products(EVERYTHING, sort="id", file_format="csv"))
    [sofa] = stored(api_url)
    client.update_product(sofa.id, {"name": "Poltrona"}, version=1)
    app = upload(visit(api_url), exported.replace(b"1899.90", b"1500.00"))
    told = app.dataframe[1].value
    assert list(told["reason"]) == [PORTUGUESE.wrong_stale_version.format(version=2, given=1)]
    assert app.button(key="import").disabled
    app.checkbox[0].set_value(True)
    app = finished(begin(run(app)))
    [now] = stored(api_url)
    assert (now.name, float(now.price), now.version) == ("Sofá", 1500, 3)


def test_somebody_who_changes_a_product_after_the_preview_keeps_the_import_back(
    visit: Callable[[str], AppTest], api_url: str
) -> None:
    finished(begin(upload(visit(api_url), data([HEADER, SOFA]))))
    client = ApiClient(api_url)
    exported = b"".join(client.export_products(EVERYTHING, sort="id", file_format="csv"))
    app = upload(visit(api_url), exported.replace(b"1899.90", b"1500.00"))
    [sofa] = stored(api_url)
    client.update_product(sofa.id, {"name": "Poltrona"}, version=1)
    app = finished(begin(app))
    assert f"{PORTUGUESE.import_nothing} {PORTUGUESE.import_changed}" in said(app.error)
    assert [(p.name, float(p.price)) for p in stored(api_url)] == [("Poltrona", 1899.9)]
    assert PORTUGUESE.wrong_stale_version.format(version=2, given=1) in list(app.dataframe[1].value["reason"])


def test_what_is_wanted_of_a_file_can_be_chosen(visit: Callable[[str], AppTest], api_url: str) -> None:
    finished(begin(upload(visit(api_url), data([HEADER, SOFA]))))
    app = upload(visit(api_url), data([HEADER, SOFA, SOFA, SOFA.replace("1.899,90", "5"), FRIDGE]))
    assert "Linhas que já estão no catálogo, valor por valor: 2." in said(app.warning)
    assert "Linhas que repetem outra, palavra por palavra: 1 (linha 3)." in said(app.info)
    select(app, PORTUGUESE.match).set_value("name")
    app = run(app)
    assert "1 novos, 0 alterados, 1 iguais, 1 recusados" in written(app)
    assert PORTUGUESE.wrong_contradicts.format(line=2) in list(app.dataframe[1].value["reason"])
    app = upload(app, data([HEADER, SOFA.replace("1.899,90", "5"), FRIDGE.replace("\r\n", " ")]))
    select(app, PORTUGUESE.match).set_value("name_and_supplier")
    app = run(app)
    assert app.button(key="import").label == "Importar 2 produtos"
    app.radio[0].set_value("update")
    app = finished(begin(run(app)))
    assert [(p.name, float(p.price)) for p in stored(api_url)] == [("Sofá", 5)]


def test_imports_are_listed_and_undone_from_any_page(visit: Callable[[str], AppTest], api_url: str) -> None:
    finished(begin(upload(visit(api_url), data([HEADER, SOFA]), "preços de novembro.csv")))
    other = visit(api_url)  # another device
    assert "preços de novembro.csv" in written(other)
    assert "1 criados, 0 alterados, 0 recusados" in written(other)
    undo, *_ = [button for button in other.button if (button.key or "").startswith("undo_confirm")]
    undo.click()
    other = run(other)
    assert stored(api_url) == ()
    assert "Desfeita: 1 excluídos de novo" in written(other)
    assert not has(other, str(undo.key))


def test_a_workbook_becomes_products(visit: Callable[[str], AppTest], api_url: str) -> None:
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    for row in (
        ["Lista de preços"],
        ["Nome", "Preço", "Categoria", "E-mail do fornecedor"],
        ["Mesa", 1234.5, "móveis", "a@b.com"],
    ):
        sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    app = upload(visit(api_url), file.getvalue(), "lista.xlsx")
    assert select(app, PORTUGUESE.header_line).value == 2
    assert list(app.dataframe[0].value["line"]) == [3]
    finished(begin(app))
    [table] = stored(api_url)
    assert (table.name, float(table.price), table.categoria) == ("Mesa", 1234.5, "Móveis")


def test_where_larger_files_go_is_told(visit: Callable[[str], AppTest], api_url: str) -> None:
    app = visit(api_url)
    assert f"{api_url}/products/import" in app.code[0].value
    assert "Authorization" not in app.code[0].value


@pytest.mark.parametrize(
    ("lines", "skip_refused", "says", "told"),
    [
        ([HEADER, FRIDGE], False, "imported_one", []),
        ([HEADER, FRIDGE, STOVE], False, "import_again", [4]),
        (["", HEADER, *MIXED[1:]], True, "imported_count", [5, 7]),
    ],
)
def test_the_result_of_an_import_is_there_after_a_reload(
    visit: Callable[[str], AppTest], api_url: str, lines: list[str], skip_refused: bool, says: str, told: list[int]
) -> None:
    app = upload(visit(api_url), data(lines))
    app.radio(key="skip_refused").set_value(skip_refused)
    first = finished(begin(run(app)))
    assert first.query_params["import"] == job(first).key
    again = visit(api_url)
    again.query_params["import"] = job(first).key
    run(again)
    shown = [element.value for element in (*again.success, *again.error)]
    sentences = [getattr(texts, says).format(count=2) for texts in (ENGLISH, PORTUGUESE)]
    assert any(sentence in one for one in shown for sentence in sentences)
    assert [line for table in again.dataframe for line in table.value["line"]] == told


def test_an_import_that_nobody_knows_is_told_and_taken_out_of_the_address(
    visit: Callable[[str], AppTest], api_url: str
) -> None:
    app = visit(api_url)
    app.query_params["import"] = "long-ago"
    run(app)
    assert PORTUGUESE.ignored.format(parts="import=long-ago") in said(app.warning)
    assert dict(app.query_params) == {}
