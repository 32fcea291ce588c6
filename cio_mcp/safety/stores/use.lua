-- Uses up a code. Returns which use this is, and what the code is bound to.
local bound, expires, used = unpack(redis.call('HMGET', KEYS[1], 'bound', 'expires', 'used'))
if not bound then
  return {'never', ''}
end
redis.call('HSET', KEYS[1], 'used', 1)
local late = tonumber(expires) < tonumber(redis.call('TIME')[1])
return {used == '1' and 'again' or late and 'late' or 'first', bound}
