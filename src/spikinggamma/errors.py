"""The one exception that the library raises for input it cannot use."""

from __future__ import annotations

__all__ = ["SpikingGammaError"]


class SpikingGammaError(ValueError):
    """Raised for input that cannot be used; the message names the argument, its value, what was expected and what to do.

    Args:
        argument: Name of the argument, recipe key or file that is wrong.
        got: Its value, or a description of it (a shape, a size in bytes).
        expected: What would have been accepted.
        remedy: What the caller can do about it; may be empty.

    Example:
        >>> raise SpikingGammaError("dt_ms", 5.0, "at most 4.0 ms, the shortest bucket", "Use a finer step.")
        Traceback (most recent call last):
        ...
        spikinggamma.errors.SpikingGammaError: `dt_ms`: got 5.0; expected at most 4.0 ms, the shortest bucket. Use a finer step.
    """

    def __init__(self, argument: str, got: object, expected: str, remedy: str = "") -> None:
        self.argument = argument
        self.got = got
        self.expected = expected
        self.remedy = remedy
        message = f"`{argument}`: got {got}; expected {expected}."
        super().__init__(f"{message} {remedy}" if remedy else message)

    def __reduce__(self) -> tuple[type[SpikingGammaError], tuple[str, object, str, str]]:
        # By default an exception is pickled as its message alone; worker processes send these back.
        return type(self), (self.argument, self.got, self.expected, self.remedy)
