"""The kill switch's file at the order desk: found once, found again when a graver one replaces it, gone by a resume."""

from pathlib import Path

from mexc_sniper.model.events import Event, KillLatched
from mexc_sniper.runtime.clock import LoopClock
from mexc_sniper.runtime.desk import OrderDesk


def _desk(latch: Path) -> tuple[OrderDesk, list[Event]]:
    heard: list[Event] = []
    desk = OrderDesk(
        gateways={},
        throttles={},
        journal=None,
        latch=latch,
        clock=LoopClock(),
        emit=heard.append,
        wake_at=lambda _: None,
    )
    return desk, heard


def _actions(heard: list[Event]) -> list[str]:
    return [event.action for event in heard if isinstance(event, KillLatched)]


def test_latch_file_is_told_once(tmp_path: Path) -> None:
    desk, heard = _desk(tmp_path / "kill.latch")
    desk.look_at_latch()
    assert not desk.latched
    (tmp_path / "kill.latch").write_text("pause\tsomebody\t1\twhy\n")
    desk.look_at_latch()
    desk.look_at_latch()
    assert desk.latched
    assert _actions(heard) == ["pause"]


def test_graver_latch_that_replaces_a_milder_one_is_acted_on(tmp_path: Path) -> None:
    path = tmp_path / "kill.latch"
    desk, heard = _desk(path)
    path.write_text("pause")
    desk.look_at_latch()
    fresh = tmp_path / "fresh"
    fresh.write_text("flatten")
    fresh.replace(path)
    desk.look_at_latch()
    assert _actions(heard) == ["pause", "flatten"]


def test_resume_takes_the_file_away_for_this_life_and_the_next(tmp_path: Path) -> None:
    path = tmp_path / "kill.latch"
    desk, _ = _desk(path)
    path.write_text("pause")
    desk.look_at_latch()
    desk.lift_latch()
    assert not desk.latched
    assert not path.exists()
    desk.look_at_latch()
    assert not desk.latched


def test_latch_set_anew_while_resuming_stays(tmp_path: Path) -> None:
    path = tmp_path / "kill.latch"
    desk, heard = _desk(path)
    path.write_text("pause")
    desk.look_at_latch()
    fresh = tmp_path / "fresh"
    fresh.write_text("cancel")
    fresh.replace(path)
    desk.lift_latch()
    assert path.exists()
    desk.look_at_latch()
    assert desk.latched
    assert _actions(heard) == ["pause", "cancel"]


def test_latch_that_cannot_be_looked_at_is_as_good_as_set_and_cannot_be_lifted(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way of the data directory")
    desk, heard = _desk(tmp_path / "file" / "kill.latch")
    desk.look_at_latch()
    assert desk.latched
    assert len(_actions(heard)) == 1
    desk.lift_latch()
    assert desk.latched
    desk.look_at_latch()
    assert len(_actions(heard)) == 1, "told once"


def test_lifting_a_latch_that_is_gone_is_fine_and_without_one_there_is_nothing_to_do(tmp_path: Path) -> None:
    desk, heard = _desk(tmp_path / "kill.latch")
    (tmp_path / "kill.latch").write_text("pause\tsomebody\t1\twhy\n")
    desk.look_at_latch()
    (tmp_path / "kill.latch").unlink()
    desk.lift_latch()
    assert not desk.latched
    none = OrderDesk(
        gateways={},
        throttles={},
        journal=None,
        latch=None,
        clock=LoopClock(),
        emit=heard.append,
        wake_at=lambda _: None,
    )
    none.look_at_latch()
    none.lift_latch()
    assert not none.latched
