"""The frame of every page: style, header, access check, and messages for failures."""

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
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
    show_controls,
    with_request_id,
)
from pages.shell.sign_in import show_account, show_sign_in, signed_in_actor
from pages.web import local_actor

logger = logging.getLogger(__name__)

RETRY_SECONDS = 2


def draw_frame(title: str) -> None:
    """Set the tab's title and icon, and the logo. The style is in the page: see `page_parts`."""
    settings = get_settings()
    set_tab_title(title)
    st.set_page_config(page_icon=str(settings.logo), layout="wide")
    st.logo(str(settings.logo), size="large")
    # The toast of a callback takes the first place beside the page, which must not be a dialog's.
    st.html("<style></style>")


def set_tab_title(title: str) -> None:
    """Let the browser's tab say which page or order it shows."""
    st.set_page_config(page_title=f"{show_controls(title)} · {get_settings().app_name}")


def draw_header(
    actor: Actor, pages: Sequence[StreamlitPage], show_due: Callable[[Actor], None]
) -> None:
    """Draw the links to the pages that the actor may open, what is due, and who is signed in."""
    with st.container(horizontal=True, key="navigation", gap="small"):
        for page in pages:
            st.page_link(page)
        st.html('<button type="button" data-more>More</button>', width="content")
    with st.container(key="who", horizontal=True, vertical_alignment="center", gap="small"):
        show_due(actor)
        if get_settings().has_sign_in:
            show_account(actor, plain(actor.email))
        else:
            st.caption(f"Local mode · {plain(actor.email)}")


def current_actor() -> Actor:
    """Return the current actor. main.py runs no page without one, and every page asks again.

    This is the person who has signed in. In local mode it is the one local user, if active.
    Raises NotSignedIn if there is no such person.
    """
    return signed_in_actor() if get_settings().has_sign_in else local_actor()


@contextmanager
def failures_shown() -> Iterator[None]:
    """Show a failure on the page: our own errors as they are, others as a reference to the log."""
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
            f"Something went wrong on this page. The error is logged as {reference}. "
            "Reload the page to try again."
        )


def acting(act: Callable[..., None]) -> Callable[..., None]:
    """Wrap a widget's callback: pass the current actor to it, and show a failure as a toast.

    A callback runs before the page, so it is not inside the page's own `failures_shown`.
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
            st.toast(plain(str(error)), icon=":material/error:", duration="long")
        except Exception:
            logger.exception("A callback failed")
            words = f"The action failed. The error is logged as {reference}."
            st.toast(words, icon=":material/error:", duration="long")

    return guarded


def _keep_answers() -> None:
    """Keep the grids' answers of this run, which no page has read; Streamlit would drop them."""
    for key in [str(key) for key in st.session_state]:
        if key.endswith("_grid"):
            st.session_state[f"{key}_kept"] = st.session_state[key]


def kept_answer(key: str) -> Mapping[str, Any] | None:
    """Return a grid's answer from a run that failed, and forget it."""
    answer: Mapping[str, Any] | None = st.session_state.pop(f"{key}_kept", None)
    return answer


@st.fragment(run_every=RETRY_SECONDS)
def _reload_when_back() -> None:
    if storage.is_reachable():
        st.rerun(scope="app")
    st.caption("Waiting for the database…")


_MARKDOWN = str.maketrans({mark: f"\\{mark}" for mark in r"\`*_[]<>#~|:$"})
# Streamlit ignores a backslash before :icon: and ->. An invisible word joiner splits them.
_PARTED = re.compile(r"(?<=:)(?=\w)|(?<=-)(?=[->])|(?<=[<>~])(?=[-=])")
# It also splits the start of a list: 1. or - and a space.
_LISTED = re.compile(r"(?<=^[-+])(?= )|(?<=^\d)(?=\d*[.)] )")


def plain(text: str) -> str:
    """Escape a text for Markdown in Streamlit, so that it makes no link, image or icon.

    Characters that change the direction of text are shown.
    """
    parted = _PARTED.sub("\u2060", " ".join(show_controls(text).split()))
    parted = _LISTED.sub("\u2060", parted)
    return parted.translate(_MARKDOWN).replace("www.", "www\\.")
