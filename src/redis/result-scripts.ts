/** The scripts of the result store. A key that somebody else wrote fails its own job and no other. */

/**
 * KEYS: fence counter, refused owners; then of each job: result, fence, owners. ARGV: fence TTL in
 * seconds. Returns, for each job, {record} if it has ended, {false} if nobody waits for it or
 * all its owners are refused, {false, 0, why} if its keys are of the wrong kind, else {false, fence,
 * attempts}.
 *
 * One write per job: each is replicated and appended to Redis' file, which costs more than reading.
 */
export const BEGIN = `
local refusing = redis.call("EXISTS", KEYS[2]) == 1
local function unwanted(owners)
  if not owners or owners == "" then return true end
  if not refusing then return false end
  for owner in string.gmatch(owners, "[^\\n]+") do
    if redis.call("SISMEMBER", KEYS[2], owner) == 0 then return false end
  end
  return true
end
local begun = {}
local fresh = {}
for i = 3, #KEYS, 3 do
  local read = {}
  local wrong = false
  for at = 0, 2 do
    local value = redis.pcall("GET", KEYS[i + at])
    if type(value) == "table" and value.err then
      -- Whatever else Redis refuses, it refuses all jobs.
      if not string.find(value.err, "WRONGTYPE", 1, true) then return value end
      wrong = value.err
    end
    read[at] = value
  end
  if wrong then
    begun[#begun + 1] = {false, 0, wrong}
  else
    begun[#begun + 1] = {read[0]}
    if not read[0] and not unwanted(read[2]) then
      local attempts = tonumber(string.match(read[1] or "", " (%d+)$") or "0")
      fresh[#fresh + 1] = {#begun, attempts + 1}
    end
  end
end
if #fresh == 0 then return begun end
local fence = redis.call("INCRBY", KEYS[1], #fresh) - #fresh
for _, one in ipairs(fresh) do
  local i, attempts = one[1], one[2]
  fence = fence + 1
  redis.call("SET", KEYS[i * 3 + 1], string.format("%d %d", fence, attempts), "EX", ARGV[1])
  begun[i] = {false, fence, attempts}
end
return begun
`;

/**
 * KEYS: of each job: result, fence, payload, owners. ARGV: channel, seconds that a fence lives on; then
 * of each job: fence, record, TTL in seconds, job id. Returns, for each job, 1 if the record was
 * written, 0 if the fence is not the newest, else why Redis refused it. One notice tells of all that
 * were written, their ids joined by commas.
 *
 * Fence and owners live no longer than the result from now on: without a result they mean nothing.
 */
export const COMMIT = `
local written = {}
local ended = {}
for i = 1, #KEYS / 4 do
  local key = (i - 1) * 4
  local arg = (i - 1) * 4 + 2
  local newest = redis.pcall("GET", KEYS[key + 2])
  if not newest or type(newest) == "table" or string.match(newest, "^%d+") ~= ARGV[arg + 1] then
    written[i] = 0
  else
    local ttl = ARGV[arg + 3]
    local set = redis.pcall("SET", KEYS[key + 1], ARGV[arg + 2], "EX", ttl)
    if set.err then
      -- Full memory or a disk that fails: over in a moment, and no fault of the job's.
      if not string.find(set.err, "not an integer") and not string.find(set.err, "invalid expire") then
        return set
      end
      written[i] = set.err
    else
      redis.call("DEL", KEYS[key + 3])
      redis.call("EXPIRE", KEYS[key + 2], math.max(tonumber(ttl), tonumber(ARGV[2])))
      redis.call("EXPIRE", KEYS[key + 4], ttl)
      ended[#ended + 1] = ARGV[arg + 4]
      written[i] = 1
    end
  end
end
if #ended > 0 then redis.call("PUBLISH", ARGV[1], table.concat(ended, ",")) end
return written
`;
