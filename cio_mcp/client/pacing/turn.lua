-- One look at a bucket: count the replica that asks, take slots back, shut the bucket, lease a slot.
-- Returns how many share, the slot (-1: none), the wait for its start, and its end. All times are
-- microseconds, and moments are of Redis's clock. After ARGV[10] comes number, end and rest of each slot
-- that is given back.
local slots, bucket, replicas, waiting = unpack(KEYS)
local me, limit, window, lasts, ahead, count, shut, in_use, heard, keep = unpack(ARGV, 1, 10)
limit, ahead, count = tonumber(limit), tonumber(ahead), tonumber(count)
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]

local function moment(text)
  local at = tonumber(text or 0)
  return at <= now + keep and at or 0
end

if in_use == '1' and redis.call('EXISTS', bucket) == 0 then
  shut = math.max(shut, lasts)  -- its slots are lost
end
local opens = math.max(moment(redis.call('HGET', bucket, 'shut')), now + shut)
redis.call('HSET', bucket, 'limit', limit, 'window', window, 'shut', opens)

for at = 11, #ARGV, 3 do
  local number, ends, rest = unpack(ARGV, at, at + 2)
  if tonumber(redis.call('ZSCORE', slots, number) or 0) == tonumber(ends) then
    redis.call('ZADD', slots, now + rest, number)
  end
end

redis.call('ZREMRANGEBYSCORE', replicas, '-inf', now - heard)
if count < 0 then
  redis.call('ZREM', replicas, me)
  redis.call('DEL', waiting)
else
  redis.call('ZADD', replicas, now, me)
  redis.call('SET', waiting, count, 'PX', math.ceil(heard / 1000))
end

local number, free = redis.call('ZCARD', slots), 0
if number >= limit then
  local at = 0
  repeat
    local first = redis.call('ZRANGE', slots, at, at, 'WITHSCORES')
    number, free, at = tonumber(first[1]), moment(first[2]), at + 1
  until number < limit
end
local start = math.max(now, free, opens)
local ends = start + lasts
if start - now <= ahead then
  redis.call('ZADD', slots, ends, number)
else
  number = -1
end

for _, key in ipairs({slots, bucket, replicas}) do
  redis.call('PEXPIRE', key, math.ceil(keep / 1000))
end
return {redis.call('ZCARD', replicas), number, start - now, ends}
