"""How one machine reaches another."""

from __future__ import annotations

import os
import socket
from contextlib import suppress

import psutil

_INTERFACES = ("GLOO_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME")
"""What torch's libraries read. They would take what this machine's own name leads to: often only itself."""


def is_open(host: str, port: int) -> bool:
    """Whether somebody listens there."""
    try:
        socket.create_connection((host, port), timeout=1.0).close()
    except OSError:
        return False
    return True


def use_route_to(host: str) -> None:
    """Let torch's processes talk over the network interface that leads to `host`, unless told otherwise."""
    interface = _interface_to(host)
    if interface is not None:
        for name in _INTERFACES:
            os.environ.setdefault(name, interface)


def _interface_to(host: str) -> str | None:
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((host, 9))  # sends nothing: the system only chooses a route
        own = probe.getsockname()[0]
        for interface, addresses in psutil.net_if_addrs().items():
            if any(address.address == own for address in addresses):
                return interface
    return None
