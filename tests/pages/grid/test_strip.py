"""The strips around a grid: a run that waits ends if the person has gone on."""

import pytest
import streamlit as st
from streamlit.runtime.scriptrunner import RerunData, RerunException
from streamlit.runtime.state import SafeSessionState, SessionState

from pages.grid import strip


@pytest.mark.parametrize("has_gone_on", [True, False])
def test_waiting_for_the_first_rows_ends_only_if_the_person_has_gone_on(
    monkeypatch: pytest.MonkeyPatch, has_gone_on: bool
) -> None:
    def follow_person() -> None:
        if has_gone_on:
            raise RerunException(RerunData())

    state = SafeSessionState(SessionState(), follow_person)
    monkeypatch.setattr(st.runtime.state.session_state_proxy, "get_session_state", lambda: state)
    if has_gone_on:
        with pytest.raises(RerunException):
            strip._end_if_left()
    else:
        strip._end_if_left()
