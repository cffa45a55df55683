"""The watch for blocking calls sees one."""

import pytest
from blockbuster import BlockingError

from mexc_sniper.journal.disk import Disk


async def test_a_blocking_call_of_the_program_within_a_loop_fails_the_test(tmp_path):
    with pytest.raises(BlockingError):
        Disk(tmp_path / "journal").open()
