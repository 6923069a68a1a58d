"""The frame of every page: look, header, the gate, and what is shown when something fails."""

import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from core import storage
from core.access import Actor
from core.ground import (
    AppError,
    NotPermitted,
    NotSignedIn,
    OutsideFailed,
    finishing_action,
    get_settings,
    with_request_id,
)
from pages.shell.sign_in import show_account, show_sign_in, signed_in_actor
from pages.web import local_actor

logger = logging.getLogger(__name__)

STYLE = (Path(__file__).parent / "frame.css").read_text()
RETRY_SECONDS = 2


def draw_frame() -> None:
    """Set title, logo and style: the same on every page, and for whoever is not let in."""
    settings = get_settings()
    st.set_page_config(page_title=settings.app_name, page_icon=str(settings.logo), layout="wide")
    # The name stands beside the logo; JSON's escapes of quotes are those of a CSS string.
    name = json.dumps(settings.app_name, ensure_ascii=False).replace("<", "\\3c ")
    light, dark = map(st.get_option, ("theme.light.linkColor", "theme.dark.linkColor"))
    own = f":root {{ --order-desk-name: {name}; --desk-link: light-dark({light}, {dark}); }}"
    st.html(f"<style>{STYLE}\n{own}</style>")
    st.logo(str(settings.logo), size="large")


def draw_header(actor: Actor, pages: Sequence[StreamlitPage]) -> None:
    """Draw the navigation to the pages that the actor may open, and say who is here."""
    with st.container(horizontal=True, key="navigation", gap="small"):
        for page in pages:
            st.page_link(page)
    with st.container(key="who"):
        if get_settings().has_sign_in:
            show_account(actor, plain(actor.email))
        else:
            st.caption(f"Local mode · {plain(actor.email)}")


def current_actor() -> Actor:
    """Return who is asking: the gate. main.py runs no page without, and each page asks anew.

    Whoever has signed in; in local mode everyone at the machine is the one local user, as long as
    that user is active. Raises NotSignedIn where nobody is.
    """
    return signed_in_actor() if get_settings().has_sign_in else local_actor()


@contextmanager
def failures_shown() -> Iterator[None]:
    """Turn a failure into words on the page: ours as they are, others logged whole."""
    with with_request_id() as reference, _failures_shown(reference):
        yield


@contextmanager
def _failures_shown(reference: str) -> Iterator[None]:
    try:
        yield
    except OutsideFailed as error:
        logger.warning("%s", error)
        _keep_answers()
        st.error(plain(str(error)), icon=":material/cloud_off:")
        _reload_when_back()
    except NotSignedIn as error:
        show_sign_in(error, plain(str(error)))
    except NotPermitted as error:
        logger.warning("%s", error)
        st.error(plain(str(error)), icon=":material/lock:")
    except AppError as error:
        logger.warning("%s", error)
        st.error(plain(str(error)))
    except Exception:
        logger.exception("The page failed")
        st.error(
            f"Something went wrong on this page. It has been logged under {reference}; "
            "reload the page to try again."
        )


def acting(act: Callable[..., None]) -> Callable[..., None]:
    """Wrap what a widget calls: it is given the actor as of now, and a failure becomes a notice.

    Streamlit calls it before the page runs, so neither the gate nor failures_shown is there yet.
    """

    @wraps(act)
    def guarded(*given: Any, **named: Any) -> None:
        with with_request_id() as reference, finishing_action():
            attempt(reference, *given, **named)

    def attempt(reference: str, *given: Any, **named: Any) -> None:
        try:
            act(*given, **named, actor=current_actor())
        except AppError as error:
            logger.warning("%s", error)
            st.toast(plain(str(error)), icon=":material/error:")
        except Exception:
            logger.exception("A widget's action failed")
            st.toast(f"That did not work. It has been logged under {reference}.")

    return guarded


def _keep_answers() -> None:
    """Keep what grids said in this run, which no page heard; it ends with the run otherwise."""
    for key in [str(key) for key in st.session_state]:
        if key.endswith("_grid"):
            st.session_state[f"{key}_kept"] = st.session_state[key]


def kept_answer(key: str) -> Mapping[str, Any] | None:
    """Return, once, what a grid said in a run that failed."""
    answer: Mapping[str, Any] | None = st.session_state.pop(f"{key}_kept", None)
    return answer


@st.fragment(run_every=RETRY_SECONDS)
def _reload_when_back() -> None:
    if storage.is_reachable():
        st.rerun(scope="app")
    st.caption("Waiting for the database …")


_MARKDOWN = str.maketrans({mark: f"\\{mark}" for mark in r"\`*_[]<>#~|:$"})
# Streamlit's own marks, :icon: and ->, heed no backslash: a word joiner, unseen, parts them.
_PARTED = re.compile(r"(?<=:)(?=\w)|(?<=-)(?=[->])|(?<=[<>~])(?=[-=])")
# So does a list, which begins with 1. or - and a blank.
_LISTED = re.compile(r"(?<=^[-+])(?= )|(?<=^\d)(?=\d*[.)] )")


def plain(text: str) -> str:
    """Escape a text for where Streamlit reads Markdown: no link, image or icon comes of it."""
    parted = _PARTED.sub("\u2060", " ".join(text.split()))
    parted = _LISTED.sub("\u2060", parted)
    return parted.translate(_MARKDOWN).replace("www.", "www\\.")
