-- Puts of 258 bytes, or linearizable gets, of 10,000 keys, for wrk. Arguments: "raftarium" or
-- "etcd"; "put" or "get".
local base64 = "YWFh" -- "aaa"; 86 of them are a value of 258 bytes.
local system, operation = "raftarium", "put"
local next_key = 0

function init(arguments)
  system = arguments[1] or system
  operation = arguments[2] or operation
  math.randomseed(os.time())
  next_key = math.random(10000)
end

-- The alphabet of base64, to encode a key.
local alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

local function encoded(text)
  local out = {}
  for i = 1, #text, 3 do
    local a, b, c = text:byte(i, i + 2)
    local n = a * 65536 + (b or 0) * 256 + (c or 0)
    for place = 3, 0, -1 do
      local index = math.floor(n / 64 ^ place) % 64
      out[#out + 1] = (place == 1 and not b or place == 0 and not c) and "=" or alphabet:sub(index + 1, index + 1)
    end
  end
  return table.concat(out)
end

function request()
  next_key = (next_key + 1) % 10000
  local key = string.format("key-%05d", next_key)
  if system == "etcd" then
    local path, value = "/v3/kv/range", ""
    if operation == "put" then
      path, value = "/v3/kv/put", string.format(',"value":"%s"', base64:rep(86))
    end
    local body = string.format('{"key":"%s"%s}', encoded(key), value)
    return wrk.format("POST", path, { ["content-type"] = "application/json" }, body)
  end
  if operation == "put" then
    return wrk.format("PUT", "/kv/" .. key, nil, string.rep("a", 258))
  end
  return wrk.format("GET", "/kv/" .. key)
end
