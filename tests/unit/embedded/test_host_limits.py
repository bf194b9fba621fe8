"""The limit of inotify instances: raised where it is low, left alone where it is not, told where it cannot be raised."""

from __future__ import annotations

from pathlib import Path

import pytest

from model.errors import HostUnfit
from provisioning.embedded.host_limits import ENOUGH, make_room


class ReadOnly(type(Path())):  # type: ignore[misc]
    """A limit that may not be changed."""

    def write_text(self, *_args: object, **_options: object) -> int:
        raise OSError(30, "Read-only file system")


@pytest.mark.parametrize(("before", "after"), [(128, ENOUGH), (ENOUGH, ENOUGH), (65536, 65536)])
def test_raised_and_never_lowered(tmp_path: Path, before: int, after: int) -> None:
    limit = tmp_path / "max_user_instances"
    limit.write_text(f"{before}\n")
    make_room(9, limit)
    assert int(limit.read_text()) == after


def test_too_low_and_fixed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    limit = ReadOnly(tmp_path / "max_user_instances")
    Path(limit).write_bytes(b"128\n")
    make_room(9, limit)
    assert "128 inotify instances" in caplog.text
    with pytest.raises(HostUnfit, match=r"36 machines need 360 inotify instances, this host allows 128.*sysctl"):
        make_room(36, limit)
