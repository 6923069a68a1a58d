"""What make soak says of its progress, and what it runs."""

import pytest

from tests.core import steps
from tests.soak.__main__ import APART, NAMES, main, plan
from tests.soak.attacks import PARTS
from tests.soak.databases import KINDS
from tests.soak.progress import Progress


def test_progress_says_what_runs_how_far_it_is_and_what_is_left_by_the_plan() -> None:
    steps.begin(0)  # whatever ran before in this process
    progress = Progress([("one_key on SQLite", 60), ("killed_workers on SQLite", 90)])
    assert progress.line(progress.started + 2) == (
        "1 of 2: one_key on SQLite, preparing, 2 s · whole: 0:02 passed, about 2:28 left"
    )
    steps.begin(4)
    for _ in range(3):
        steps.step()
    assert progress.line(progress.started + 2) == (
        "1 of 2: one_key on SQLite, step 3 of 4, 2 s · whole: 0:02 passed, about 1:45 left"
    )


def test_progress_is_plain_lines_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress([("one_key on SQLite", 60)])
    with progress.part():
        progress.say("SQLite: double refunds: 0  pass")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("  … 1 of 1: one_key on SQLite, ")
    assert lines[-1] == "SQLite: double refunds: 0  pass"
    assert "\r" not in "".join(lines)


def test_parts_run_alone_and_all_together_on_both_databases() -> None:
    assert [run.name for run in plan(["mail"], ["SQLite"])] == ["killed_mail_workers on SQLite"]
    assert [run.name for run in plan(["team"], ["SQLite"])] == ["team"]
    everything = plan(NAMES, KINDS)
    attacks = [one for part in PARTS.values() for one in part]
    assert len(everything) == len(APART) + len(attacks) * len(KINDS)


def test_the_whole_is_planned_for_about_half_an_hour() -> None:
    assert sum(run.seconds for run in plan(NAMES, KINDS)) < 35 * 60


def test_a_part_that_is_not_there_is_refused_with_the_list_of_parts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["refund"])
    said = capsys.readouterr().err
    assert (
        "refund is none of excel, team, refunds, approvals, rights, processes, workers, mail"
        in said
    )
