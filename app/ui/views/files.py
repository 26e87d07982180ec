"""Products as files: a spreadsheet becomes products, and the catalogue becomes a file."""

import streamlit as st

from app.ui import address, errors, session
from app.ui.client.api_models import EVERYTHING, ApiError
from app.ui.files import download, import_form, import_result, recent_imports, spreadsheet
from app.ui.files.import_job import ImportJob, Imports
from app.ui.products import state
from app.ui.settings import public_api_url, sign_in_required
from app.ui.sign_in import access

IMPORT = "import"  # in the address, the key of an import
OVER = "import_over"  # the key of one of which nothing more is to be expected

texts = session.texts()
imports: Imports = st.session_state.setdefault("imports", Imports())


def import_section() -> None:
    """Show the way from a file to products, as far as this visitor has come on it."""
    job = imports.job
    running = job is not None and not job.is_done
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"):
        with st.container(width=700, gap="xsmall"):
            st.header(texts.import_title, anchor=False)
            st.markdown(texts.import_intro)
        st.download_button(
            texts.import_template,
            import_form.template(texts),
            texts.import_template_file,
            "text/csv",
            key="template",
            icon=":material/description:",
            on_click="ignore",
        )
    upload = st.file_uploader(texts.import_file, key=f"file {imports.uploader}", disabled=running)
    large_files()
    if job is not None and not running and upload is not None and upload.file_id != job.file_id:
        job = None  # its file has given way to another
    if upload is not None and (job is None or not job.imported):
        import_form.show(imports, upload, disabled=running)
    if job is not None and running:
        progress(job)
    elif job is not None:
        state.keep_listed(None)  # the list has changed
        import_result.show(imports, job)
    if imports.job is not None:
        st.query_params[IMPORT] = imports.job.key  # a reload, or another device, finds what becomes of it
    elif imports.attempts:
        st.query_params.pop(IMPORT, None)
    elif key := st.query_params.get(IMPORT):
        earlier(key)


def earlier(key: str) -> None:
    """Show what became of an import that this page began before it was loaded again; until it is over, every 2 s."""
    st.fragment(show_earlier, run_every=None if st.session_state.get(OVER) == key else 2)(key)


def show_earlier(key: str) -> None:
    """Show how far an import is, or what became of it."""
    try:
        found = access.client().find_import(key)
    except ApiError as error:
        errors.show(error, texts.import_unfinished)
        return
    if (found is None or found.is_over) and st.session_state.get(OVER) != key:
        st.session_state[OVER] = key
        st.rerun()
    if found is not None:
        import_result.show_earlier(found)
    else:  # a day is over, or it never was
        address.drop({IMPORT: [key]})


def large_files() -> None:
    """Say how a file goes into the catalogue that is too large for this page."""
    with st.expander(texts.import_large.format(megabytes=st.get_option("server.maxUploadSize"))):
        st.markdown(texts.import_large_hint.format(columns=",".join(spreadsheet.FIELDS)))
        token = "-H 'Authorization: Bearer …' " if sign_in_required() else ""
        address = f"{public_api_url()}/products/import?on_error=skip"
        st.code(f"curl -X POST -T products.csv -H 'Content-Type: text/csv' {token}'{address}'", "sh", wrap_lines=True)


@st.fragment(run_every=0.5)
def progress(job: ImportJob) -> None:
    """Show how far an import is, until it is done."""
    if job.is_done:
        st.rerun()
    st.progress(job.percent, texts.import_writing if job.is_sent else texts.import_sending.format(percent=job.percent))


def export_section() -> None:
    """Show the ways from the catalogue to a file."""
    with st.container(gap="xsmall"):
        st.header(texts.export_title, anchor=False)
        st.markdown(texts.export_intro)
    with st.grid(3, min_column_width=280):
        with st.container(border=True):
            st.caption(texts.export_excel_hint)
            download.buttons(["excel"], EVERYTHING, "id")
        with st.container(border=True):
            st.caption(texts.export_csv_hint)
            download.buttons(["csv"], EVERYTHING, "id")
        with st.container(border=True):
            st.caption(texts.export_jsonl_hint)
            download.buttons(["jsonl"], EVERYTHING, "id")


address.tidy({IMPORT: st.query_params.get_all(IMPORT)[-1:]})
import_section()
recent_imports.show(lambda: state.keep_listed(None), is_busy=imports.job is not None and not imports.job.is_done)
st.divider()
export_section()
