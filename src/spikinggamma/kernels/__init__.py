"""The scans over time, fast. Nothing outside this room knows how a scan is computed."""

from spikinggamma.kernels.dispatch import (
    bucket_products,
    code_forward,
    filter_adjoint,
    filter_forward,
    signal_adjoint,
    signal_forward,
    use,
)

__all__ = [
    "bucket_products",
    "code_forward",
    "filter_adjoint",
    "filter_forward",
    "signal_adjoint",
    "signal_forward",
    "use",
]
