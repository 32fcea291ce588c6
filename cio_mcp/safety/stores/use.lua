-- Uses up a code. Returns which use this is, and what the code is bound to. What is no code of ours is no code.
local kind = redis.call('TYPE', KEYS[1]).ok
if kind == 'none' then
  return {'never', ''}
elseif kind ~= 'hash' then
  return {'foreign', ''}
end
local bound, expires, used = unpack(redis.call('HMGET', KEYS[1], 'bound', 'expires', 'used'))
if not bound or not expires or not string.match(expires, '^%d+$') or (used and used ~= '0' and used ~= '1') then
  return {'foreign', ''}
end
redis.call('HSET', KEYS[1], 'used', 1)
local late = tonumber(expires) < tonumber(redis.call('TIME')[1])
return {used == '1' and 'again' or late and 'late' or 'first', bound}
