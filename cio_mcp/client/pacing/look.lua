-- Returns a bucket's limit, window, slots in use, waiting calls, time it is shut, and how many share it.
local slots, bucket, replicas = unpack(KEYS)
local waiting, heard = unpack(ARGV)
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local known = redis.call('HMGET', bucket, 'limit', 'window', 'shut')
local used = redis.call('ZCOUNT', slots, string.format('(%.0f', now), '+inf')
local count, sharing = 0, redis.call('ZRANGEBYSCORE', replicas, now - heard, '+inf')
for _, replica in ipairs(sharing) do
  count = count + (redis.call('GET', waiting .. replica) or 0)
end
return {tonumber(known[1]), tonumber(known[2]), used, count, math.max(known[3] - now, 0), #sharing}
