"""Windows in Redis: one script decides and writes, on Redis' own clock. The only file that talks to Redis by itself."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import redis

from tenancy.ratelimits.window import MICROSECONDS, MOST_MARKS, Answer, Ask, Standing

# A limiter that waits is worse than none.
_TIMEOUT_SECONDS = 0.5
_PREFIX = "claimwright:window:"
# What `window.py` does, word for word; marks are a flat list of time and count.
_SCRIPT = """
local clock = redis.call('TIME')
local server = clock[1] * 1000000 + clock[2]
local most = tonumber(ARGV[1])
local fits, kept, nows, answer = true, {}, {}, {}
local function standing(marks, count, window, now)
  local used = 0
  for i = 2, #marks, 2 do used = used + marks[i] end
  local reset, left, wait = 0, used, 0
  if #marks > 0 then reset = marks[1] + window - now end
  for i = 1, #marks, 2 do
    if left < count then break end
    left = left - marks[i + 1]
    wait = marks[i] + window - now
  end
  return used, wait, reset
end
for k = 1, #KEYS do
  local window, now, marks = tonumber(ARGV[2 * k + 1]), server, {}
  local stored = redis.call('GET', KEYS[k])
  local old = stored and cmsgpack.unpack(stored) or {}
  if #old > 0 and old[#old - 1] > now + window then old = {} end
  if #old > 0 and old[#old - 1] > now then now = old[#old - 1] end
  for i = 1, #old, 2 do
    if old[i] > now - window then
      marks[#marks + 1] = old[i]
      marks[#marks + 1] = old[i + 1]
    end
  end
  kept[k], nows[k] = marks, now
  local _, wait = standing(marks, tonumber(ARGV[2 * k]), window, now)
  if wait > 0 then fits = false end
end
answer[1] = fits and 1 or 0
answer[2] = server
for k = 1, #KEYS do
  local count, window, now, marks = tonumber(ARGV[2 * k]), tonumber(ARGV[2 * k + 1]), nows[k], kept[k]
  if fits then
    local step = 1
    if count > most then step = math.floor(window / most) end
    if #marks > 0 and math.floor(marks[#marks - 1] / step) == math.floor(now / step) then
      marks[#marks - 1] = now
      marks[#marks] = marks[#marks] + 1
    else
      marks[#marks + 1] = now
      marks[#marks + 1] = 1
    end
    redis.call('SET', KEYS[k], cmsgpack.pack(marks), 'PX', math.ceil(window / 1000) + 1000)
  end
  local used, wait, reset = standing(marks, count, window, now)
  answer[#answer + 1] = used
  answer[#answer + 1] = wait
  answer[#answer + 1] = reset
end
return answer
"""


class StoreAway(Exception):
    """Redis does not answer."""


class RedisWindows:
    """Grants or refuses in one round trip."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(
            url, socket_timeout=_TIMEOUT_SECONDS, socket_connect_timeout=_TIMEOUT_SECONDS
        )
        self._script = self._client.register_script(_SCRIPT)

    def take(self, asks: Sequence[Ask]) -> Answer:
        """Grant one request of every window, or of none; raises StoreAway."""
        arguments: list[int] = [MOST_MARKS]
        for ask in asks:
            arguments += [ask.rate.count, ask.rate.seconds * MICROSECONDS]
        try:
            granted, at, *figures = self._script(keys=[_PREFIX + ask.key for ask in asks], args=arguments)
        except (redis.RedisError, OSError) as error:
            raise StoreAway(type(error).__name__) from error
        standings = [Standing(*figures[place : place + 3]) for place in range(0, len(figures), 3)]
        return Answer(bool(granted), at, standings)


@cache
def redis_windows(url: str) -> RedisWindows:
    """Return this process's store for the address; its connections are pooled."""
    return RedisWindows(url)
