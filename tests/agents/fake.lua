-- A module with nixio's interface: `socket:will(NAME)` sets what the next call does and returns.

local fake = { VERSION = "0.9", const = { EAGAIN = 11, EADDRINUSE = 98, EWOULDBLOCK = 11, buffersize = 4096 } }

local Socket = {}
Socket.__index = Socket

local odd = setmetatable({}, {
  __tostring = function()
    error("no text")
  end,
  __index = function()
    error("no field")
  end,
})

local function deep()
  return 1 + deep()
end

local RESULTS = {
  -- values
  nothing = function() end,
  ["nil"] = function() return nil end,
  ["false"] = function() return false end,
  ["true"] = function() return true end,
  three = function() return 1, nil, "x" end,
  ["trailing nils"] = function() return 1, nil, nil end,
  fraction = function() return 0.1 end,
  ["whole float"] = function() return 3.0 end,
  ["minus zero"] = function() return -0.0 end,
  ["2^53"] = function() return 2 ^ 53 end,
  ["-2^63"] = function() return -2 ^ 63 end,
  ["2^63"] = function() return 2 ^ 63 end,
  huge = function() return 1e300 end,
  nan = function() return 0 / 0 end,
  infinite = function() return -math.huge end,
  ["odd table"] = function() return odd end,
  ["a function"] = function() return print end,
  ["another socket"] = function() return fake.socket("inet", "dgram") end,
  -- texts and buffers
  data = function() return "\0\255\195\169" end,
  text = function() return "h\195\169\"\\/\n\t\127\1" end,
  ["not UTF-8"] = function() return "/tmp/\255" end,
  ["overlong UTF-8"] = function() return "\192\175" end,
  ["a surrogate in UTF-8"] = function() return "\237\160\128" end,
  abstract = function() return "\0name" end,
  path = function() return "/tmp/path" end,
  -- failures
  system = function() return nil, 98, "in use" end,
  unnamed = function() return nil, 111, "refused" end,
  ["no message"] = function() return nil, 98 end,
  ["odd message"] = function() return nil, 98, odd end,
  ["message not UTF-8"] = function() return nil, 98, "\255!" end,
  ["would block"] = function() return false, 11, "again" end,
  resolver = function() return nil, -2, "unknown" end,
  ["unknown resolver"] = function() return nil, -99, "?" end,
  ["false and an error"] = function() return false, 98, "in use" end,
  ["nil and a text"] = function() return nil, "refused" end,
  ["errno 0"] = function() return nil, 0, "Success" end,
  ["errno 1.5"] = function() return nil, 1.5, "?" end,
  ["errno true"] = function() return nil, true, "?" end,
  -- errors
  ["refuses"] = function() error("bad argument #1 to 'bind' (number expected)") end,
  ["refuses with a table"] = function() error({}) end,
  ["refuses with an odd table"] = function() error(odd) end,
  ["refuses with nil"] = function() error(nil) end,
  ["attempt to bind"] = function() error("attempt to bind a closed socket") end,
  ["index"] = function() return (nil).x end,
  ["call"] = function() return odd.__nothing() end,
  ["call nil"] = function() local f; f() end,
  ["arithmetic"] = function() return 1 + {} end,
  ["arithmetic on a field"] = function() local t = {}; return t.a + 1 end,
  ["concatenation"] = function() return "a" .. {} end,
  ["comparison"] = function() return 1 < "x" end,
  ["comparison of two"] = function() return {} < {} end,
  ["length"] = function() local n; return #n end,
  ["deep"] = deep,
  ["memory"] = function() error("not enough memory", 0) end,
  ["for"] = function() for _ = 1, {} do end end,
  -- noise
  ["prints"] = function() print("noise", 1, nil) io.write("more\n") io.stdout:write("x\n") return true end,
  ["reads"] = function() return io.read("*l"), io.stdin:read("*l") end,
  ["closes"] = function() pcall(io.close) pcall(io.stdin.close, io.stdin) pcall(io.stdout.close, io.stdout) return true end,
  ["runs a program"] = function() os.execute("echo noise; cat") return true end,
  ["changes the world"] = function()
    tostring, pcall, type, error, pairs, ipairs, select, setmetatable, getmetatable, unpack = nil
    string.format, string.gsub, string.find, string.byte, string.sub, string.match = nil
    table.concat, math.floor, collectgarbage = nil, nil, nil
    print = nil
    return true
  end,
  ["leaves garbage that raises"] = function()
    for _ = 1, 5 do
      local function raise()
        error("in a finalizer")
      end
      if newproxy then
        getmetatable(newproxy(true)).__gc = raise
      else
        setmetatable({}, { __gc = raise })
      end
    end
    return true
  end,
  ["leaves"] = function() os.exit(7) end,
}

local function act(self, ...)
  local name = self.next
  self.next = nil
  if name then
    return RESULTS[name]()
  end
  return ...
end

function fake.socket(domain, kind, protocol)
  if domain == "callable" then
    return setmetatable({}, { __index = { close = setmetatable({}, { __call = function() return true end }) } })
  elseif domain == "raising" then
    return setmetatable({}, { __index = function(_, name)
      return name == "close" and print or error("no " .. name)
    end })
  elseif domain ~= "inet" then
    error("unknown domain")
  end
  fake.open = (fake.open or 0) + 1
  local closed = newproxy and newproxy(true) or setmetatable({}, { __gc = function() fake.open = fake.open - 1 end })
  if newproxy then
    getmetatable(closed).__gc = function() fake.open = fake.open - 1 end
  end
  return setmetatable({ closed = closed, kind = kind, protocol = protocol }, Socket)
end

function Socket:will(name)
  assert(RESULTS[name], name)
  self.next = name
end

function Socket:count(...)
  return select("#", ...), fake.open
end

function Socket:kinds(...)
  local kinds = {}
  for index = 1, select("#", ...) do
    kinds[index] = type((select(index, ...)))
  end
  return table.concat(kinds, " ")
end

function Socket:close()
  self.next = nil
  error("closing fails")
end

for _, name in ipairs({
  "echo", "bind", "recv", "read", "recvfrom", "accept", "getsockname", "getpeername", "setopt", "getopt", "send",
}) do
  Socket[name] = act
end

return fake
