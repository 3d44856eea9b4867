-- Linearizable gets of 10,000 keys, for wrk. Arguments: "raftarium" or "etcd".
local system = "raftarium"
local next_key = 0

function init(arguments)
  system = arguments[1] or system
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
    local body = string.format('{"key":"%s"}', encoded(key))
    return wrk.format("POST", "/v3/kv/range", { ["content-type"] = "application/json" }, body)
  end
  return wrk.format("GET", "/kv/" .. key)
end
