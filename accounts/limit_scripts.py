"""What Redis does for limits, each in one step: reserve a call with all its limits, settle it, prolong, look.

Keys begin with a prefix of this run of Redis. `m` + limit: the sliding minute, a hash of seconds with their total
(`t`), oldest (`o`) and newest (`n`). `r` + limit: the running calls by the end of their lease. `b` + limit + start: the
tranche of a budget, which is what the database set aside for Redis to hand out: its `id`, what is `free` of it, what
was `granted` in all, `until` when it may be handed out, and the `cap` of the limit. `c` + call: what the call reserved.
`leases`: the calls by the end of their lease. All times are Redis' own, in milliseconds.

Lua's numbers are doubles: whole up to 2^53. No amount beyond 2^52 comes here (`MOST_EXACT`), and a tranche that has
left that range is closed.
"""

from typing import Final

from proxx.kit.redis_line import Script

MOST_EXACT: Final = 2**52
OK: Final = 1
REFUSED: Final = 0
SHORT: Final = 2
LATE: Final = -1

_NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""

# prefix, call, not after, lease, usual tokens, tokens, nano-dollars, limits (34 bytes each, see shared_limits.py)
RESERVE = Script(
    _NOW
    + """
if now > tonumber(ARGV[3]) then return {-1} end
local P, call, lease, limits = ARGV[1], ARGV[2], tonumber(ARGV[4]), ARGV[8]
local want = {1, tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])}
local second = math.floor(now / 1000)
local known = redis.call('GET', P .. 'c' .. call)
if known then
    local reply = {1}
    for _, entry in ipairs(cmsgpack.unpack(known)) do reply[#reply + 1] = entry[6] end
    return reply
end
local plan, reply, short, refused, wait = {}, {1}, {2}, nil, 0
local place = 0
for at = 1, #limits, 34 do
    place = place + 1
    local code, slot, cap, id, starts = struct.unpack('<c1Bdc16c8', limits, at)
    local amount = want[slot + 1]
    if code == 'm' then
        local key = P .. 'm' .. id
        local said = redis.call('HMGET', key, 't', 'o', 'n')
        local total, oldest, newest = tonumber(said[1]) or 0, tonumber(said[2]), tonumber(said[3])
        if newest and newest + 61 <= second then
            redis.call('DEL', key)
            total, oldest = 0, nil
        elseif oldest and oldest + 61 <= second then
            repeat
                local gone = redis.call('HGET', key, oldest)
                if gone then
                    total = total - gone
                    redis.call('HDEL', key, oldest)
                end
                oldest = oldest + 1
            until oldest + 61 > second
            redis.call('HSET', key, 't', total, 'o', oldest)
        end
        reply[place + 1] = math.max(0, cap - total)
        if total + amount > cap and not refused then
            refused = place
            wait = -1
            if amount <= cap then
                local left, moment = total, oldest or second
                repeat
                    left = left - (redis.call('HGET', key, moment) or 0)
                    moment = moment + 1
                until left + amount <= cap or moment > second
                wait = (moment + 60) * 1000 - now
            end
        end
        plan[place] = {'m', id, amount, slot, second, oldest}
    elseif code == 'r' then
        local key = P .. 'r' .. id
        redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
        reply[place + 1] = 0
        if redis.call('ZCARD', key) >= cap and not refused then
            refused = place
            wait = cap > 0 and 1000 or -1
        end
        plan[place] = {'r', id, 1, slot, 0}
    else
        plan[place] = {'b', id .. starts, amount, slot, cap}
        reply[place + 1] = 0
    end
end
if refused then
    reply[1] = 0
    table.insert(reply, 2, refused)
    table.insert(reply, 3, wait)
    return reply
end
for place, entry in ipairs(plan) do
    if entry[1] == 'b' then
        local key, amount, cap = P .. 'b' .. entry[2], entry[3], entry[5]
        local said = redis.call('HMGET', key, 'id', 'free', 'granted', 'until', 'cap')
        local tranche, free, granted = said[1], tonumber(said[2]), said[3]
        local old, rest = '', 0
        if tranche and (now >= tonumber(said[4]) or cap < tonumber(said[5])) then
            redis.call('DEL', key)
            old, rest, tranche = tranche, math.max(0, free), nil
        elseif tranche and cap > tonumber(said[5]) then
            redis.call('HSET', key, 'cap', cap)
        end
        if not tranche then
            tranche, free, granted = call, 0, '0'
            redis.call('HSET', key, 'id', call, 'free', 0, 'granted', 0, 'until', now + lease / 2, 'cap', cap)
            redis.call('PEXPIRE', key, lease)
        end
        entry[5] = tranche
        if free < amount or old ~= '' then
            for _, word in ipairs({place, amount - free, tranche, granted, old, rest}) do short[#short + 1] = word end
        end
    end
end
if #short > 1 then return short end
for place, entry in ipairs(plan) do
    local code, id, amount = entry[1], entry[2], entry[3]
    local key = P .. code .. id
    if code == 'm' then
        redis.call('HINCRBY', key, 't', amount)
        redis.call('HINCRBY', key, second, amount)
        redis.call('HSET', key, 'n', second, 'o', entry[6] or second)
        redis.call('EXPIRE', key, 62)
        entry[6] = reply[place + 1] - amount
    elseif code == 'r' then
        redis.call('ZADD', key, now + lease, call)
        redis.call('PEXPIRE', key, 2 * lease)
        entry[6] = 0
    else
        redis.call('HINCRBY', key, 'free', 0 - amount) -- of nothing, '-amount' would be '-0', which Redis refuses
        entry[6] = entry[5]
    end
    reply[place + 1] = entry[6]
end
redis.call('SET', P .. 'c' .. call, cmsgpack.pack(plan), 'PX', 2 * lease)
redis.call('ZADD', P .. 'leases', now + lease, call)
return reply
"""
)

# prefix, call, tokens, nano-dollars, for each limit 1 if the answer counts there (or nothing: it counts everywhere)
SETTLE = Script("""
local P, call, counts = ARGV[1], ARGV[2], ARGV[5]
local record = redis.call('GET', P .. 'c' .. call)
redis.call('ZREM', P .. 'leases', call)
if not record then return 0 end
redis.call('DEL', P .. 'c' .. call)
local tokens = tonumber(ARGV[3])
local real = {1, tokens, tokens, tonumber(ARGV[4])}
for place, entry in ipairs(cmsgpack.unpack(record)) do
    local code, id, amount, slot, extra = entry[1], entry[2], entry[3], entry[4], entry[5]
    local key = P .. code .. id
    local charge = 0
    if counts == '' or string.sub(counts, place, place) == '1' then charge = real[slot + 1] end
    if code == 'r' then
        redis.call('ZREM', key, call)
    elseif code == 'm' then
        if slot == 1 and redis.call('HEXISTS', key, extra) == 1 then
            redis.call('HINCRBY', key, 't', charge - amount)
            redis.call('HINCRBY', key, extra, charge - amount)
        end
    elseif redis.call('HGET', key, 'id') == extra then
        local free = redis.call('HINCRBY', key, 'free', amount - charge)
        if math.abs(free) > 9007199254740992 then redis.call('DEL', key) end
    end
end
return 1
""")

# prefix, limit + start, tranche, amount
GRANT = Script("""
local key = ARGV[1] .. 'b' .. ARGV[2]
if redis.call('HGET', key, 'id') ~= ARGV[3] then return 0 end
redis.call('HINCRBY', key, 'free', ARGV[4])
redis.call('HINCRBY', key, 'granted', ARGV[4])
return 1
""")

# prefix, lease, calls
RENEW = Script(
    _NOW
    + """
local P, ends = ARGV[1], now + ARGV[2]
for place = 3, #ARGV do
    local call = ARGV[place]
    local record = redis.call('GET', P .. 'c' .. call)
    if record then
        redis.call('PEXPIRE', P .. 'c' .. call, 2 * ARGV[2])
        redis.call('ZADD', P .. 'leases', 'XX', ends, call)
        for _, entry in ipairs(cmsgpack.unpack(record)) do
            if entry[1] == 'r' then
                redis.call('ZADD', P .. 'r' .. entry[2], 'XX', ends, call)
                redis.call('PEXPIRE', P .. 'r' .. entry[2], 2 * ARGV[2])
            end
        end
    end
end
return #ARGV - 2
"""
)

# prefix, how many at most
EXPIRED = Script(_NOW + "return redis.call('ZRANGEBYSCORE', ARGV[1] .. 'leases', '-inf', now, 'LIMIT', 0, ARGV[2])")

# prefix, limits; returns what is counted by the minute or runs, and of budgets what of the tranche is free
LOOK = Script(
    _NOW
    + """
local P, second, reply = ARGV[1], math.floor(now / 1000), {}
for at = 1, #ARGV[2], 34 do
    local code, slot, cap, id, starts = struct.unpack('<c1Bdc16c8', ARGV[2], at)
    local used = 0
    if code == 'm' then
        local said = redis.call('HGETALL', P .. 'm' .. id)
        for place = 1, #said, 2 do
            local moment = tonumber(said[place])
            if moment and moment + 61 > second then used = used + said[place + 1] end
        end
    elseif code == 'r' then
        used = redis.call('ZCOUNT', P .. 'r' .. id, now, '+inf')
    else
        local said = redis.call('HMGET', P .. 'b' .. id .. starts, 'free', 'until')
        if said[1] and now < tonumber(said[2]) then used = said[1] end
    end
    reply[#reply + 1] = string.format('%.0f', tonumber(used))
end
return reply
"""
)

ON_THE_PATH = (RESERVE, SETTLE, GRANT)
