-- A replica is back that has used its part of a bucket alone: it brings those slots. The first one that is
-- back keeps the other slots for those that still use them alone, since they are not counted here.
-- Returns how many slots of its part could be brought: fewer than all where they are not kept any more.
-- All times are microseconds. After ARGV[6] comes in how long each slot of the part is free.
local slots, bucket = unpack(KEYS)
local limit, window, away, patience, keep, part = unpack(ARGV, 1, 6)
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]

local kept = tonumber(redis.call('HGET', bucket, 'kept') or 0)
local first = kept <= now - away or kept > now + keep
if first then
  kept = now + patience
  redis.call('HSET', bucket, 'limit', limit, 'window', window, 'kept', kept)
  redis.call('HSETNX', bucket, 'shut', 0)
end
for number = 0, limit - 1 do
  local free = redis.call('ZSCORE', slots, number)
  if not free or first and tonumber(free) <= now then
    redis.call('ZADD', slots, kept, number)
  end
end

local brought = {}
if kept > now then
  brought = redis.call('ZRANGEBYSCORE', slots, kept, kept, 'LIMIT', 0, part)
end
for at, number in ipairs(brought) do
  redis.call('ZADD', slots, now + ARGV[6 + at], number)
end

redis.call('PEXPIRE', slots, math.ceil(keep / 1000))
redis.call('PEXPIRE', bucket, math.ceil(keep / 1000))
return #brought
