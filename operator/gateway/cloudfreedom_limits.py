"""How many requests and tokens a minute pass the gateway: for the whole tenant, and for each user.

Each limit is a bucket in the tenant's Redis that holds a minute's worth and fills evenly, so all gateways of a tenant
share it and a burst after a pause is welcome. A request takes one out of each bucket of requests, all of them or none.
What tokens it will use is not known beforehand: it is let through while the bucket of tokens is not empty, and takes what
it really used at its end. A bucket may so owe something for a while; nobody passes until it has filled again. The budget
is another matter: it is held beforehand, to the last unit, by the control plane.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

SECONDS_PER_MINUTE: Final = 60
# A bucket that nobody touches is full after a minute, or after what it owes; then it need not be remembered.
FORGET_AFTER_FULL_SECONDS: Final = 1

UNITS: Final = ("requests", "tokens")
SCOPES: Final = ("tenant", "user")
# The operator's names of the four limits.
SETTINGS: Final[Mapping[tuple[str, str], str]] = {
    ("tenant", "requests"): "requestsPerMinute",
    ("tenant", "tokens"): "tokensPerMinute",
    ("user", "requests"): "userRequestsPerMinute",
    ("user", "tokens"): "userTokensPerMinute",
}

# For each bucket: its limit per minute, what it must hold, and what is taken. Nothing is taken unless every one of them
# holds enough; then the answer is {0, 0}, else the number of the one that fills last and the milliseconds it takes to.
TAKE: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local held, longest, culprit = {}, 0, 0
for i, key in ipairs(KEYS) do
  local limit, needed = tonumber(ARGV[i * 3 - 2]), tonumber(ARGV[i * 3 - 1])
  local stored = redis.call('HMGET', key, 'held', 'at')
  local elapsed = math.max(0, now - (tonumber(stored[2]) or now))
  held[i] = math.min(limit, (tonumber(stored[1]) or limit) + elapsed * limit / 60000)
  local wait = math.ceil((needed - held[i]) * 60000 / limit)
  if wait > longest then longest, culprit = wait, i end
end
if culprit > 0 then return {culprit, longest} end
for i, key in ipairs(KEYS) do
  local limit, taken = tonumber(ARGV[i * 3 - 2]), tonumber(ARGV[i * 3])
  local left = held[i] - taken
  redis.call('HSET', key, 'held', left, 'at', now)
  redis.call('PEXPIRE', key, math.ceil((limit - left) * 60000 / limit) + ARGV[#KEYS * 3 + 1])
end
return {0, 0}
"""


@dataclass(frozen=True)
class Bucket:
    """One limit, of one subject."""

    scope: str
    unit: str
    per_minute: int
    key: str


@dataclass(frozen=True)
class Excess:
    """Why a request may not pass now."""

    bucket: Bucket
    retry_after_seconds: int


Script = Callable[..., Awaitable[Any]]


class RateLimits:
    """The limits of one tenant. `settings` is the operator's JSON; limits that it does not name do not exist."""

    def __init__(self, settings: str, script: Script) -> None:
        given = orjson.loads(settings or "{}")
        self._per_minute = {
            place: int(given[name]) for place, name in SETTINGS.items() if given.get(name) is not None
        }
        self._script = script

    def buckets(self, user: str) -> list[Bucket]:
        """Those that a request of this user passes."""
        return [
            Bucket(scope, unit, self._per_minute[scope, unit], bucket_key(scope, unit, user))
            for scope in SCOPES
            for unit in UNITS
            if (scope, unit) in self._per_minute
        ]

    async def enter(self, user: str) -> Excess | None:
        """Lets a request in, or says what it exceeds. Raises RedisError."""
        buckets = self.buckets(user)
        if not buckets:
            return None
        taken = [(bucket, 1, 1 if bucket.unit == "requests" else 0) for bucket in buckets]
        culprit, wait_ms = await self._take(taken)
        if culprit == 0:
            return None
        return Excess(buckets[culprit - 1], max(1, -(-wait_ms // 1000)))

    async def use(self, user: str, tokens: int) -> None:
        """Takes what a request used, whether or not so much was left. Raises RedisError."""
        buckets = [bucket for bucket in self.buckets(user) if bucket.unit == "tokens"]
        if buckets and tokens > 0:
            await self._take([(bucket, float("-inf"), tokens) for bucket in buckets])

    async def _take(self, taken: list[tuple[Bucket, float, int]]) -> tuple[int, int]:
        numbers = [number for bucket, needed, amount in taken for number in (bucket.per_minute, needed, amount)]
        keys = [bucket.key for bucket, _, _ in taken]
        culprit, wait_ms = await self._script(keys=keys, args=[*numbers, FORGET_AFTER_FULL_SECONDS * 1000])
        return culprit, wait_ms


def bucket_key(scope: str, unit: str, user: str) -> str:
    subject = user if scope == "user" else ""
    return f"cloudfreedom:limit:{scope}:{unit}:{subject}"
