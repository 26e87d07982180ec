"""The visitor's import that is under way, as every page but its own shows it."""

from collections.abc import Callable

import streamlit as st

from app.ui import session
from app.ui.files.import_job import ImportJob
from app.ui.files.recent_imports import counted
from app.ui.formats import plain


def show(on_change: Callable[[], object]) -> None:
    """Show how far it is, and say what became of it when it is done, after `on_change` was called."""
    imports = st.session_state.get("imports")
    if imports is not None and imports.job is not None and not imports.job.is_done:
        _progress(imports.job, on_change)


@st.fragment(run_every=1)
def _progress(job: ImportJob, on_change: Callable[[], object]) -> None:
    texts = session.texts()
    if job.is_done:
        on_change()
        done = job.imported
        said = texts.import_unfinished if done is None else counted(done.created, done.updated, done.refused, texts)
        session.announce(f"**{plain(job.file_name or texts.import_unnamed)}**: {said}")
        st.rerun()
    text = texts.import_writing if job.is_sent else texts.import_sending.format(percent=job.percent)
    st.progress(job.percent, f"{plain(job.file_name or texts.import_unnamed)}: {text}")
