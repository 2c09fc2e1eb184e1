-- Counts the permits of one budget. The limiter of bitmart-rest counts in the same way in memory.
--
-- KEYS: the epoch of the server; permits in flight by the time at which they expire; ended requests by the time
-- at which their permits are free; waiting callers by their order, and by the time at which they count as dead;
-- what responses have stated; the end of a ban.
-- All times are microseconds of this server's clock, so that the clocks of the callers do not matter.
local EPOCH, FLYING, ENDED, QUEUE, DUE, STATED, BAN = unpack(KEYS)
local MAX_QUEUE = 10000
local DAY = 86400e6

local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1e6 + tonumber(clock[2])

-- Numbers become text with all digits; the default has 14.
local function text(number) return string.format('%.0f', number) end

-- Keys vanish when nobody can need them any more. Never earlier than an older entry requires.
local function keep(key, micros)
  local millis = math.ceil(micros / 1000) + 60000
  if redis.call('PTTL', key) < millis then redis.call('PEXPIRE', key, text(millis)) end
end

local operation = ARGV[1]
local count, window, headroom = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])

if operation == 'ban' then
  local last = now + tonumber(ARGV[5])
  if last > tonumber(redis.call('GET', BAN) or 0) then
    redis.call('SET', BAN, text(last), 'PXAT', text(math.ceil(last / 1000)))
  end
  return {1}
end

-- The published limit and what the last response stated, which holds for a day. A count of zero is unknown.
local stated = redis.call('HMGET', STATED, 'count', 'window', 'paused', 'until')
local published_count, published_window = count, window

-- A limit that keeps both the published one and another: the smaller count in the longer of their windows, each divided
-- by how often its own count contains the smaller one. A lower pace alone is not enough: 300 in 60 s is slower than 12
-- in 2 s, and allows 300 at once.
local function with_published(c, w)
  if published_count == 0 then return c, w end
  local smaller = math.min(published_count, c)
  local function divided(limit, time) return math.ceil(time / math.floor(limit / smaller)) end
  return smaller, math.max(divided(published_count, published_window), divided(c, w))
end
if stated[1] and now < tonumber(stated[4] or 0) then
  count, window = with_published(tonumber(stated[1]), tonumber(stated[2]))
end

-- A limit less the headroom: permits are rounded up and the window is stretched to compensate.
local function less(c, w)
  if c == 0 then return 0, 0 end
  local hundredths = c * (100 - headroom)
  local permits = math.ceil(hundredths / 100)
  return permits, math.ceil(w * permits * 100 / hundredths)
end
local permits, span = less(count, window)

-- Permits are free one window after the end of their request, or when their process must be dead.
local function in_use()
  redis.call('ZREMRANGEBYSCORE', ENDED, '-inf', text(now))
  redis.call('ZREMRANGEBYSCORE', FLYING, '-inf', text(now))
  return redis.call('ZCARD', ENDED) + redis.call('ZCARD', FLYING)
end

if operation == 'end' then
  local first, ends, counted = tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8] == '1'
  for number = first, first + ends - 1 do
    local member = ARGV[5] .. ':' .. text(number)
    redis.call('ZREM', FLYING, member)
    if number == first then
      redis.call('ZREM', QUEUE, member)
      redis.call('ZREM', DUE, member)
    end
    if counted and count > 0 then
      redis.call('ZADD', ENDED, text(now + span), member)
      keep(ENDED, span)
    end
  end
  return {1}
end

if operation == 'settle' then
  local used, c, w = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
  if c == 0 or w == 0 then return {1} end
  -- The last one counts: a single wrong header must not slow the endpoint down for good.
  count, window = with_published(c, w)
  if count ~= published_count or window ~= published_window then
    redis.call('HSET', STATED, 'count', text(c), 'window', text(w), 'until', text(now + DAY))
  else
    redis.call('HDEL', STATED, 'count', 'window', 'until')
  end
  permits, span = less(count, window)
  local others, theirs = less(c, w)
  local left = math.max(0, others - used)
  local free_at = now + math.max(span, theirs)
  for _ = left, permits - in_use() - 1 do
    redis.call('ZADD', ENDED, text(free_at), 'other:' .. redis.call('HINCRBY', STATED, 'last', 1))
  end
  keep(ENDED, free_at - now)
  keep(STATED, DAY)
  return {1}
end

if operation == 'pause' then
  local last = now + tonumber(ARGV[5])
  if last > tonumber(stated[3] or 0) then redis.call('HSET', STATED, 'paused', text(last)) end
  keep(STATED, DAY)
  return {1}
end

-- The rest acquires: up to `wanted` permits, named `prefix:first` and following.
local run, settings, lifetime = ARGV[5], ARGV[6], tonumber(ARGV[7])
local prefix, first, wanted = ARGV[8], tonumber(ARGV[9]), tonumber(ARGV[10])
local max_wait, poll, grace = tonumber(ARGV[11]), tonumber(ARGV[12]), tonumber(ARGV[13])
local me = prefix .. ':' .. text(first)

-- Without the epoch of this run of the server, it was flushed, restarted or replaced, and what is in use is not
-- known. Nothing is granted until all earlier permits have expired.
local epoch = redis.call('HMGET', EPOCH, 'run', 'began', 'settings')
if epoch[1] ~= run then
  redis.call('HSET', EPOCH, 'run', run, 'began', text(now), 'settings', settings)
  epoch = {run, text(now), settings}
end
if epoch[3] ~= settings then return {2, epoch[3]} end

local used = in_use()
local dead = redis.call('ZRANGEBYSCORE', DUE, '-inf', text(now))
for _, member in ipairs(dead) do
  if member ~= me then
    redis.call('ZREM', DUE, member)
    redis.call('ZREM', QUEUE, member)
  end
end
local waiting = redis.call('ZCARD', QUEUE)
local place = redis.call('ZRANK', QUEUE, me)
local ahead = place or waiting
local function leave()
  if place then
    redis.call('ZREM', QUEUE, me)
    redis.call('ZREM', DUE, me)
  end
end

-- Reasons: 1 limit, 2 pause, 3 ban, 4 unknown counts.
local at, reason = now, 1
local function hold_until(time, why)
  if time > at then at, reason = time, why end
end
hold_until(tonumber(epoch[2]) + lifetime + span, 4)
hold_until(tonumber(stated[3] or 0), 2)
local ban = tonumber(redis.call('GET', BAN) or 0)
hold_until(ban, 3)
if ban > now then reason = 3 end

if at == now then
  if count == 0 then
    leave()
    return {1, 1}
  end
  local room = permits - used - ahead
  if room >= 1 then
    leave()
    local granted = 1
    -- Nobody stores up permits while others wait, nor more than half of what is free.
    if waiting == 0 then granted = math.max(1, math.min(wanted, math.floor(room / 2))) end
    local expiry = text(now + lifetime + span)
    for index = 0, granted - 1 do
      redis.call('ZADD', FLYING, expiry, prefix .. ':' .. text(first + index))
    end
    keep(FLYING, lifetime + span)
    return {1, granted}
  end
  -- When the permit that is missing is free at the earliest. A request in flight ends now at the earliest.
  local missing, later = used + ahead - permits, now + span
  local flying = redis.call('ZCARD', FLYING)
  local sooner = redis.call('ZCOUNT', ENDED, '-inf', text(later))
  local function ended(index)
    return tonumber(redis.call('ZRANGE', ENDED, index, index, 'WITHSCORES')[2])
  end
  if missing >= used then
    -- One of those ahead must have used its permit first.
    at = later + span * math.floor((missing - used) / permits)
  elseif missing < sooner then
    at = ended(missing)
  elseif missing < sooner + flying then
    at = later
  else
    at = ended(missing - flying)
  end
end

local wait = at - now
if wait > max_wait or (not place and waiting >= MAX_QUEUE) then
  leave()
  return {0, text(wait), reason, 0}
end
if not place then
  redis.call('ZADD', QUEUE, redis.call('HINCRBY', STATED, 'last', 1), me)
  keep(STATED, DAY)
end
redis.call('ZADD', DUE, text(now + math.min(wait, poll) + grace), me)
keep(QUEUE, poll + grace)
keep(DUE, poll + grace)
return {0, text(wait), reason, 1}
