-- Counts the permits of one budget. The limiter of bitmart-rest counts in the same way in memory.
--
-- KEYS, in this order:
--   the epoch of the server: since when it counts, and the settings of the processes;
--   permits of requests in flight, by the time until which their process may be alive;
--   ended requests, by the time at which their permits of the published limit are free, and by that of the stated limit;
--   waiting callers, by their order, and by the time at which they count as dead;
--   the limit that the last response stated; the end of a ban.
-- All times are microseconds of this server's clock, so that the clocks of the callers do not matter.
local EPOCH, IN_FLIGHT, ENDED, STATED_ENDED, QUEUE, DUE, STATED, BAN = unpack(KEYS)
local MAX_QUEUE = 10000
local DAY = 86400e6

local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1e6 + tonumber(clock[2])

-- Numbers become text with all digits; the default has 14.
local function text(number) return string.format('%.0f', number) end

-- Lets a key expire when it is not needed any more, and not before any of its entries is.
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

-- A limit less the headroom: permits are rounded up and the window is stretched to compensate.
local function less(c, w)
  if c == 0 then return 0, 0 end
  local hundredths = c * (100 - headroom)
  local permits = math.ceil(hundredths / 100)
  return permits, math.ceil(w * permits * 100 / hundredths)
end

-- The limits that are kept: the published one and what the last response stated, which holds for a day. Neither implies
-- the other: 300 in 60 s is slower than 12 in 2 s, and allows 300 at once. A count of zero is unknown.
local stated = redis.call('HMGET', STATED, 'count', 'window', 'paused', 'until')
local limits, longest = {}, 0
local function add(c, w, ended)
  local permits, span = less(c, w)
  local limit = {permits = permits, span = span, ended = ended}
  table.insert(limits, limit)
  longest = math.max(longest, span)
  return limit
end
local published = count > 0 and add(count, window, ENDED)
local is_known = stated[1] and now < tonumber(stated[4] or 0)
local last = is_known and add(tonumber(stated[1]), tonumber(stated[2]), STATED_ENDED)

-- Permits are free one window after the end of their request, or after their process must be dead.
redis.call('ZREMRANGEBYSCORE', IN_FLIGHT, '-inf', text(now - longest))
for _, limit in ipairs(limits) do redis.call('ZREMRANGEBYSCORE', limit.ended, '-inf', text(now)) end
local function in_flight(limit) return redis.call('ZCOUNT', IN_FLIGHT, '(' .. text(now - limit.span), '+inf') end
local function in_use(limit) return in_flight(limit) + redis.call('ZCARD', limit.ended) end

if operation == 'end' then
  local first, ends, counted = tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8] == '1'
  for number = first, first + ends - 1 do
    local member = ARGV[5] .. ':' .. text(number)
    redis.call('ZREM', IN_FLIGHT, member)
    if number == first then
      redis.call('ZREM', QUEUE, member)
      redis.call('ZREM', DUE, member)
    end
    if counted then
      for _, limit in ipairs(limits) do
        redis.call('ZADD', limit.ended, text(now + limit.span), member)
        keep(limit.ended, limit.span)
      end
    end
  end
  return {1}
end

if operation == 'settle' then
  local used, c, w = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
  if c == 0 or w == 0 then return {1} end
  local permits, span = less(c, w)
  local left = math.max(0, permits - used)
  -- Requests of others, until at most `remaining` permits are free. Those in flight count as used.
  local function record_others(limit, remaining)
    for _ = remaining, limit.permits - in_use(limit) - 1 do
      local other = 'other:' .. redis.call('HINCRBY', STATED, 'last', 1)
      redis.call('ZADD', limit.ended, text(now + limit.span), other)
    end
    keep(limit.ended, limit.span)
  end
  -- What others have used is known for the stated window, and so for a published one that is as long.
  -- More than the difference are left if others may use more than is published.
  if published and span <= published.span then record_others(published, math.max(left, published.permits - used)) end
  local function is_stated(limit) return limit and limit.permits == permits and limit.span == span end
  -- The last one counts: a single wrong header must not slow the endpoint down for good.
  if is_stated(published) then
    redis.call('HDEL', STATED, 'count', 'window', 'until')
    redis.call('DEL', STATED_ENDED)
  else
    local limit = last
    if not is_stated(last) then
      -- The same ended requests count in another window, for its own length.
      local known = published or last
      local entries = known and redis.call('ZRANGE', known.ended, 0, -1, 'WITHSCORES') or {}
      redis.call('DEL', STATED_ENDED)
      for index = 1, #entries, 2 do
        local free_at = tonumber(entries[index + 1]) - known.span + span
        if free_at > now then redis.call('ZADD', STATED_ENDED, text(free_at), entries[index]) end
      end
      limit = {permits = permits, span = span, ended = STATED_ENDED}
    end
    redis.call('HSET', STATED, 'count', text(c), 'window', text(w), 'until', text(now + DAY))
    record_others(limit, left)
  end
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
-- known. Nothing is granted until all earlier permits of the published limit have expired. What is in use of a longer
-- stated one, the next response states.
local span = limits[1] and limits[1].span or 0
local epoch = redis.call('HMGET', EPOCH, 'run', 'began', 'settings')
if epoch[1] ~= run then
  redis.call('HSET', EPOCH, 'run', run, 'began', text(now), 'settings', settings)
  epoch = {run, text(now), settings}
end
if epoch[3] ~= settings then return {2, epoch[3]} end

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

-- When the permit of a limit that is missing is free at the earliest. A request in flight ends now at the earliest.
local function earliest(limit)
  local flight, used = in_flight(limit), in_use(limit)
  local missing, later = used + ahead - limit.permits, now + limit.span
  local sooner = redis.call('ZCOUNT', limit.ended, '-inf', text(later))
  local function ended(index)
    return tonumber(redis.call('ZRANGE', limit.ended, index, index, 'WITHSCORES')[2])
  end
  if missing >= used then
    -- One of those ahead must have used its permit first.
    return later + limit.span * math.floor((missing - used) / limit.permits)
  elseif missing < sooner then
    return ended(missing)
  elseif missing < sooner + flight then
    return later
  end
  return ended(missing - flight)
end

if at == now then
  if #limits == 0 then
    leave()
    return {1, 1}
  end
  local room = math.huge
  for _, limit in ipairs(limits) do
    local free = limit.permits - in_use(limit) - ahead
    if free < 1 then hold_until(earliest(limit), 1) end
    room = math.min(room, free)
  end
  if room >= 1 then
    leave()
    local granted = 1
    -- A caller takes permits ahead only while no other waits, and at most half of what is free.
    if waiting == 0 then granted = math.max(1, math.min(wanted, math.floor(room / 2))) end
    local dead_at = text(now + lifetime)
    for index = 0, granted - 1 do
      redis.call('ZADD', IN_FLIGHT, dead_at, prefix .. ':' .. text(first + index))
    end
    keep(IN_FLIGHT, lifetime + longest)
    return {1, granted}
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
