-- Renews the lease that a process has on permits of a bulkhead.
--
-- KEYS  the mark, the bulkhead
-- ARGV  that of the mark, then: revision, limit, life, held, needed, wanted
--
-- key   p1 revision limit life, then for each process: id,sequence,end of its lease,permits,needed,wanted
--
-- answer: time permits share sharers limit life code revision; code 1: other terms apply, 2: they contradict
local revision, limit, life = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
node = string.match(node, '^[^ ]+')
local me = { id = node, needed = tonumber(ARGV[6]), wanted = tonumber(ARGV[7]) }
local held = tonumber(ARGV[5])

local function text(number) return string.format('%.0f', number) end

local function words(line)
  local found = {}
  for word in string.gmatch(line, '[^ ]+') do found[#found + 1] = word end
  return found
end

local others, taken, own, code = {}, 0, nil, 0
local value = redis.call('GET', KEYS[2])
if value then
  local found = words(value)
  local terms = { found[2], tonumber(found[3]), tonumber(found[4]) }
  if found[1] ~= 'p1' or not isWhole(terms[2], 1) or not isWhole(terms[3], 1) then
    return redis.error_reply(foreign(KEYS[2]))
  end
  for n = 5, #found do
    local id, last, ends, permits, needed, wanted =
      string.match(found[n], '^([^,]+),([^,]+),(%d+),(%d+),(%d+),(%d+)$')
    if not wanted then return redis.error_reply(foreign(KEYS[2])) end
    if id == node then
      own = { sequence = last, permits = tonumber(ends) > time and tonumber(permits) or 0, lives = tonumber(ends) > time }
    elseif tonumber(ends) > time then
      others[#others + 1] = { id = id, needed = tonumber(needed), wanted = tonumber(wanted), entry = found[n] }
      taken = taken + tonumber(permits)
    end
  end
  if #others > 0 or (own and own.lives) then
    if revision < terms[1] then
      code = 1
    elseif revision == terms[1] and #others > 0 and (limit ~= terms[2] or life ~= terms[3]) then
      code = 2
    end
    if code > 0 then revision, limit, life = terms[1], terms[2], terms[3] end
  end
end

-- Divides a number over processes so that the least is as large as it can be. What cannot be divided goes round.
local nodes = { me }
for n = 1, #others do nodes[n + 1] = others[n] end
table.sort(nodes, function(a, b) return a.id < b.id end)
for n = 1, #nodes do nodes[n].turn = (n + math.floor(time / life)) % #nodes end
local function divide(amount, of)
  local order = {}
  for n = 1, #nodes do order[n] = nodes[n] end
  table.sort(order, function(a, b)
    if of(a) ~= of(b) then return of(a) < of(b) end
    return a.turn < b.turn
  end)
  for n = 1, #order do
    local part = math.min(of(order[n]), math.floor(amount / (#order - n + 1)))
    order[n].share = (order[n].share or 0) + part
    amount = amount - part
  end
  return amount
end
divide(divide(limit, function(it) return it.needed end), function(it) return it.wanted - it.needed end)

local permits, isRenewed = 0, false
if own and own.sequence >= sequence then
  permits = own.permits
elseif code ~= 2 then
  isRenewed = true
  local base = math.min(held, own and own.permits or 0)
  local free = limit - taken - base
  permits = base + math.max(0, math.min(held - base, free))
  free = free - (permits - base)
  -- Leases of which a new shard knows nothing have ended when a life has passed.
  if time >= birth + life then permits = permits + math.max(0, math.min(me.share - permits, free)) end
  local kept = {}
  for n = 1, #others do kept[n] = others[n].entry end
  kept[#kept + 1] = table.concat({ node, sequence, text(time + life), text(permits), text(me.needed), text(me.wanted) },
    ',')
  value = table.concat({ 'p1', revision, text(limit), text(life), table.concat(kept, ' ') }, ' ')
end
keepMark()
if isRenewed then redis.call('SET', KEYS[2], value) end
return { time, permits, me.share, #nodes, limit, life, code, revision }
