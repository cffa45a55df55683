"""Commands arrive once and in order, whichever process starts first; secrets are stored as hashes."""

import asyncio
import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.ledger import ApiToken, EngineInbox, LedgerLocation, Session, WebInbox, hash_secret
from mexc_sniper.ledger.channels import ChannelState, Choices, QuietHours
from mexc_sniper.model.commands import Command, Verb
from mexc_sniper.runtime.clock import LoopClock


@pytest.fixture
def inbox(empty_location: LedgerLocation) -> Iterator[WebInbox]:
    """The web's inbox on a place nobody has migrated: it makes its own tables."""
    inbox = WebInbox(empty_location)
    yield inbox
    inbox.close()


def now_ns() -> int:
    return LoopClock().wall_ns()


async def collect(location: LedgerLocation, count: int, *, finished: tuple[str, ...] = ()) -> list[Command]:
    """Run an engine's inbox until it has delivered ``count`` commands."""
    found: list[Command] = []
    enough = asyncio.Event()

    def deliver(command: Command) -> None:
        found.append(command)
        if len(found) >= count:
            enough.set()

    running = asyncio.create_task(EngineInbox(location, LoopClock(), finished=finished).run(deliver))
    try:
        async with asyncio.timeout(15):
            await enough.wait()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    return found


def test_command_carries_its_expiry_by_verb_and_a_number(inbox: WebInbox) -> None:
    first = inbox.put(Verb.START_MONITOR, {}, "operator", "k1", 1_000)
    second = inbox.put(Verb.STOP_MONITOR, {}, "operator", "k2", 1_000)
    assert (first.expires_ns, second.expires_ns) == (1_000 + 5 * NS_PER_S, 1_000 + 30 * NS_PER_S)
    assert second.number > first.number
    assert first.id != second.id


def test_same_idempotency_key_returns_the_first_command_again(inbox: WebInbox) -> None:
    first = inbox.put(Verb.INJECT_LISTING, {"symbol": "ALPHAUSDT"}, "operator", "k", 1_000)
    again = inbox.put(Verb.START_MONITOR, {}, "somebody", "k", 2_000)
    assert again == first
    assert inbox.put(Verb.START_MONITOR, {}, "operator", None, 2_000) != first


def test_arguments_that_are_no_text_are_made_text(inbox: WebInbox) -> None:
    command = inbox.put(Verb.INJECT_LISTING, {"symbol": "A\ud800", "\udc00": [1]}, "operator", None, 1)
    assert command.arguments == {"symbol": "A\ufffd", "\ufffd": [1]}


def test_one_key_from_many_threads_makes_one_command(inbox: WebInbox) -> None:
    def put(_: int) -> Command:
        return inbox.put(Verb.START_MONITOR, {}, "operator", "same", 1_000)

    with ThreadPoolExecutor(8) as pool:
        assert len({command.id for command in pool.map(put, range(24))}) == 1


async def test_engine_started_first_gets_commands_in_order_as_they_come(
    empty_location: LedgerLocation, inbox: WebInbox
) -> None:
    def put_all() -> list[Command]:
        return [
            inbox.put(Verb.INJECT_LISTING, {"symbol": f"新{n}\x00USDT"}, "operator\x00", f"key {n}\x00", now_ns())
            for n in range(250)
        ]

    arriving = asyncio.create_task(collect(empty_location, 250))
    await asyncio.sleep(0)
    written = await asyncio.to_thread(put_all)
    assert await arriving == written
    assert written[7].arguments == {"symbol": "新7\x00USDT"}


async def test_restarted_engine_gets_what_nobody_answered_and_nothing_ancient(
    empty_location: LedgerLocation, inbox: WebInbox
) -> None:
    def put(key: str, made_ns: int) -> Command:
        return inbox.put(Verb.STOP_MONITOR, {}, "operator", key, made_ns)

    put("days ago", now_ns() - 2 * 86_400 * NS_PER_S)
    answered = put("answered", now_ns())
    waiting = [put("expired", now_ns() - 3_600 * NS_PER_S), put("fresh", now_ns())]
    assert await collect(empty_location, 2, finished=(answered.id,)) == waiting


async def test_commands_written_by_several_web_processes_at_once_all_arrive(
    empty_location: LedgerLocation, inbox: WebInbox
) -> None:
    others = [WebInbox(empty_location) for _ in range(3)]

    def put(n: int) -> Command:
        return others[n % 3].put(Verb.START_MONITOR, {"n": n}, "operator", f"k{n}", now_ns())

    def put_all() -> list[Command]:
        with ThreadPoolExecutor(3) as pool:
            return list(pool.map(put, range(60)))

    inbox.cursor("make the tables")
    arriving = asyncio.create_task(collect(empty_location, 60))
    written = await asyncio.to_thread(put_all)
    found = await arriving
    assert sorted(command.id for command in found) == sorted(command.id for command in written)
    assert [command.number for command in found] == sorted(command.number for command in written)
    for other in others:
        other.close()


async def test_command_of_a_newer_build_is_passed_over(empty_location: LedgerLocation, inbox: WebInbox) -> None:
    from sqlalchemy import update

    from mexc_sniper.ledger.tables import commands

    inbox.put(Verb.START_MONITOR, {}, "operator", "future", now_ns())
    with inbox._file.write() as db:
        db.execute(update(commands).values(verb="sing"))
    known = inbox.put(Verb.START_MONITOR, {}, "operator", "known", now_ns())
    assert await collect(empty_location, 1) == [known]


def test_forgetting_commands_keeps_the_newest_and_the_numbering(inbox: WebInbox) -> None:
    numbers = [inbox.put(Verb.START_MONITOR, {}, "operator", f"k{n}", n).number for n in range(5)]
    assert inbox.forget_commands(100) == 4
    assert inbox.put(Verb.START_MONITOR, {}, "operator", "next", 100).number > numbers[-1]


def test_session_lives_from_sign_in_to_sign_out(inbox: WebInbox) -> None:
    session = Session(
        id_hash=hash_secret("cookie"),
        actor="op\x00erator",
        scopes=("read", "control"),
        created_ns=1,
        last_used_ns=1,
        expires_ns=100,
        family="f",
    )
    inbox.add_session(session)
    inbox.touch_session(session.id_hash, 50)
    found = inbox.session(session.id_hash)
    assert found is not None
    assert (found.last_used_ns, found.scopes) == (50, ("read", "control"))
    inbox.end_session(session.id_hash)
    assert inbox.session(session.id_hash) is None


def test_api_token_is_found_by_its_hash_until_revoked(inbox: WebInbox) -> None:
    token = ApiToken(token_hash=hash_secret("t"), name="script", scopes=("read",), created_ns=1)
    inbox.add_token(token)
    assert inbox.token(hash_secret("t")) == token
    assert inbox.tokens() == [token]
    inbox.touch_token(token.token_hash, 9)
    assert inbox.tokens()[0].last_used_ns == 9
    inbox.revoke_token(token.token_hash)
    assert inbox.token(token.token_hash) is None


def test_one_time_link_lets_exactly_one_in_and_only_in_time(inbox: WebInbox) -> None:
    inbox.add_login_token("link", 100)
    inbox.add_login_token("late", 100)
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: inbox.take_login_token("link", 50), range(8)))
    assert taken.count(True) == 1
    assert not inbox.take_login_token("late", 100)


def test_prune_deletes_what_has_ended_and_keeps_the_rest(inbox: WebInbox) -> None:
    for name, expires_ns in (("old", 10), ("new", 1_000)):
        inbox.add_session(
            Session(
                id_hash=name, actor="a", scopes=(), created_ns=1, last_used_ns=1, expires_ns=expires_ns, family=name
            )
        )
    inbox.add_token(ApiToken(token_hash="for ever", name="t", scopes=(), created_ns=1))
    inbox.prune(500)
    assert inbox.session("old") is None
    assert inbox.session("new") is not None
    assert len(inbox.tokens()) == 1


def test_cursor_starts_at_none_and_is_remembered(inbox: WebInbox) -> None:
    assert inbox.cursor("telegram") is None
    inbox.set_cursor("telegram", 5)
    inbox.set_cursor("telegram", 7)
    assert inbox.cursor("telegram") == 7


async def test_kill_never_expires_and_is_found_long_after_while_others_are_past(location: LedgerLocation) -> None:
    inbox = WebInbox(location)
    clock = LoopClock()
    day = 86_400 * 10**9
    early = clock.wall_ns() - 20 * day
    kill = inbox.put(Verb.KILL, {"action": "cancel"}, "operator", None, early)
    answered = inbox.put(Verb.DISARM, {}, "operator", None, early)
    inbox.put(Verb.EXECUTE_TRADE, {"symbol": "ALPHAUSDT"}, "operator", None, early)
    inbox.put(Verb.KILL, {"action": "cancel"}, "operator", None, clock.wall_ns() - 40 * day)
    assert kill.expires_ns == 2**63 - 1
    inbox.close()

    found: list[Command] = []
    reading = asyncio.create_task(EngineInbox(location, clock, finished={answered.id}).run(found.append))
    async with asyncio.timeout(10):
        while not found:
            await asyncio.sleep(0.005)
    reading.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await reading
    assert found == [kill]


def a_session(name: str, **changed: object) -> Session:
    session = Session(
        id_hash=name, actor="operator", scopes=("read",), created_ns=1, last_used_ns=1, expires_ns=1_000, family="f"
    )
    return msgspec.structs.replace(session, **changed)


def test_accounts_are_made_changed_and_taken_away(inbox: WebInbox) -> None:
    assert inbox.account_names() == []
    inbox.set_password_hash("operator", "one", 1)
    inbox.set_password_hash("operator", "two", 2)
    inbox.set_password_hash("al\x00ice", "three", 3)
    assert inbox.password_hash("operator") == "two"
    assert inbox.password_hash("nobody") is None
    assert inbox.remove_account("operator")
    assert not inbox.remove_account("operator")
    assert len(inbox.account_names()) == 1


def test_renewed_session_takes_the_old_ones_place_and_the_old_one_soon_ends(inbox: WebInbox) -> None:
    inbox.add_session(a_session("old", stepped_up_until_ns=900))
    assert inbox.renew_session("old", a_session("new", stepped_up_until_ns=500), 100)
    old, new = inbox.session("old"), inbox.session("new")
    assert old is not None
    assert new is not None
    assert (old.expires_ns, old.stepped_up_until_ns) == (100, None)
    assert (new.expires_ns, new.stepped_up_until_ns, new.family) == (1_000, 500, "f")
    assert not inbox.renew_session("gone", a_session("newer"), 100)
    assert inbox.session("newer") is None


def test_sessions_end_by_actor_and_but_for_one_sign_in(inbox: WebInbox) -> None:
    for name, actor, family in (("a", "operator", "1"), ("b", "operator", "2"), ("c", "alice", "3")):
        inbox.add_session(a_session(name, actor=actor, family=family))
    assert inbox.end_sessions(actor="operator", but_family="1") == 1
    assert inbox.end_sessions(but_family="1") == 1
    assert inbox.session("a") is not None
    assert inbox.end_sessions() == 1


def test_channels_keep_the_operators_choices_while_they_are_away(inbox: WebInbox) -> None:
    inbox.register({"phone": "telegram", "mail": "email"})
    [mail, phone] = inbox.channels()
    assert (mail.id, phone.id, phone.revision, phone.choices) == ("mail", "phone", 1, Choices())
    chosen = Choices(enabled=False, events=("config",), quiet=QuietHours(start="22:00", end="07:00"))
    assert inbox.choose("phone", chosen, 1)
    assert not inbox.choose("phone", Choices(), 1)
    inbox.note("phone", ChannelState(failing_since_ns=5, last_error="x\x00y"))
    inbox.register({"mail": "email"})
    assert [channel.id for channel in inbox.channels()] == ["mail"]
    inbox.register({"mail": "email", "phone": "discord"})
    back = inbox.channel("phone")
    assert back is not None
    assert (back.kind, back.choices, back.state.failing_since_ns) == ("discord", chosen, 5)
    inbox.beat(7)
    assert inbox.last_beat_ns() == 7
