"""Every word the UI says, in Portuguese and in English. What the API says is shown as the API says it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Texts:
    """The words of one language; `{…}` is filled in where the text is shown."""

    # Pages
    products: str
    products_help: str
    product: str
    product_help: str
    language: str  # its own name

    # Signing in and out
    sign_in: str
    sign_in_title: str
    sign_in_hint: str
    sign_in_failed: str
    sign_in_expired: str
    sign_out: str

    # Fields of a product
    id: str
    name: str
    description: str
    price: str
    price_in_reais: str
    categoria: str
    email_fornecedor: str
    created_at: str
    updated_at: str
    choose_category: str
    name_example: str
    email_example: str

    # The list
    add: str
    open: str
    edit: str
    delete: str
    reload: str
    select_a_row: str
    selected: str
    selected_many: str
    previous: str
    next: str
    total: str
    total_one: str
    total_estimated: str
    page_size: str
    per_page: str
    q: str
    q_example: str
    sort: str
    newest_first: str
    oldest_first: str
    ascending: str
    descending: str
    all_categories: str
    further_filters: str
    further_chosen: str
    clear_filters: str
    price_min: str
    price_max: str
    created_from: str
    created_to: str
    table: str
    no_products: str
    no_products_hint: str
    load_examples: str
    loading_examples: str
    examples_loaded: str
    could_not_load_examples: str
    export: str
    no_matches: str
    no_matches_hint: str
    edit_in_place: str
    edit_hint: str
    review: str
    review_one: str
    review_none: str
    discard: str
    review_title: str
    before: str
    after: str
    go_on_editing: str
    save_one: str
    save_many: str
    saved_one: str
    saved_many: str

    # Looking up one product
    product_id: str
    look_up: str
    look_up_hint: str
    no_description: str

    # Overview
    overview: str
    overview_help: str
    figures_of: str
    read_figures_again: str
    could_not_sum_up: str
    no_figures: str
    to_products: str
    number_of_products: str
    total_value: str
    total_value_in_reais: str
    median_price: str
    label: str
    median: str
    median_help: str
    dearest: str
    cheapest: str
    categories_in_use: str
    out_of: str
    by_category: str
    value_by_category: str
    by_price: str
    price_range: str
    spread_by_category: str
    spread_hint: str
    price_on_log_scale: str
    first_quartile: str
    third_quartile: str
    added_by_day: str
    added_by_week: str
    added_by_month: str
    added_by_year: str
    day: str
    week: str
    month: str
    year: str
    newest_only: str
    the_most: str
    the_medians: str
    dearest_products: str
    cheapest_products: str

    # Dialogs
    add_title: str
    edit_title: str
    delete_title: str
    save_new: str
    save_changes: str
    saving: str
    delete_question: str
    delete_warning: str
    delete_confirm: str
    deleting: str
    cancel: str
    created: str
    updated: str
    deleted: str
    delete_many_title: str
    delete_many_question: str
    and_more: str
    delete_many_warning: str
    delete_many_confirm: str
    deleted_many: str
    some_gone: str
    conflict: str
    mine: str
    unchanged: str
    field: str
    theirs: str
    whose: str
    save_mine: str
    keep_theirs: str
    kept_theirs: str
    changed_before_delete: str

    # Import and export
    files: str
    files_help: str
    import_title: str
    import_intro: str
    import_template: str
    import_template_file: str
    description_example: str
    other_name_example: str
    import_file: str
    import_large: str
    import_large_hint: str
    file_unreadable: str
    file_empty: str
    file_workbook: str
    file_binary: str
    file_encoding: str
    file_header: str
    file_quotes: str
    file_rows: str
    encoding: str
    separator: str
    separator_comma: str
    separator_semicolon: str
    separator_tab: str
    decimal_style: str
    decimal_comma: str
    decimal_point: str
    columns: str
    choose_column: str
    no_column: str
    unnamed_column: str
    columns_missing: str
    preview: str
    preview_of_file: str
    line: str
    on_wrong_rows: str
    skip_wrong_rows: str
    all_or_nothing: str
    start_import: str
    start_import_one: str
    import_sending: str
    import_writing: str
    imported_count: str
    imported_one: str
    import_nothing: str
    import_unfinished: str
    import_another: str
    refused_count: str
    refused_one: str
    refused_hint: str
    refused_hint_nothing: str
    refused_more: str
    refused_rows: str
    refused_download: str
    refused_file: str
    reason: str
    whole_row: str
    wrong_width: str
    export_title: str
    export_intro: str
    export_csv: str
    export_jsonl: str
    export_csv_hint: str
    export_jsonl_hint: str
    export_failed: str
    export_refused: str
    export_back: str

    # What can go wrong
    retry: str
    retrying: str
    could_not_list: str
    could_not_read: str
    could_not_save: str
    could_not_delete: str
    see_fields: str
    unreachable: str
    timeout: str
    interrupted: str
    server_error: str
    not_the_api: str
    unauthorized: str
    no_permission: str
    not_found: str
    not_ready: str
    outcome_unknown: str
    invalid_api_url_title: str
    invalid_api_url: str
    unexpected_title: str
    unexpected: str

    # What can be wrong with a value; the blanks are the API's
    wrong_missing: str
    wrong_blank: str
    wrong_too_long: str
    wrong_text: str
    wrong_not_above: str
    wrong_decimal_places: str
    wrong_whole_digits: str
    wrong_digits: str
    wrong_number: str
    wrong_categoria: str
    wrong_email: str
    wrong_character: str
    wrong_q: str
    wrong_price_range: str
    wrong_day_range: str
    created_before: str
    created_after: str

    # How numbers and dates are written
    decimal_mark: str
    thousands_mark: str
    date_format: str  # as strftime takes it
    day_format: str
    date_input_format: str
    short_day_format: str
    month_format: str
    million: str
    billion: str
    trillion: str


PORTUGUESE = Texts(
    products="Produtos",
    products_help="Todos os produtos do catálogo: cadastre, altere e exclua.",
    product="Consultar",
    product_help="Um produto pelo seu código, com um endereço que pode ser compartilhado.",
    language="Português",
    sign_in="Entrar",
    sign_in_title="Catálogo de produtos",
    sign_in_hint="Entre com a sua conta para ver e alterar os produtos.",
    sign_in_failed="A entrada não foi concluída. Tente novamente; se continuar, avise quem cuida do catálogo.",
    sign_in_expired="A sua sessão terminou. Entre novamente para continuar.",
    sign_out="Sair",
    id="Código",
    name="Nome",
    description="Descrição",
    price="Preço",
    price_in_reais="Preço (R$)",
    categoria="Categoria",
    email_fornecedor="E-mail do fornecedor",
    created_at="Cadastrado em",
    updated_at="Atualizado em",
    choose_category="Escolha uma categoria",
    name_example="Geladeira Frost Free 375 L",
    email_example="vendas@fornecedor.com.br",
    add="Novo produto",
    open="Abrir",
    edit="Editar",
    delete="Excluir",
    reload="Atualizar",
    select_a_row="Selecione uma linha para abrir, editar ou excluir o produto.",
    selected="Selecionado: **{name}**",
    selected_many="{count} produtos selecionados",
    previous="Anterior",
    next="Próxima",
    total="{count} produtos",
    total_one="1 produto",
    total_estimated="cerca de {count} produtos",
    page_size="Produtos por página",
    per_page="{size} por página",
    q="Buscar",
    q_example="Palavras do nome ou da descrição",
    sort="Ordem",
    newest_first="Mais novos primeiro",
    oldest_first="Mais antigos primeiro",
    ascending="{column}, crescente",
    descending="{column}, decrescente",
    all_categories="Todas",
    further_filters="Filtros",
    further_chosen="Filtros: {filters}",
    clear_filters="Limpar filtros",
    price_min="Preço a partir de",
    price_max="Preço até",
    created_from="Cadastrados desde",
    created_to="Cadastrados até",
    table="Produtos do catálogo",
    no_products="Ainda não há produtos",
    no_products_hint="Cadastre o primeiro, importe uma planilha ou carregue exemplos para conhecer o catálogo.",
    load_examples="Carregar {count} exemplos",
    loading_examples="Carregando os exemplos …",
    examples_loaded="{count} produtos de exemplo cadastrados.",
    could_not_load_examples="Os exemplos não foram carregados",
    export="Exportar",
    no_matches="Nenhum produto com estes filtros",
    no_matches_hint="Mude a busca ou limpe os filtros.",
    edit_in_place="Editar na tabela",
    edit_hint="Altere quantas células quiser; nada é salvo antes da revisão.",
    review="Revisar {count} alterações",
    review_one="Revisar 1 alteração",
    review_none="Revisar alterações",
    discard="Descartar",
    review_title="Revisar as alterações",
    before="Antes",
    after="Depois",
    go_on_editing="Continuar editando",
    save_one="Salvar 1 produto",
    save_many="Salvar {count} produtos",
    saved_one="1 produto salvo.",
    saved_many="{count} produtos salvos.",
    product_id="Código do produto",
    look_up="Consultar",
    look_up_hint="Digite o código de um produto. O endereço desta página passa a levar direto a ele.",
    no_description="Sem descrição",
    overview="Visão geral",
    overview_help="O catálogo em números: quantos produtos há, quanto custam e quando foram cadastrados.",
    figures_of="Números de {when}",
    read_figures_again="Atualizar os números",
    could_not_sum_up="Não foi possível carregar os números",
    no_figures="Com o primeiro produto, os números do catálogo aparecem aqui.",
    to_products="Ir para os produtos",
    number_of_products="Quantidade de produtos",
    total_value="Valor total",
    total_value_in_reais="Valor total (R$)",
    median_price="Preço mediano",
    label="Rótulo",
    median="Mediana",
    median_help="Metade dos produtos custa até este preço.",
    dearest="Mais caro",
    cheapest="Mais barato",
    categories_in_use="Categorias com produtos",
    out_of="{part} de {whole}",
    by_category="Produtos por categoria",
    value_by_category="Valor total por categoria",
    by_price="Produtos por faixa de preço",
    price_range="Faixa de preço",
    spread_by_category="Preços por categoria",
    spread_hint="A linha vai do produto mais barato ao mais caro. A caixa guarda a metade do meio dos produtos: "
    "um quarto custa menos, um quarto custa mais. O traço dentro dela é a mediana.",
    price_on_log_scale="Preço (R$, escala logarítmica)",
    first_quartile="1º quartil",
    third_quartile="3º quartil",
    added_by_day="Produtos cadastrados por dia",
    added_by_week="Produtos cadastrados por semana",
    added_by_month="Produtos cadastrados por mês",
    added_by_year="Produtos cadastrados por ano",
    day="Dia (UTC)",
    week="Semana que começa em (UTC)",
    month="Mês (UTC)",
    year="Ano (UTC)",
    newest_only="Somente os {part} cadastrados por último, de {whole}.",
    the_most="{title}; o maior valor: {label}, {value}",
    the_medians="{title}; as medianas: {list}",
    dearest_products="Produtos mais caros",
    cheapest_products="Produtos mais baratos",
    add_title="Novo produto",
    edit_title="Editar produto {id}",
    delete_title="Excluir produto {id}",
    save_new="Cadastrar",
    save_changes="Salvar alterações",
    saving="Salvando …",
    delete_question="Excluir **{name}**, {categoria}, {price}?",
    delete_warning="O produto {id} deixa de existir para todos. Não há como desfazer.",
    delete_confirm="Sim, excluir",
    deleting="Excluindo …",
    cancel="Cancelar",
    created="**{name}** cadastrado com o código {id}.",
    updated="**{name}** atualizado.",
    deleted="**{name}** excluído.",
    delete_many_title="Excluir {count} produtos",
    delete_many_question="Excluir estes **{count} produtos**?",
    and_more="e mais {count}",
    delete_many_warning="Eles deixam de existir para todos. Não há como desfazer.",
    delete_many_confirm="Sim, excluir {count}",
    deleted_many="{count} produtos excluídos.",
    some_gone="Alguns destes produtos já não existem, e nenhum foi excluído. Feche e selecione outra vez.",
    conflict="Outra pessoa salvou este produto enquanto você o alterava. O que vale?",
    mine="A sua alteração",
    unchanged="(não alterado)",
    field="Campo",
    theirs="O que foi salvo",
    whose="Qual vale",
    save_mine="Salvar a minha",
    keep_theirs="Manter o que foi salvo",
    kept_theirs="**{name}** ficou como foi salvo.",
    changed_before_delete="Outra pessoa alterou este produto há pouco. Veja como ele está agora antes de excluir.",
    # Import and export
    files="Importar e exportar",
    files_help="O catálogo como arquivo: importe uma planilha, exporte todos os produtos.",
    import_title="Importar",
    import_intro="Uma planilha salva como CSV vira produtos. A primeira linha traz os nomes das colunas, em qualquer "
    "ordem; colunas a mais são ignoradas.",
    import_template="Baixar um modelo",
    import_template_file="modelo-de-produtos.csv",
    description_example="Branca, 110 V",
    other_name_example="Sofá retrátil 3 lugares",
    import_file="Arquivo CSV",
    import_large="Arquivos maiores que {megabytes} MB",
    import_large_hint="A própria API os recebe, em UTF-8 e com os nomes de coluna `{columns}`. Sem `on_error=skip` "
    "ela importa tudo ou nada.",
    file_unreadable="Este arquivo não pode ser importado",
    file_empty="O arquivo está vazio.",
    file_workbook="É uma pasta de trabalho do Excel. Abra-a, use “Salvar como”, escolha “CSV UTF-8” e envie o arquivo "
    "salvo.",
    file_binary="Não é um arquivo de texto. Envie uma planilha salva como CSV.",
    file_encoding="A linha {line} tem um caractere que não existe nesta codificação. Escolha a outra, ou salve o "
    "arquivo em UTF-8.",
    file_header="A linha {line} já traz valores. Acrescente acima dela uma linha com os nomes das colunas, como no "
    "modelo.",
    file_quotes="Um valor que começa na linha {line} abre ou fecha aspas no lugar errado. Corrija as aspas e envie o "
    "arquivo de novo.",
    file_rows="O arquivo só tem os nomes das colunas, e nenhum produto.",
    encoding="Codificação",
    separator="Separador",
    separator_comma="Vírgula  ( , )",
    separator_semicolon="Ponto e vírgula  ( ; )",
    separator_tab="Tabulação",
    decimal_style="Escrita dos números",
    decimal_comma="2.899,90",
    decimal_point="2,899.90",
    columns="De que coluna vem cada campo",
    choose_column="Escolha a coluna",
    no_column="Nenhuma",
    unnamed_column="Coluna {number}",
    columns_missing="Falta escolher a coluna de: {fields}.",
    preview="Os primeiros produtos, como serão importados",
    preview_of_file="As primeiras linhas do arquivo",
    line="Linha",
    on_wrong_rows="Se alguma linha não puder ser importada",
    skip_wrong_rows="Importar as outras",
    all_or_nothing="Não importar nada",
    start_import="Importar {count} produtos",
    start_import_one="Importar 1 produto",
    import_sending="Enviando os produtos: {percent} %",
    import_writing="Gravando no catálogo …",
    imported_count="{count} produtos importados.",
    imported_one="1 produto importado.",
    import_nothing="Nada foi importado",
    import_unfinished="A importação não chegou ao fim",
    import_another="Importar outro arquivo",
    refused_count="{count} linhas não puderam ser importadas.",
    refused_one="1 linha não pôde ser importada.",
    refused_hint="Baixe o arquivo abaixo, corrija-o e importe-o. A última coluna traz o motivo; a importação a ignora.",
    refused_hint_nothing="Corrija o seu arquivo e envie-o de novo, ou escolha importar as outras linhas.",
    refused_more="Esta lista vai até a linha {line} do arquivo. Depois dela há mais {count} linhas recusadas, que não "
    "estão na lista nem no arquivo para baixar.",
    refused_rows="Linhas que não puderam ser importadas",
    refused_download="Baixar as linhas recusadas",
    refused_file="linhas-recusadas.csv",
    reason="Motivo",
    whole_row="Linha inteira",
    wrong_width="Tem mais valores que os nomes de coluna: ponha entre aspas o valor que contém o separador.",
    export_title="Exportar",
    export_intro="Todos os produtos em um arquivo, que a importação lê de volta. Para exportar só uma parte, filtre a "
    "lista de produtos.",
    export_csv="Baixar CSV",
    export_jsonl="Baixar JSON Lines",
    export_csv_hint="Para planilhas, em UTF-8 e com vírgulas. No Excel, abra por Dados › De Texto/CSV.",
    export_jsonl_hint="Para programas: um objeto JSON por linha.",
    export_failed="O arquivo não foi exportado",
    export_refused="Este endereço expirou ou não está completo. Volte ao catálogo e exporte outra vez.",
    export_back="Voltar ao catálogo",
    retry="Tentar novamente",
    retrying="Nova tentativa automática a cada {seconds} segundos; nada do que você digitou se perde.",
    could_not_list="Não foi possível carregar os produtos",
    could_not_read="Não foi possível abrir o produto {id}",
    could_not_save="O produto não foi salvo",
    could_not_delete="O produto não foi excluído",
    see_fields="Corrija os campos indicados e salve outra vez.",
    unreachable="A API não responde em {url}. Verifique se ela está no ar e tente novamente.",
    timeout="A API demorou demais para responder. Tente novamente em alguns segundos.",
    interrupted="A conexão com a API caiu antes da resposta. Tente novamente.",
    server_error="A API respondeu com o erro {status}. Tente novamente em alguns segundos.",
    not_the_api="O que respondeu em {url} não é a API do catálogo. Verifique a variável API_URL.",
    unauthorized="A API não aceita esta interface. Avise quem cuida do catálogo: "
    "a variável SERVICE_TOKEN precisa ser a mesma na API e na interface.",
    no_permission="Você não tem permissão para isto. Peça acesso a quem cuida do catálogo.",
    not_found="Este produto não existe, ou já foi excluído.",
    not_ready="O banco de dados não responde no momento. Tente novamente em alguns segundos.",
    outcome_unknown="A operação pode ter sido feita mesmo assim: confira na lista antes de repetir.",
    invalid_api_url_title="A interface não sabe onde está a API",
    invalid_api_url="A variável de ambiente API_URL contém {value}, que não é um endereço. "
    "Escreva algo como {example} e inicie a interface outra vez.",
    unexpected_title="Algo deu errado na interface",
    unexpected="O erro foi registrado. Recarregue a página; se continuar, avise quem cuida do catálogo.",
    wrong_missing="Preencha este campo.",
    wrong_blank="Não pode ficar em branco.",
    wrong_too_long="Use no máximo {max_length} caracteres.",
    wrong_text="Precisa ser um texto.",
    wrong_not_above="Precisa ser maior que {gt:g}.",
    wrong_decimal_places="Use no máximo {decimal_places} casas decimais.",
    wrong_whole_digits="Use no máximo {whole_digits} dígitos antes da vírgula.",
    wrong_digits="Use no máximo {max_digits} dígitos.",
    wrong_number="Precisa ser um número, como 19,90.",
    wrong_categoria="Escolha uma das categorias: Eletrônico, Eletrodoméstico, Móveis, Roupas ou Calçados.",
    wrong_email="Não é um endereço de e-mail válido, como vendas@fornecedor.com.br.",
    wrong_character="Tem um caractere que não pode ser guardado (U+0000).",
    wrong_q="Escreva ao menos uma letra ou um número.",
    wrong_price_range="Não pode ser menor que o preço inicial.",
    wrong_day_range="Precisa vir depois do primeiro dia.",
    created_before="Cadastrados até",
    created_after="Cadastrados desde",
    decimal_mark=",",
    thousands_mark=".",
    date_format="%d/%m/%Y %H:%M",
    day_format="%d/%m/%Y",
    date_input_format="DD/MM/YYYY",
    short_day_format="%d/%m",
    month_format="%m/%Y",
    million="{number} mi",
    billion="{number} bi",
    trillion="{number} tri",
)

ENGLISH = Texts(
    products="Products",
    products_help="Every product of the catalogue: add, change and delete.",
    product="Look up",
    product_help="One product by its id, with an address that can be shared.",
    language="English",
    sign_in="Sign in",
    sign_in_title="Product catalogue",
    sign_in_hint="Sign in with your account to see and change the products.",
    sign_in_failed="You were not signed in. Try again; if it goes on, tell whoever looks after the catalogue.",
    sign_in_expired="Your session has ended. Sign in again to go on.",
    sign_out="Sign out",
    id="Id",
    name="Name",
    description="Description",
    price="Price",
    price_in_reais="Price (R$)",
    categoria="Category",
    email_fornecedor="Supplier's e-mail",
    created_at="Created",
    updated_at="Updated",
    choose_category="Choose a category",
    name_example="Frost-free refrigerator 375 L",
    email_example="sales@supplier.com",
    add="New product",
    open="Open",
    edit="Edit",
    delete="Delete",
    reload="Reload",
    select_a_row="Select a row to open, edit or delete the product.",
    selected="Selected: **{name}**",
    selected_many="{count} products selected",
    previous="Previous",
    next="Next",
    total="{count} products",
    total_one="1 product",
    total_estimated="about {count} products",
    page_size="Products per page",
    per_page="{size} per page",
    q="Search",
    q_example="Words of name or description",
    sort="Order",
    newest_first="Newest first",
    oldest_first="Oldest first",
    ascending="{column}, ascending",
    descending="{column}, descending",
    all_categories="All",
    further_filters="Filters",
    further_chosen="Filters: {filters}",
    clear_filters="Clear filters",
    price_min="Price from",
    price_max="Price up to",
    created_from="Added since",
    created_to="Added up to",
    table="Products of the catalogue",
    no_products="There are no products yet",
    no_products_hint="Add the first one, import a spreadsheet, or load examples to look around.",
    load_examples="Load {count} examples",
    loading_examples="Loading the examples …",
    examples_loaded="{count} example products added.",
    could_not_load_examples="The examples were not loaded",
    export="Export",
    no_matches="No products with these filters",
    no_matches_hint="Change the search or clear the filters.",
    edit_in_place="Edit in the table",
    edit_hint="Change as many cells as you like; nothing is saved before the review.",
    review="Review {count} changes",
    review_one="Review 1 change",
    review_none="Review changes",
    discard="Discard",
    review_title="Review the changes",
    before="Before",
    after="After",
    go_on_editing="Go on editing",
    save_one="Save 1 product",
    save_many="Save {count} products",
    saved_one="1 product saved.",
    saved_many="{count} products saved.",
    product_id="Product id",
    look_up="Look up",
    look_up_hint="Type a product's id. The address of this page will then lead straight to it.",
    no_description="No description",
    overview="Overview",
    overview_help="The catalogue in figures: how many products there are, what they cost and when they were added.",
    figures_of="Figures of {when}",
    read_figures_again="Update the figures",
    could_not_sum_up="The figures could not be loaded",
    no_figures="With the first product, the figures of the catalogue appear here.",
    to_products="Go to the products",
    number_of_products="Number of products",
    total_value="Total value",
    total_value_in_reais="Total value (R$)",
    median_price="Median price",
    label="Label",
    median="Median",
    median_help="Half of the products cost no more than this.",
    dearest="Dearest",
    cheapest="Cheapest",
    categories_in_use="Categories with products",
    out_of="{part} of {whole}",
    by_category="Products by category",
    value_by_category="Total value by category",
    by_price="Products by price range",
    price_range="Price range",
    spread_by_category="Prices by category",
    spread_hint="The line runs from the cheapest product to the dearest. The box holds the middle half of the "
    "products: a quarter costs less, a quarter costs more. The stroke inside it is the median.",
    price_on_log_scale="Price (R$, logarithmic scale)",
    first_quartile="First quartile",
    third_quartile="Third quartile",
    added_by_day="Products added by day",
    added_by_week="Products added by week",
    added_by_month="Products added by month",
    added_by_year="Products added by year",
    day="Day (UTC)",
    week="Week that begins on (UTC)",
    month="Month (UTC)",
    year="Year (UTC)",
    newest_only="Only the {part} that were added last, of {whole}.",
    the_most="{title}; the most: {label}, {value}",
    the_medians="{title}; the medians: {list}",
    dearest_products="Dearest products",
    cheapest_products="Cheapest products",
    add_title="New product",
    edit_title="Edit product {id}",
    delete_title="Delete product {id}",
    save_new="Add",
    save_changes="Save changes",
    saving="Saving …",
    delete_question="Delete **{name}**, {categoria}, {price}?",
    delete_warning="Product {id} will be gone for everybody. This cannot be undone.",
    delete_confirm="Yes, delete",
    deleting="Deleting …",
    cancel="Cancel",
    created="**{name}** added with id {id}.",
    updated="**{name}** updated.",
    deleted="**{name}** deleted.",
    delete_many_title="Delete {count} products",
    delete_many_question="Delete these **{count} products**?",
    and_more="and {count} more",
    delete_many_warning="They will be gone for everybody. This cannot be undone.",
    delete_many_confirm="Yes, delete {count}",
    deleted_many="{count} products deleted.",
    some_gone="Some of these products no longer exist, and none was deleted. Close this and select again.",
    conflict="Somebody else saved this product while you were changing it. Which one counts?",
    mine="Your change",
    unchanged="(not changed)",
    field="Field",
    theirs="What was saved",
    whose="Which one counts",
    save_mine="Save mine",
    keep_theirs="Keep what was saved",
    kept_theirs="**{name}** stays as it was saved.",
    changed_before_delete="Somebody else has just changed this product. Look at it as it is now before you delete it.",
    # Import and export
    files="Import and export",
    files_help="The catalogue as a file: import a spreadsheet, export all products.",
    import_title="Import",
    import_intro="A spreadsheet saved as CSV becomes products. Its first line has the names of the columns, in any "
    "order; other columns are ignored.",
    import_template="Download a template",
    import_template_file="product-template.csv",
    description_example="White, 110 V",
    other_name_example="Three-seat reclining sofa",
    import_file="CSV file",
    import_large="Files larger than {megabytes} MB",
    import_large_hint="The API itself takes them, in UTF-8 and with the column names `{columns}`. Without "
    "`on_error=skip` it imports all or nothing.",
    file_unreadable="This file cannot be imported",
    file_empty="The file is empty.",
    file_workbook="This is an Excel workbook. Open it, choose “Save as”, “CSV UTF-8”, and upload the file saved.",
    file_binary="This is not a text file. Upload a spreadsheet saved as CSV.",
    file_encoding="Line {line} has a character that this encoding does not have. Choose the other one, or save the "
    "file as UTF-8.",
    file_header="Line {line} already has values. Add a line with the names of the columns above it, as in the "
    "template.",
    file_quotes="A value that starts on line {line} opens or closes quotes in the wrong place. Correct the quotes and "
    "upload the file again.",
    file_rows="The file only has the names of the columns, and no product.",
    encoding="Encoding",
    separator="Separator",
    separator_comma="Comma  ( , )",
    separator_semicolon="Semicolon  ( ; )",
    separator_tab="Tab",
    decimal_style="Style of numbers",
    decimal_comma="2.899,90",
    decimal_point="2,899.90",
    columns="Which column each field comes from",
    choose_column="Choose the column",
    no_column="None",
    unnamed_column="Column {number}",
    columns_missing="Still to choose, the column of: {fields}.",
    preview="The first products, as they will be imported",
    preview_of_file="The first lines of the file",
    line="Line",
    on_wrong_rows="If a row cannot be imported",
    skip_wrong_rows="Import the others",
    all_or_nothing="Import nothing",
    start_import="Import {count} products",
    start_import_one="Import 1 product",
    import_sending="Sending the products: {percent}%",
    import_writing="Writing to the catalogue …",
    imported_count="{count} products imported.",
    imported_one="1 product imported.",
    import_nothing="Nothing was imported",
    import_unfinished="The import did not come to its end",
    import_another="Import another file",
    refused_count="{count} rows could not be imported.",
    refused_one="1 row could not be imported.",
    refused_hint="Download the file below, correct it and import it. The import ignores its last column, the reason.",
    refused_hint_nothing="Correct your file and upload it again, or choose to import the other rows.",
    refused_more="This list goes up to line {line} of the file. After it there are {count} more refused rows, which "
    "are neither in the list nor in the file to download.",
    refused_rows="Rows that could not be imported",
    refused_download="Download the refused rows",
    refused_file="refused-rows.csv",
    reason="Reason",
    whole_row="Whole row",
    wrong_width="Has more values than there are column names: put quotes around the value that has the separator in "
    "it.",
    export_title="Export",
    export_intro="All products in one file, which the import reads back. To export only some of them, filter the list "
    "of products.",
    export_csv="Download CSV",
    export_jsonl="Download JSON Lines",
    export_csv_hint="For spreadsheets, in UTF-8 and with commas. In Excel, open it by Data › From Text/CSV.",
    export_jsonl_hint="For programs: one JSON object a line.",
    export_failed="The file was not exported",
    export_refused="This address has expired or is not complete. Go back to the catalogue and export again.",
    export_back="Back to the catalogue",
    retry="Try again",
    retrying="Trying again by itself every {seconds} seconds; nothing that you typed is lost.",
    could_not_list="The products could not be loaded",
    could_not_read="Product {id} could not be opened",
    could_not_save="The product was not saved",
    could_not_delete="The product was not deleted",
    see_fields="Correct the marked fields and save again.",
    unreachable="The API does not answer at {url}. Check that it is running and try again.",
    timeout="The API took too long to answer. Try again in a few seconds.",
    interrupted="The connection to the API broke before the answer. Try again.",
    server_error="The API answered with error {status}. Try again in a few seconds.",
    not_the_api="What answered at {url} is not the catalogue API. Check the variable API_URL.",
    unauthorized="The API does not accept this UI. Tell whoever looks after the catalogue: "
    "the variable SERVICE_TOKEN has to be the same for the API and the UI.",
    no_permission="You are not allowed to do this. Ask whoever looks after the catalogue for access.",
    not_found="There is no such product, or it has been deleted.",
    not_ready="The database does not answer at the moment. Try again in a few seconds.",
    outcome_unknown="It may have been done all the same: check the list before you repeat it.",
    invalid_api_url_title="The UI does not know where the API is",
    invalid_api_url="The environment variable API_URL is {value}, which is not an address. "
    "Write something like {example} and start the UI again.",
    unexpected_title="Something went wrong in the UI",
    unexpected="The error has been logged. Reload the page; if it stays, tell whoever runs the catalogue.",
    wrong_missing="Fill in this field.",
    wrong_blank="This must not be blank.",
    wrong_too_long="Use at most {max_length} characters.",
    wrong_text="This has to be text.",
    wrong_not_above="This has to be more than {gt:g}.",
    wrong_decimal_places="Use at most {decimal_places} decimal places.",
    wrong_whole_digits="Use at most {whole_digits} digits before the decimal point.",
    wrong_digits="Use at most {max_digits} digits.",
    wrong_number="This has to be a number, such as 19.90.",
    wrong_categoria="Choose one of the categories: Eletrônico, Eletrodoméstico, Móveis, Roupas or Calçados.",
    wrong_email="This is not a valid e-mail address, such as sales@supplier.com.",
    wrong_character="This has a character that cannot be stored (U+0000).",
    wrong_q="Write at least one letter or digit.",
    wrong_price_range="This must not be less than the price it starts from.",
    wrong_day_range="This has to come after the first day.",
    created_before="Added up to",
    created_after="Added since",
    decimal_mark=".",
    thousands_mark=",",
    date_format="%Y-%m-%d %H:%M",
    day_format="%Y-%m-%d",
    date_input_format="YYYY-MM-DD",
    short_day_format="%m-%d",
    month_format="%Y-%m",
    million="{number} M",
    billion="{number} B",
    trillion="{number} T",
)

LANGUAGES = {"pt": PORTUGUESE, "en": ENGLISH}  # the first one is the default
