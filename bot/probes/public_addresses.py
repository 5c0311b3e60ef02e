"""Where a name may lead: to addresses of the open internet, or to private ones that were named in the settings.

aiohttp connects to the very addresses that a resolver gives, so a name that changes its mind between look and
connection ("DNS rebinding") gains nothing. An address that is written out in a setting never comes here: somebody
meant it.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

#: what IANA gives out as IPv6 of the internet; outside stand old ways to write an IPv4 address, and site-local ones
_INTERNET = ipaddress.ip_network("2000::/3")
#: for documents (RFC 9637), which not every Python knows
_EXAMPLES = ipaddress.ip_network("3fff::/20")
#: carries an IPv4 address in its last four bytes (RFC 6052)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class PrivateAddress(OSError):
    """leads to a private address"""

    def __init__(self) -> None:
        super().__init__(type(self).__doc__)


class PublicAddresses(AbstractResolver):
    """Resolves names as `resolver` does, and refuses a name as soon as one of its addresses is not public.

    `allowed`: names, as in the settings, that may lead anywhere.
    """

    def __init__(self, resolver: AbstractResolver, allowed: Iterable[str] = ()) -> None:
        self._resolver = resolver
        self._allowed = frozenset(name.casefold().rstrip(".") for name in allowed)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of a name. Raises PrivateAddress."""
        found = await self._resolver.resolve(host, port, family)
        if host.casefold().rstrip(".") not in self._allowed and not all(public(one["host"]) for one in found):
            raise PrivateAddress
        return found

    async def close(self) -> None:
        """Close the resolver behind."""
        await self._resolver.close()


def public(address: str) -> bool:
    """Whether an address belongs to the open internet; also where a private one is wrapped in IPv6."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.sixtofour or (found.teredo or (None, None))[1]
        if found in _NAT64:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFF_FFFF)
        elif found not in _INTERNET or found in _EXAMPLES:
            return False
        if inner is not None and not (inner.is_global and not inner.is_multicast):
            return False
    return found.is_global and not found.is_multicast


def session(allowed: str = "", resolver: AbstractResolver | None = None) -> aiohttp.ClientSession:
    """A session for probes alone: no proxy, cookies or headers of anybody's, and no private addresses by name.

    `allowed`: names of hosts, separated by commas. `resolver` stands in for the machine's. The caller closes it.
    """
    names = (name.strip() for name in allowed.split(",") if name.strip())
    looks = PublicAddresses(resolver or aiohttp.ThreadedResolver(), names)
    connector = aiohttp.TCPConnector(resolver=looks, use_dns_cache=False)
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)
