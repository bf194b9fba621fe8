"""An interruption is told even where it hits code that has no line."""

from __future__ import annotations

import sys
import types

import pytest

from fixtures.telling import pytest_keyboard_interrupt

INSTRUCTION_BYTES = 2


def _has_cleanup() -> None:
    with pytest.raises(ValueError, match="x"):
        raise ValueError("x")
    sys._getframe(0)


def _frame_of(function: types.FunctionType) -> types.FrameType:
    frames: list[types.FrameType] = []

    def remember(frame: types.FrameType, event: str, _argument: object) -> None:
        if event == "call" and frame.f_code is function.__code__:
            frames.append(frame)

    before = sys.getprofile()
    sys.setprofile(remember)
    try:
        function()
    finally:
        sys.setprofile(before)
    return frames[0]


def test_a_frame_without_a_line_is_left_out() -> None:
    frame = _frame_of(_has_cleanup)  # type: ignore[arg-type]
    lineless = [INSTRUCTION_BYTES * offset for offset, place in enumerate(frame.f_code.co_positions()) if place[0] is None]
    if not lineless:
        pytest.skip("this Python gives every instruction a line")
    bad = types.TracebackType(None, frame, lineless[0], -1)
    assert bad.tb_lineno is None
    error = KeyboardInterrupt().with_traceback(types.TracebackType(bad, frame, 0, frame.f_code.co_firstlineno))
    excinfo: pytest.ExceptionInfo[BaseException] = pytest.ExceptionInfo.from_exception(error)
    with pytest.raises(TypeError):
        excinfo.getrepr()
    pytest_keyboard_interrupt(excinfo)
    assert "_has_cleanup" in str(excinfo.getrepr())
