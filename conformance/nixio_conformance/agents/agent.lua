--[[
The agent for Lua implementations: hosts one module with nixio's interface and answers the requests of the protocol.

    lua agent.lua [--path TEMPLATES] [--cpath TEMPLATES] MODULE

MODULE is a name for `require`, or a path to a .lua file. One file for Lua 5.1 to 5.4 and LuaJIT without dependencies,
so that it can be copied anywhere (docs/lua.md). docs/protocol.md describes the protocol; `python.py` beside this file
is the agent for Python.

The implementation may change its global environment; that must not affect the agent. Therefore every function of the
standard library that is used here is a local variable set before the module is loaded, no method of a string is used,
and every access to a value of the implementation is a protected call.
]]

local PROTOCOL = 1
-- The maximum number of bytes of a message and of a foreign value as text: an implementation's may be of any length.
local MAX_TEXT = 2000
local MAX_REPR = 200

local byte, char, find, format, gmatch, gsub, lower, match, sub =
  string.byte, string.char, string.find, string.format, string.gmatch, string.gsub, string.lower, string.match, string.sub
local concat = table.concat
local floor, huge, math_type = math.floor, math.huge, math.type
local collect, error, getenv, ipairs, loadfile, next, pairs, pcall, rawget, require, select, tonumber, tostring, type =
  collectgarbage, error, os.getenv, ipairs, loadfile, next, pairs, pcall, rawget, require, select, tonumber, tostring, type
local getmetatable = getmetatable
local unpack = table.unpack or unpack
local exit, io, package, remove = os.exit, io, package, os.remove
local jit = rawget(_G, "jit")
local language = jit and jit.version or _VERSION

-- ---------------------------------------------------------------------------------------------------------- text

-- The length of the UTF-8 sequence that begins at `at`; nil if it is not valid.
local function sequence(text, at)
  local first, second = byte(text, at, at + 1)
  local length, low, high = nil, 0x80, 0xBF
  if first < 0x80 then
    return 1
  elseif first >= 0xC2 and first <= 0xDF then
    length = 2
  elseif first >= 0xE0 and first <= 0xEF then
    length = 3
    low = first == 0xE0 and 0xA0 or low
    high = first == 0xED and 0x9F or high -- no surrogates
  elseif first >= 0xF0 and first <= 0xF4 then
    length = 4
    low = first == 0xF0 and 0x90 or low
    high = first == 0xF4 and 0x8F or high
  end
  if not length or not second or second < low or second > high then
    return nil
  end
  for index = at + 2, at + length - 1 do
    local following = byte(text, index)
    if not following or following < 0x80 or following > 0xBF then
      return nil
    end
  end
  return length
end

local function is_utf8(text)
  local at = find(text, "[\128-\255]")
  while at do
    local length = sequence(text, at)
    if not length then
      return false
    end
    at = find(text, "[\128-\255]", at + length)
  end
  return true
end

-- Text that can be sent: bytes that are not UTF-8 are escaped as \xNN, and the length is bounded.
local function clean(text, limit)
  text = sub(text, 1, limit or MAX_TEXT)
  if is_utf8(text) then
    return text
  end
  local parts, at = {}, 1
  while at <= #text do
    local length = sequence(text, at)
    parts[#parts + 1] = length and sub(text, at, at + length - 1) or format("\\x%02x", byte(text, at))
    at = at + (length or 1)
  end
  return concat(parts)
end

-- Any value as text, even if its __tostring raises an error.
local function describe(value, limit)
  local fine, text = pcall(tostring, value)
  if fine and type(text) == "string" then
    return clean(text, limit)
  end
  return "(a " .. type(value) .. " whose tostring raises an error)"
end

-- ---------------------------------------------------------------------------------------------------------- JSON

-- Stands for null in decoded values: nil in a list would change its length.
local NULL = {}

-- The built-in JSON codec.
local own = {}

local LITERALS = { ["true"] = true, ["false"] = false, ["null"] = NULL }
local ESCAPES = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", ['"'] = '"', ["\\"] = "\\", ["/"] = "/" }
-- Most nested lists and objects, so that no request can exhaust the stack.
local MAX_DEPTH = 100

local function utf8_char(code)
  if code < 0x80 then
    return char(code)
  elseif code < 0x800 then
    return char(0xC0 + floor(code / 0x40), 0x80 + code % 0x40)
  elseif code < 0x10000 then
    return char(0xE0 + floor(code / 0x1000), 0x80 + floor(code / 0x40) % 0x40, 0x80 + code % 0x40)
  end
  return char(
    0xF0 + floor(code / 0x40000), 0x80 + floor(code / 0x1000) % 0x40, 0x80 + floor(code / 0x40) % 0x40,
    0x80 + code % 0x40
  )
end

local function parse_error(at, what)
  error(format("%s at byte %d", what, at), 0)
end

local function escaped(text, at)
  local character = sub(text, at + 1, at + 1)
  if ESCAPES[character] then
    return ESCAPES[character], at + 2
  end
  local digits = match(text, "^u(%x%x%x%x)", at + 1)
  if not digits then
    parse_error(at, "an invalid escape")
  end
  local code = tonumber(digits, 16)
  if code < 0xD800 or code > 0xDFFF then
    return utf8_char(code), at + 6
  end
  local second = code < 0xDC00 and match(text, "^\\u([dD][c-fC-F]%x%x)", at + 6)
  if not second then
    parse_error(at, "half of a surrogate pair")
  end
  return utf8_char(0x10000 + (code - 0xD800) * 0x400 + tonumber(second, 16) - 0xDC00), at + 12
end

local function decode_text(text, at)
  local stop = find(text, '["\\]', at)
  if stop and byte(text, stop) == 34 then
    return sub(text, at, stop - 1), stop + 1 -- most strings have no escapes
  end
  local parts = {}
  while stop do
    parts[#parts + 1] = sub(text, at, stop - 1)
    if byte(text, stop) == 34 then
      return concat(parts), stop + 1
    end
    parts[#parts + 1], at = escaped(text, stop)
    stop = find(text, '["\\]', at)
  end
  parse_error(#text, "a string without an end")
end

-- In Lua 5.3 and later, tonumber makes a number without point and exponent an integer, else a float.
local function decode_number(text, at)
  local digits = match(text, "^-?%d+%.?%d*[eE]?[+-]?%d*", at)
  local number = digits and (tonumber(digits) or tonumber((gsub(digits, "%.", ",")))) -- a locale may be set
  if not number then
    parse_error(at, "no JSON value")
  end
  return number, at + #digits
end

local decode_value

local function decode_list(text, at, depth)
  local list, length = {}, 0
  at = find(text, "[^ \t\r\n]", at)
  if at and byte(text, at) == 93 then
    return list, at + 1
  end
  while at do
    length = length + 1
    list[length], at = decode_value(text, at, depth)
    local _, last, mark = find(text, "^[ \t\r\n]*([%],])", at)
    if mark == "]" then
      return list, last + 1
    end
    at = last and last + 1
  end
  parse_error(#text, "a list without an end")
end

local function decode_object(text, at, depth)
  local object = {}
  local _, last, mark = find(text, '^[ \t\r\n]*([}"])', at)
  while mark == '"' do
    local key, value
    key, at = decode_text(text, last + 1)
    at = match(text, "^[ \t\r\n]*:()", at) or parse_error(at, "a name without a value")
    value, at = decode_value(text, at, depth)
    object[key] = value
    _, last, mark = find(text, "^[ \t\r\n]*([},])", at)
    if mark == "," then
      _, last, mark = find(text, '^[ \t\r\n]*(")', last + 1)
    end
  end
  if mark ~= "}" then
    parse_error(at, "an object without an end")
  end
  return object, last + 1
end

function decode_value(text, at, depth)
  at = find(text, "[^ \t\r\n]", at) or parse_error(#text, "a missing value")
  local first = byte(text, at)
  if first == 34 then
    return decode_text(text, at + 1)
  elseif first == 91 or first == 123 then
    if depth >= MAX_DEPTH then
      parse_error(at, "lists nested too deeply")
    end
    return (first == 91 and decode_list or decode_object)(text, at + 1, depth + 1)
  end
  local literal = match(text, "^%l+", at)
  if literal and LITERALS[literal] ~= nil then
    return LITERALS[literal], at + #literal
  end
  return decode_number(text, at)
end

function own.decode(text)
  local value, at = decode_value(text, 1, 0)
  if find(text, "[^ \t\r\n]", at) then
    parse_error(at, "more than one value")
  end
  return value
end

local QUOTED = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

local function quoted_character(character)
  return QUOTED[character] or format("\\u%04x", byte(character))
end

-- A string that is valid UTF-8, as JSON.
function own.quote(text)
  return '"' .. gsub(text, '[%c"\\]', quoted_character) .. '"'
end

--[[
Libraries, in the order in which they are tried. They decode requests and quote strings. The rest of a reply, with its
lists and numbers, is written here: libraries differ in how they write an empty list, a nil in a list and 2^53 + 1
(lua-cjson writes an empty table as an object, and rounds to 14 digits).
]]
local LIBRARIES = { "cjson", "dkjson", "luci.jsonc" }
local ADAPTERS = {}

function ADAPTERS.cjson(cjson)
  local decode, null = cjson.decode, cjson.null
  local function known(value)
    if value == null then
      return NULL
    elseif type(value) == "table" then
      for key, inner in next, value do
        value[key] = known(inner)
      end
    end
    return value
  end
  return {
    decode = function(text)
      return known(decode(text))
    end,
    quote = cjson.encode,
  }
end

function ADAPTERS.dkjson(dkjson)
  local decode = dkjson.decode
  return {
    decode = function(text)
      local value, at, message = decode(text, 1, NULL, nil)
      if message then
        error(message, 0)
      elseif find(text, "[^ \t\r\n]", at) then
        parse_error(at, "more than one value")
      end
      return value
    end,
    quote = dkjson.quotestring,
  }
end

-- It decodes null as nil, which loses the length of a list: the built-in decoder takes the lines with a null.
ADAPTERS["luci.jsonc"] = function(jsonc)
  local parse = jsonc.parse
  return {
    decode = function(text)
      return find(text, "null", 1, true) and own.decode(text) or parse(text)
    end,
    quote = jsonc.stringify,
  }
end

-- Every codec must decode these like the built-in one. lua-cjson makes every number a float, which Lua 5.3 and later
-- distinguish from an integer (port 80 would become the text "80.0"); there it is not used.
local PROBES = {
  '[1, -7, 9007199254740993, 9223372036854775807, 18446744073709551615, 1.5, 2.0, 1e300, -0.25, 4294967296]',
  '["", "a\\"b\\\\c\\/\\u0000\\u001f\\n\\t", "\\u00e9\\u20ac\\ud83d\\ude00", "\195\169\127"]',
  '{"args": [null, true, false, [], [null, 1], {"hex": "00ff"}, null], "id": 3}',
}
local QUOTES = { "", 'a"b\\c/\0\31\n\t\127', "\195\169\226\130\172\240\159\152\128" }

local function alike(one, other)
  if type(one) ~= "table" or type(other) ~= "table" or one == NULL or other == NULL then
    return one == other and (not math_type or math_type(one) == math_type(other))
  end
  for key, value in next, one do
    if not alike(value, other[key]) then
      return false
    end
  end
  for key in next, other do
    if one[key] == nil then
      return false
    end
  end
  return #one == #other
end

local function exact(codec)
  for _, text in ipairs(PROBES) do
    local fine, value = pcall(codec.decode, text)
    if not fine or not alike(own.decode(text), value) then
      return false
    end
  end
  for _, text in ipairs(QUOTES) do
    local fine, quoted = pcall(codec.quote, text)
    if not fine or type(quoted) ~= "string" or find(quoted, "\n", 1, true) or own.decode(quoted) ~= text then
      return false
    end
  end
  return true
end

-- The codec called `name`: a library or `own`; for an empty name, the first library that is exact, else `own`.
-- nil and the reason if there is no such codec.
local function codec_called(name)
  if name == "own" then
    return own
  end
  local reason = format("NIXIO_AGENT_JSON asks for %s; it is one of own, %s", name, concat(LIBRARIES, ", "))
  for _, library in ipairs(LIBRARIES) do
    if name == "" or name == library then
      local fine, found = pcall(require, library)
      local made, codec = pcall(ADAPTERS[library], found)
      if fine and made and exact(codec) then
        return codec
      end
      reason = format("NIXIO_AGENT_JSON asks for %s, which %s", library,
        fine and "does not keep this Lua's numbers and strings exact" or "cannot be loaded")
    end
  end
  if name == "" then
    return own
  end
  return nil, reason
end

local codec = own

local function quote(text)
  return codec.quote(text)
end

-- A number as JSON: an integer if it has no fraction, whatever its type in Lua. nil if JSON or 64 bits cannot hold it.
local function number_text(number)
  if math_type and math_type(number) == "integer" then
    return format("%d", number)
  elseif number ~= number or number >= 2 ^ 64 or number < -2 ^ 63 then
    return nil
  elseif number == 0 then
    return "0" -- never -0
  elseif floor(number) == number then
    return format("%.0f", number)
  end
  return (gsub(format("%.17g", number), ",", "."))
end

-- ------------------------------------------------------------------------------------------------------- streams

--[[
Input and output for the protocol that the implementation does not interfere with. An implementation may print, or
read or close the standard streams: its input is /dev/null and its output is standard error. With LuaJIT's ffi or
luaposix the protocol uses duplicates of descriptors 0 and 1, which no child process inherits; then the implementation
cannot affect it. In a plain Lua only print and io are redirected: C code or a child process that writes to
descriptor 1 still disturbs the protocol.
]]

-- Returns a function that returns the next line, given one that returns the next bytes, or nil at end of file.
local function lines_of(read)
  local rest = ""
  return function()
    local parts, chunk = {}, rest
    while chunk do
      local stop = find(chunk, "\n", 1, true)
      if stop then
        parts[#parts + 1] = sub(chunk, 1, stop - 1)
        rest = sub(chunk, stop + 1)
        return concat(parts)
      end
      parts[#parts + 1] = chunk
      chunk = read()
    end
  end
end

local EINTR = 4 -- on every system
local CHUNK = 65536

local function ffi_streams()
  if not jit or jit.os == "Windows" then
    return nil
  end
  local ffi = require("ffi")
  -- Under other names, so that the implementation may declare the same functions.
  ffi.cdef([[
    int nixio_agent_dup(int) __asm__("dup");
    int nixio_agent_dup2(int, int) __asm__("dup2");
    int nixio_agent_open(const char *, int, ...) __asm__("open");
    int nixio_agent_close(int) __asm__("close");
    int nixio_agent_fcntl(int, int, ...) __asm__("fcntl");
    intptr_t nixio_agent_read(int, void *, size_t) __asm__("read");
    intptr_t nixio_agent_write(int, const void *, size_t) __asm__("write");
  ]])
  local C, errno, string_of, cast = ffi.C, ffi.errno, ffi.string, ffi.cast
  local read, write = C.nixio_agent_read, C.nixio_agent_write
  local requests, replies = C.nixio_agent_dup(0), C.nixio_agent_dup(1)
  local null = C.nixio_agent_open("/dev/null", 0)
  if requests < 0 or replies < 0 or null < 0 then
    return nil
  end
  for _, descriptor in ipairs({ requests, replies }) do
    C.nixio_agent_fcntl(descriptor, 2, cast("int", 1)) -- F_SETFD, FD_CLOEXEC: the same numbers everywhere
  end
  C.nixio_agent_dup2(null, 0)
  C.nixio_agent_close(null)
  C.nixio_agent_dup2(2, 1)
  local space = ffi.new("char[?]", CHUNK)
  local function read_chunk()
    local count
    repeat
      count = tonumber(read(requests, space, CHUNK))
    until count >= 0 or errno() ~= EINTR
    return count > 0 and string_of(space, count) or nil
  end
  local function put(text)
    local start, at = cast("const char *", text), 0
    while at < #text do
      local count = tonumber(write(replies, start + at, #text - at))
      if count < 0 and errno() ~= EINTR then
        exit(1) -- the suite has closed the pipe
      end
      at = at + (count > 0 and count or 0)
    end
  end
  return lines_of(read_chunk), put
end

local function posix_streams()
  local unistd, fcntl = require("posix.unistd"), require("posix.fcntl")
  local requests, replies = unistd.dup(0), unistd.dup(1)
  local null = fcntl.open("/dev/null", fcntl.O_RDONLY)
  if not requests or not replies or not null then
    return nil
  end
  for _, descriptor in ipairs({ requests, replies }) do
    fcntl.fcntl(descriptor, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
  end
  unistd.dup2(null, 0)
  unistd.close(null)
  unistd.dup2(2, 1)
  local read, write = unistd.read, unistd.write
  local function read_chunk()
    local data, _, number
    repeat
      data, _, number = read(requests, CHUNK)
    until data or number ~= EINTR
    return data ~= "" and data or nil
  end
  local function put(text)
    while text ~= "" do
      local count, _, number = write(replies, text)
      if not count and number ~= EINTR then
        exit(1) -- the suite has closed the pipe
      end
      text = sub(text, (count or 0) + 1)
    end
  end
  return lines_of(read_chunk), put
end

local function plain_streams()
  local requests, replies, errors = io.stdin, io.stdout, io.stderr
  local null = io.open("/dev/null", "r") or io.open("NUL", "r") or io.tmpfile()
  io.stdin, io.stdout = null, errors
  io.input(null)
  io.output(errors)
  function _G.print(...)
    local texts = {}
    for index = 1, select("#", ...) do
      texts[index] = tostring((select(index, ...)))
    end
    errors:write(concat(texts, "\t"), "\n")
  end
  local read, write, flush = requests.read, replies.write, replies.flush
  local function line()
    local text, _, number
    repeat
      text, _, number = read(requests, "*l")
    until text or number ~= EINTR
    return text
  end
  local function put(text)
    if not write(replies, text) or not flush(replies) then
      exit(1) -- the suite has closed the pipe
    end
  end
  return line, put
end

local function private_streams()
  for _, make in ipairs({ ffi_streams, posix_streams }) do
    local fine, line, put = pcall(make)
    if fine and line then
      io.stdout:setvbuf("no")
      return line, put
    end
  end
  return plain_streams()
end

-- ------------------------------------------------------------------------------------------------------- signals

-- Install a handler for SIGUSR1 that does nothing, so that the signal interrupts a call. The handler is a C function,
-- as one in Lua could run at any moment. `siginterrupt`, because with signal() alone calls would be restarted.
local function handle_signal_by_ffi()
  if not jit or jit.os == "Windows" then
    return false
  end
  local ffi = require("ffi")
  ffi.cdef([[
    int nixio_agent_nothing(int) __asm__("abs");
    void *nixio_agent_signal(int, void *) __asm__("signal");
    int nixio_agent_siginterrupt(int, int) __asm__("siginterrupt");
  ]])
  local number = jit.os ~= "Linux" and 30 or match(jit.arch, "^mips") and 16 or 10
  local before = ffi.C.nixio_agent_signal(number, ffi.cast("void *", ffi.C.nixio_agent_nothing))
  return before ~= ffi.cast("void *", -1) and ffi.C.nixio_agent_siginterrupt(number, 1) == 0
end

-- luaposix runs the handler in a hook before the next instruction of Lua, and does not restart calls.
local function handle_signal_by_posix()
  local signal = require("posix.signal")
  signal.signal(signal.SIGUSR1, function() end)
  return true
end

local function handles_signals()
  for _, try in ipairs({ handle_signal_by_ffi, handle_signal_by_posix }) do
    local fine, handled = pcall(try)
    if fine and handled then
      return true
    end
  end
  return false
end

-- -------------------------------------------------------------------------------------------------------- errors

-- The resolver's codes are negative on Linux, with glibc and with musl, and so cannot be mistaken for an errno.
local RESOLVER = {
  "EAI_BADFLAGS", "EAI_NONAME", "EAI_AGAIN", "EAI_FAIL", "EAI_NODATA", "EAI_FAMILY", "EAI_SOCKTYPE", "EAI_SERVICE",
  "EAI_ADDRFAMILY", "EAI_MEMORY", "EAI_SYSTEM", "EAI_OVERFLOW",
}

-- Errors of the interpreter, which are bugs of the implementation. Any other error is the refusal of an argument.
local RUNTIME = {
  "^attempt to index .*a %S+ value", "^attempt to call .*a %S+ value", "^attempt to perform arithmetic on ",
  "^attempt to concatenate .*a %S+ value", "^attempt to get length of .*a %S+ value",
  "^attempt to compare two %S+ values", "^attempt to compare %S+ with %S+", "^attempt to perform bitwise operation on ",
  "^attempt to perform 'n", "^attempt to divide by zero", "^number has no integer representation",
  "^number .*has no integer representation", "^table index is ", "^index is n", "^table overflow",
  "^'for' %S+ %S*%s?must be a number", "^'for' step is zero", "^bad 'for' ", "stack overflow", "^not enough memory",
  "^error in error handling", "^error in __gc", "^string length overflow", "^attempt to yield ", "^cannot resume ",
  "^missing declaration for symbol ", "^bad callback$", "undefined symbol: ", "^too many results to unpack",
  "^invalid key to 'next'", "^'__%l+' chain too long", "^loop in gettable", "^loop in settable",
}

local function is_runtime(message)
  local text = match(message, "^[^\n]-:%d+: (.*)$") or message
  for _, pattern in ipairs(RUNTIME) do
    if find(text, pattern) then
      return true
    end
  end
  return false
end

local function failure(kind, message, number, name)
  return format('"reply":"failure","kind":"%s"%s%s,"message":%s', kind,
    number and ',"number":' .. number_text(number) or "", name and ',"name":' .. quote(name) or "", quote(message))
end

local function raised(object)
  if type(object) == "string" and is_runtime(object) then
    return failure("exception", clean(object))
  end
  return failure("argument", object == nil and "(nil was raised as an error)" or describe(object))
end

-- --------------------------------------------------------------------------------------------------- one module

local module, factory
local system = { names = {}, again = {} }

-- A field of the implementation's value; nil if it has none, or if the lookup raises an error.
local function field(value, name)
  local fine, found = pcall(function()
    return value[name]
  end)
  return fine and found or nil
end

local function is_callable(value)
  if type(value) == "function" or type(value) == "cdata" then
    return true
  end
  local metatable = getmetatable(value)
  return type(metatable) == "table" and rawget(metatable, "__call") ~= nil
end

local function platform()
  if jit then
    return jit.os == "OSX" and "darwin" or lower(jit.os)
  elseif sub(package.config, 1, 1) == "\\" then
    return "windows"
  end
  local file = io.open("/proc/sys/kernel/ostype")
  local name = file and file:read("*l")
  if file then
    file:close()
  end
  if not name and io.popen then
    local fine, pipe = pcall(io.popen, "uname -s 2>/dev/null")
    name = fine and pipe and pipe:read("*l")
    if fine and pipe then
      pipe:close()
    end
  end
  return name and lower(name) or "posix"
end

local here = platform()

-- Whether a number can be an errno, or the negative code of a resolver.
local function is_code(number)
  return type(number) == "number" and number == floor(number) and number ~= 0 and number > -2 ^ 31 and number < 2 ^ 31
end

-- Error names from the implementation's constants `const.EAGAIN` and others, as nixio has them. Other errors are sent
-- by number only, and the suite uses its host's names.
local function learn_errors()
  local const = field(module, "const")
  if type(const) == "table" then
    for name, number in next, const do
      if type(name) == "string" and is_code(number) and number > 0 and match(name, "^E[%u%d]+$") then
        local known = system.names[number]
        if not known or name == "EAGAIN" or (known ~= "EAGAIN" and name < known) then
          system.names[number] = name
        end
      end
    end
    for _, name in ipairs({ "EAGAIN", "EWOULDBLOCK" }) do
      if is_code(const[name]) then
        system.again[const[name]] = true
      end
    end
  end
  if not next(system.again) then
    system.again[here == "linux" and 11 or here == "windows" and 10035 or 35] = true
  end
end

--[[
The failure that results stand for, as a reply; nil if they are no failure. nixio's failure is nil, errno, message, with
false instead of nil if the call would block.

false asks the caller to try again, and with another error than EAGAIN the caller would loop for ever: that is no
failure of the contract, and sent as an `exception`. So are nil and a text, as LuaSocket returns, and an invalid errno.
]]
local function failed(results)
  local first, number = results[2], results[3]
  if (first ~= nil and first ~= false) or results.n < 3 or number == nil then
    return nil
  end
  local message = results.n >= 4 and results[4] ~= nil and describe(results[4]) or ""
  if type(number) == "string" then
    return failure("exception", format("returned %s and a text, %q: a failure is nil, errno, message",
      describe(first), clean(number)))
  elseif not is_code(number) then
    return failure("exception", format("returned %s and %s, which is not an errno", describe(first), describe(number)))
  elseif number < 0 then
    return failure("resolver", message, number, here == "linux" and RESOLVER[-number] or nil)
  elseif first == nil then
    return failure("system", message, number, system.names[number])
  elseif system.again[number] then
    return failure("would-block", message, number, "EAGAIN")
  end
  return failure("exception", format("returned false with errno %d, %q: false is for EAGAIN alone", number, message))
end

-- -------------------------------------------------------------------------------------------------------- values

local HEX, BYTES = {}, {}
for code = 0, 255 do
  local digits = format("%02x", code)
  HEX[char(code)] = digits
  BYTES[digits] = char(code)
  BYTES[format("%02X", code)] = char(code)
end

local sockets, numbers, last = {}, {}, 0

local function hold(socket)
  if not numbers[socket] then
    last = last + 1
    numbers[socket], sockets[last] = last, socket
  end
  return numbers[socket]
end

-- Whether a result is a socket: it has some of a socket's methods. An implementation may lack any of them.
local function is_socket(value)
  local kind = type(value)
  if kind ~= "userdata" and kind ~= "table" and kind ~= "cdata" then
    return false
  end
  for _, name in ipairs({ "fileno", "recv", "close", "getsockname" }) do
    if is_callable(field(value, name)) then
      return true
    end
  end
  return false
end

local function buffer(data)
  return '{"type":"buffer","hex":"' .. gsub(data, ".", HEX) .. '"}'
end

-- A result as JSON. A string is text if it can be: abstract UNIX names begin with NUL, and a path may be any bytes.
local function value_text(value, is_data)
  local kind = type(value)
  if kind == "nil" then
    return "null"
  elseif kind == "boolean" then
    return value and "true" or "false"
  elseif kind == "number" then
    local text = number_text(value)
    if text then
      return text
    end
  elseif kind == "string" then
    return (is_data or byte(value) == 0 or not is_utf8(value)) and buffer(value) or quote(value)
  elseif is_socket(value) then
    return '{"type":"socket","socket":' .. hold(value) .. "}"
  end
  return format('{"type":"foreign","name":%s,"repr":%s}', quote(kind), quote(describe(value, MAX_REPR)))
end

-- Methods whose first value is always a buffer.
local DATA = { recv = true, read = true, recvfrom = true }
-- Number of values in the contract: Lua programs do not distinguish `return path` from `return path, nil`.
local ARITY = { getsockname = 2, getpeername = 2, accept = 3, recvfrom = 3 }

-- Options whose value is a pair, passed as two arguments in Lua: setopt("socket", "rcvtimeo", 1, 500000).
local PAIRS = { rcvtimeo = true, sndtimeo = true, add_membership = true, drop_membership = true }

-- One argument as a value of Lua. A list that is not the pair of an option is passed as a table.
local function argument(given)
  if type(given) ~= "table" then
    return given
  elseif given == NULL then
    return nil
  elseif given.hex then
    return (gsub(given.hex, "%x%x", BYTES))
  end
  local list = {}
  for index, inner in ipairs(given) do
    list[index] = argument(inner)
  end
  return list
end

-- The arguments of a call, and their number, as some may be nil.
local function arguments_of(method, list)
  local arguments, count = {}, #list
  for index = 1, count do
    arguments[index] = argument(list[index])
  end
  local pair = list[3]
  if method == "setopt" and PAIRS[list[2]] and type(pair) == "table" and #pair == 2 then
    arguments[3], arguments[4] = argument(pair[1]), argument(pair[2])
    count = count + 1
  end
  return arguments, count
end

--[[
Garbage is collected only during calls of the implementation and on request of the suite: its finalizers may raise
errors, which in most versions of Lua surface wherever memory is allocated next.
]]
local function invoke(target, ...)
  collect("restart")
  return target(...)
end

local function results_of(...)
  collect("stop")
  return { n = select("#", ...), ... }
end

-- An implementation that fails without an error of the system returns a stale errno. This sets errno to one that no
-- socket call returns (ENOTDIR), so that such an implementation gets the same verdict in every run.
local function set_stale_errno()
  remove("/dev/null/nixio")
end

local function unsupported(message, missing)
  return format('"reply":"unsupported","message":%s,"missing":%s', quote(clean(message)), missing and "true" or "false")
end

-- Call the implementation; `method` decides how the results are sent.
local function call(method, target, list, subject)
  if type(list) ~= "table" then
    return unsupported("a request without args", false)
  end
  local arguments, count = arguments_of(method, list)
  local results
  set_stale_errno()
  if subject ~= nil then
    results = results_of(pcall(invoke, target, subject, unpack(arguments, 1, count)))
  else
    results = results_of(pcall(invoke, target, unpack(arguments, 1, count)))
  end
  if not results[1] then
    return raised(results[2])
  end
  local failure_reply = failed(results)
  if failure_reply then
    return failure_reply
  end
  local values, length = {}, results.n - 1
  if length >= 1 and results[2] ~= nil and results[2] ~= false and ARITY[method] and length < ARITY[method] then
    length = ARITY[method]
  end
  for index = 1, length do
    values[index] = value_text(results[index + 1], index == 1 and DATA[method])
  end
  return '"reply":"values","values":[' .. concat(values, ",") .. "]"
end

-- ------------------------------------------------------------------------------------------------------ requests

local name_of_module, capabilities

local function version()
  for _, key in ipairs({ "_VERSION", "VERSION", "version" }) do
    local found = field(module, key)
    if type(found) == "string" or type(found) == "number" then
      return describe(found, MAX_REPR)
    end
  end
  return ""
end

local function buffersize()
  local size = field(field(module, "const"), "buffersize") or field(module, "buffersize")
  return is_code(size) and size > 0 and size or 8192
end

-- This process's id; 0 if this Lua cannot find out.
local function own_pid()
  local fine, pid = pcall(function()
    local ffi = require("ffi")
    ffi.cdef('int nixio_agent_getpid(void) __asm__("getpid");')
    return ffi.C.nixio_agent_getpid()
  end)
  if not fine then
    fine, pid = pcall(function()
      return require("posix.unistd").getpid()
    end)
  end
  local file = not fine and io.open("/proc/self/stat")
  if file then
    pid = file:read("*n")
    file:close()
  end
  return type(pid) == "number" and pid or 0
end

local answers = {}

function answers.hello()
  return format(
    '"reply":"hello","protocol":%d,"name":%s,"version":%s,"language":%s,"platform":%s,"capabilities":[%s],"buffersize":%s,"pid":%s',
    PROTOCOL, quote(clean(name_of_module)), quote(version()), quote(language), quote(here),
    capabilities, number_text(buffersize()), number_text(own_pid())
  )
end

function answers.socket(request)
  return call("socket", factory, request.args)
end

function answers.call(request)
  local held, name = sockets[request.socket], request.method
  if held == nil then
    return unsupported("no socket " .. describe(request.socket), false)
  end
  local fine, method = pcall(function()
    return held[name]
  end)
  if not fine then
    return raised(method)
  elseif not is_callable(method) then
    return unsupported(format("the socket (a %s) has no method %s", type(held), describe(name)), true)
  end
  return call(name, method, request.args, held)
end

-- Drop a socket and collect it: the first collection runs finalizers, the second frees what they released. A finalizer
-- that raises an error aborts a collection; the next one continues after it.
function answers.forget(request)
  local held = sockets[request.socket]
  if held ~= nil then
    sockets[request.socket], numbers[held] = nil, nil
    held = nil
  end
  local finished = 0
  for _ = 1, 20 do
    finished = finished + (pcall(collect) and 1 or 0)
    if finished == 2 then
      break
    end
  end
  return '"reply":"values","values":[]'
end

function answers.reset()
  for _, held in pairs(sockets) do
    pcall(function()
      return held:close()
    end)
  end
  sockets, numbers = {}, {}
  return '"reply":"values","values":[]'
end

-- ---------------------------------------------------------------------------------------------------------- main

local USAGE = "usage: lua agent.lua [--path TEMPLATES] [--cpath TEMPLATES] MODULE"

-- Prepend search templates to the present ones. A folder stands for the templates in it.
local function prepend(given, present, in_folder)
  local templates = {}
  for template in gmatch(given, "[^;]+") do
    if not find(template, "?", 1, true) then
      template = gsub(in_folder, "FOLDER", (gsub(gsub(template, "(.)/$", "%1"), "%%", "%%%%")))
    end
    templates[#templates + 1] = template
  end
  templates[#templates + 1] = present
  return concat(templates, ";")
end

-- Set the search paths of `require`: the user's, then the interpreter's, then the current directory.
local function set_paths(given)
  package.path = prepend(given.path or "", package.path .. ";./?.lua;./?/init.lua", "FOLDER/?.lua;FOLDER/?/init.lua")
  package.cpath = prepend(given.cpath or "", package.cpath .. ";./?.so", "FOLDER/?.so")
end

-- Why a request is invalid; nil if it is valid.
local function invalid(request)
  local wanted = request["do"]
  if wanted == "call" and (type(request.socket) ~= "number" or type(request.method) ~= "string") then
    return "a call needs the number of a socket and the name of a method"
  elseif (wanted == "call" or wanted == "socket") and (type(request.args) ~= "table" or request.args == NULL) then
    return "a call needs a list of arguments"
  end
  for _, given in pairs(wanted == "call" and request.args or {}) do
    if type(given) == "table" and given ~= NULL and (given.hex or given.type) then
      local hex = given.hex
      if type(hex) ~= "string" or #hex % 2 == 1 or find(hex, "%X") then
        return "a buffer needs pairs of hexadecimal digits"
      end
    end
  end
end

local function parse(arguments)
  local given, index = {}, 1
  while arguments[index] do
    local option = match(arguments[index], "^%-%-(c?path)$")
    if option then
      given[option], index = arguments[index + 1], index + 1
    elseif given.module then
      return nil
    else
      given.module = arguments[index]
    end
    index = index + 1
  end
  return given.module and given or nil
end

-- The module's value, by `require` or from a file, and its function `socket`. Raises an error if it has none.
local function load_module(name)
  local found
  if find(name, "%.lua$") then
    local chunk, message = loadfile(name)
    if not chunk then
      error(message, 0)
    end
    found = chunk(name)
  else
    found = require(name)
  end
  local open = field(found, "socket")
  if not is_callable(open) then
    error(format("%s returns a %s without a function `socket`, which is not nixio's interface", name, type(found)), 0)
  end
  return found, open
end

-- Why a module cannot be loaded, in one line: the message of `require` lists every place where it looked.
local function load_failure(message)
  local first, rest = match(gsub(describe(message), "^[^\n]-agent%.lua:%d+: ", ""), "^([^\n]*)\n?(.*)$")
  if find(first, "not found:$") then
    return sub(first, 1, -2) .. "; name its folder with --lua-path FOLDER or --lua-cpath FOLDER (options of "
      .. "agent.lua itself: --path, --cpath), or another Lua with --lua-program"
  end
  return find(first, ":$") and first .. gsub(rest, "^%s+", " ") or first
end

-- Load the module; nil, after the reply `unavailable`, if that fails.
local function start(name, answer, id)
  local fine, found, open = pcall(load_module, name)
  if not fine then
    local message = format("%s cannot be loaded by %s: %s", name, language, load_failure(found))
    answer(id, '"reply":"unavailable","message":' .. quote(message))
    return nil
  end
  module, factory = found, open
  learn_errors()
  collect("stop")
  return true
end

local function main(arguments)
  local given = parse(arguments)
  if not given then
    io.stderr:write(USAGE, "\n")
    return 2
  end
  local line, put = private_streams()
  local function answer(id, reply)
    put('{"id":' .. (type(id) == "number" and number_text(id) or "0") .. "," .. reply .. "}\n")
  end
  capabilities = handles_signals() and '"gc","signals"' or '"gc"'
  name_of_module = given.module
  set_paths(given)
  local found, reason = codec_called(getenv("NIXIO_AGENT_JSON") or "")
  codec = found or own
  for text in line do
    local fine, request = pcall(codec.decode, text)
    if not fine or type(request) ~= "table" then
      local message = format("a request is not a JSON object (%s): %s", describe(request), clean(text, MAX_REPR))
      answer(0, unsupported(message, false))
      request = nil
    elseif not found then
      answer(request.id, '"reply":"unavailable","message":' .. quote(reason))
      return 3
    elseif not module and not start(given.module, answer, request.id) then
      return 3
    end
    if request then
      local serve, problem = answers[describe(request["do"])], invalid(request)
      if problem or not serve then
        answer(request.id, unsupported(problem or "no request " .. describe(request["do"]), false))
      else
        answer(request.id, serve(request))
      end
    end
  end
  return 0
end

exit(main(arg))
