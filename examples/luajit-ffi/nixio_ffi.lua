--- nixio's Socket with LuaJIT's ffi: it makes the system calls directly, without nixio's C library.
--
--     local nixio = require "nixio_ffi"
--     local sock = assert(nixio.socket("inet", "stream"))
--     assert(sock:connect("localhost", 80))
--     assert(sock:send("GET / HTTP/1.0\r\n\r\n"))
--     print(sock:recv(nixio.const.buffersize))
--
-- A call returns, as in nixio:
--
--     values                      success; `true` if there are no other values
--     nil, errno, message         the system call failed; a resolver's code is negative, and so never an errno
--     false, EAGAIN, message      the call would block: the socket is non-blocking, or its timeout has expired
--
-- A bad argument (port 70000, an unknown option, a closed socket) raises an error at the caller's line. Strings of
-- digits are numbers ("80"), as everywhere in Lua. A call that a signal interrupts is repeated; a closed peer is EPIPE,
-- without a signal. Descriptors are close-on-exec, and are closed by close() or by the garbage collector.
--
-- It was run on Linux only. The numbers of other systems below are untested.

assert(rawget(_G, "jit"), "nixio_ffi needs LuaJIT")

local bit = require "bit"
local ffi = require "ffi"

local C = ffi.C

----------------------------------------------------------------------------------------------------------------------
-- The system: constants that C programs have from headers
----------------------------------------------------------------------------------------------------------------------

local common = {
  AF_UNIX = 1, AF_INET = 2, SOCK_STREAM = 1, SOCK_DGRAM = 2, SOCK_RAW = 3, SHUT_RD = 0, SHUT_WR = 1, SHUT_RDWR = 2,
  IPPROTO_IP = 0, IPPROTO_ICMP = 1, IPPROTO_TCP = 6, IPPROTO_IPV6 = 41, IPPROTO_ICMPV6 = 58, TCP_NODELAY = 1,
  AI_NUMERICHOST = 4, F_SETFD = 2, F_GETFL = 3, F_SETFL = 4, FD_CLOEXEC = 1, POLLOUT = 4,
}

-- Linux on most architectures (asm-generic).
local linux = {
  AF_INET6 = 10, PATH_SIZE = 108, SOCK_CLOEXEC = 0x80000, O_NONBLOCK = 0x800, MSG_DONTWAIT = 0x40,
  MSG_NOSIGNAL = 0x4000, SOL_SOCKET = 1, SO_REUSEADDR = 2, SO_ERROR = 4, SO_DONTROUTE = 5, SO_BROADCAST = 6,
  SO_SNDBUF = 7, SO_RCVBUF = 8, SO_KEEPALIVE = 9, SO_OOBINLINE = 10, SO_PRIORITY = 12, SO_LINGER = 13,
  SO_RCVTIMEO = 20, SO_SNDTIMEO = 21, SO_BINDTODEVICE = 25, TCP_CORK = 3, IP_HDRINCL = 3, IP_MTU = 14,
  IP_MULTICAST_IF = 32, IP_MULTICAST_TTL = 33, IP_MULTICAST_LOOP = 34, IP_ADD_MEMBERSHIP = 35,
  IP_DROP_MEMBERSHIP = 36, IPV6_MULTICAST_IF = 17, IPV6_MULTICAST_HOPS = 18, IPV6_MULTICAST_LOOP = 19,
  IPV6_JOIN_GROUP = 20, IPV6_LEAVE_GROUP = 21, IPV6_MTU = 24, IPV6_V6ONLY = 26, EAI_SYSTEM = -11,
}

-- BSD, and partly Linux on MIPS.
local bsd_options = {
  SOL_SOCKET = 0xffff, SO_REUSEADDR = 0x4, SO_KEEPALIVE = 0x8, SO_DONTROUTE = 0x10, SO_BROADCAST = 0x20,
  SO_LINGER = 0x80, SO_OOBINLINE = 0x100, SO_SNDBUF = 0x1001, SO_RCVBUF = 0x1002, SO_SNDTIMEO = 0x1005,
  SO_RCVTIMEO = 0x1006, SO_ERROR = 0x1007,
}

-- FreeBSD and macOS.
local bsd = {
  O_NONBLOCK = 0x4, MSG_DONTWAIT = 0x80, PATH_SIZE = 104, IP_HDRINCL = 2, IP_MULTICAST_IF = 9, IP_MULTICAST_TTL = 10,
  IP_MULTICAST_LOOP = 11, IP_ADD_MEMBERSHIP = 12, IP_DROP_MEMBERSHIP = 13, IPV6_MULTICAST_IF = 9,
  IPV6_MULTICAST_HOPS = 10, IPV6_MULTICAST_LOOP = 11, IPV6_JOIN_GROUP = 12, IPV6_LEAVE_GROUP = 13, IPV6_V6ONLY = 27,
  EAI_SYSTEM = 11,
}
local freebsd = { AF_INET6 = 28, SOCK_CLOEXEC = 0x10000000, MSG_NOSIGNAL = 0x20000 }
-- SO_LINGER is SO_LINGER_SEC here: macOS counts SO_LINGER in clock ticks.
local macos = { AF_INET6 = 30, SO_NOSIGPIPE = 0x1022, SO_LINGER = 0x1080 }

local mips = { SOCK_STREAM = 2, SOCK_DGRAM = 1, O_NONBLOCK = 0x80 }
local powerpc = { SO_RCVTIMEO = 18, SO_SNDTIMEO = 19 }

-- The errors of socket calls. The first ones are the same on all systems.
local errors = {
  EPERM = 1, ENOENT = 2, EINTR = 4, EIO = 5, EBADF = 9, EAGAIN = 11, ENOMEM = 12, EACCES = 13, EFAULT = 14, EEXIST = 17,
  ENODEV = 19, ENOTDIR = 20, EISDIR = 21, EINVAL = 22, ENFILE = 23, EMFILE = 24, ENOSPC = 28, EROFS = 30, EPIPE = 32,
  EDOM = 33, ERANGE = 34,
}
local linux_errors = {
  ENAMETOOLONG = 36, ENOSYS = 38, ELOOP = 40, EPROTO = 71, EOVERFLOW = 75, ENOTSOCK = 88, EDESTADDRREQ = 89,
  EMSGSIZE = 90, EPROTOTYPE = 91, ENOPROTOOPT = 92, EPROTONOSUPPORT = 93, ESOCKTNOSUPPORT = 94, EOPNOTSUPP = 95,
  EPFNOSUPPORT = 96, EAFNOSUPPORT = 97, EADDRINUSE = 98, EADDRNOTAVAIL = 99, ENETDOWN = 100, ENETUNREACH = 101,
  ENETRESET = 102, ECONNABORTED = 103, ECONNRESET = 104, ENOBUFS = 105, EISCONN = 106, ENOTCONN = 107, ESHUTDOWN = 108,
  ETIMEDOUT = 110, ECONNREFUSED = 111, EHOSTDOWN = 112, EHOSTUNREACH = 113, EALREADY = 114, EINPROGRESS = 115,
}
local mips_errors = {
  ENAMETOOLONG = 78, EOVERFLOW = 79, ENOSYS = 89, ELOOP = 90, ENOTSOCK = 95, EDESTADDRREQ = 96, EMSGSIZE = 97,
  EPROTOTYPE = 98, ENOPROTOOPT = 99, EPROTONOSUPPORT = 120, ESOCKTNOSUPPORT = 121, EOPNOTSUPP = 122,
  EPFNOSUPPORT = 123, EAFNOSUPPORT = 124, EADDRINUSE = 125, EADDRNOTAVAIL = 126, ENETDOWN = 127, ENETUNREACH = 128,
  ENETRESET = 129, ECONNABORTED = 130, ECONNRESET = 131, ENOBUFS = 132, EISCONN = 133, ENOTCONN = 134, ESHUTDOWN = 143,
  ETIMEDOUT = 145, ECONNREFUSED = 146, EHOSTDOWN = 147, EHOSTUNREACH = 148, EALREADY = 149, EINPROGRESS = 150,
}
local bsd_errors = {
  EAGAIN = 35, EINPROGRESS = 36, EALREADY = 37, ENOTSOCK = 38, EDESTADDRREQ = 39, EMSGSIZE = 40, EPROTOTYPE = 41,
  ENOPROTOOPT = 42, EPROTONOSUPPORT = 43, ESOCKTNOSUPPORT = 44, EOPNOTSUPP = 45, EPFNOSUPPORT = 46, EAFNOSUPPORT = 47,
  EADDRINUSE = 48, EADDRNOTAVAIL = 49, ENETDOWN = 50, ENETUNREACH = 51, ENETRESET = 52, ECONNABORTED = 53,
  ECONNRESET = 54, ENOBUFS = 55, EISCONN = 56, ENOTCONN = 57, ESHUTDOWN = 58, ETIMEDOUT = 60, ECONNREFUSED = 61,
  ELOOP = 62, ENAMETOOLONG = 63, EHOSTDOWN = 64, EHOSTUNREACH = 65, ENOSYS = 78, EPROTO = 92, EOVERFLOW = 84,
}
local macos_errors = { EPROTO = 100, EOPNOTSUPP = 102 }

--- Merge tables; later ones override earlier ones.
local function merged(...)
  local all = {}
  for _, names in ipairs { ... } do
    for name, number in pairs(names) do all[name] = number end
  end
  return all
end

ffi.cdef "int uname(void *names);"

--- The system's name, with which every system's struct utsname begins.
local function system_name()
  local names = ffi.new "char[8192]"
  return C.uname(names) >= 0 and ffi.string(names) or ffi.os
end

--- The constants of this system, and its error numbers.
local function numbers()
  if ffi.os == "Linux" then
    if ffi.arch:find "^mips" then
      return merged(common, linux, bsd_options, mips), merged(errors, linux_errors, mips_errors)
    end
    return merged(common, linux, ffi.arch:find "^ppc" and powerpc or {}), merged(errors, linux_errors)
  elseif ffi.os == "OSX" then
    return merged(common, bsd, bsd_options, macos), merged(errors, bsd_errors, macos_errors)
  elseif ffi.os == "BSD" and system_name() == "FreeBSD" then
    return merged(common, bsd, bsd_options, freebsd), merged(errors, bsd_errors)
  end
  -- NetBSD and OpenBSD have other numbers; a wrong one would select another option.
  error(("nixio_ffi does not know the numbers of this system (%s on %s)"):format(ffi.os, ffi.arch))
end

local system, errno = numbers()
local is_linux = ffi.os == "Linux"

----------------------------------------------------------------------------------------------------------------------
-- C: functions and types
----------------------------------------------------------------------------------------------------------------------

-- All modules of a program share one C namespace, where a type can be declared only once. So no type is declared:
-- structures are anonymous (below) and passed as `void *`.
ffi.cdef [[
  int socket(int domain, int type, int protocol);
  int close(int fd);
  int bind(int fd, const void *address, unsigned int length);
  int connect(int fd, const void *address, unsigned int length);
  int listen(int fd, int backlog);
  int accept(int fd, void *address, unsigned int *length);
  int accept4(int fd, void *address, unsigned int *length, int flags);
  int getsockname(int fd, void *address, unsigned int *length);
  int getpeername(int fd, void *address, unsigned int *length);
  int shutdown(int fd, int how);
  ssize_t send(int fd, const void *data, size_t size, int flags);
  ssize_t sendto(int fd, const void *data, size_t size, int flags, const void *address, unsigned int length);
  ssize_t recv(int fd, void *data, size_t size, int flags);
  ssize_t recvfrom(int fd, void *data, size_t size, int flags, void *address, unsigned int *length);
  int getsockopt(int fd, int level, int option, void *value, unsigned int *length);
  int setsockopt(int fd, int level, int option, const void *value, unsigned int length);
  int fcntl(int fd, int command, ...);
  int poll(void *descriptors, unsigned long count, int milliseconds);
  int getaddrinfo(const char *host, const char *service, const void *hints, void *found);
  void freeaddrinfo(void *found);
  const char *gai_strerror(int code);
  const char *inet_ntop(int family, const void *address, char *text, unsigned int size);
  int inet_pton(int family, const char *text, void *address);
  char *strerror(int number);
]]

-- An address of any family. On BSD the first byte is its length.
local address_head = is_linux and "uint16_t family;" or "uint8_t length; uint8_t family;"
local address_c = ([[
  union {
    struct { HEAD uint8_t port[2]; };  /* high byte first, for inet and inet6 alike */
    struct { HEAD uint16_t _; uint8_t host[4]; uint8_t zero[8]; } inet;
    struct { HEAD uint16_t _; uint32_t flow; uint8_t host[16]; uint32_t zone; } inet6;
    struct { HEAD char path[PATH_SIZE]; } unix;
    uint8_t bytes[128];
  }
]]):gsub("HEAD", address_head):gsub("PATH_SIZE", system.PATH_SIZE)
local address_t = ffi.typeof(address_c)
local PATH_AT = 2 -- offset of the path in bytes

local addrinfo_t = ffi.typeof("struct { int flags, family, type, protocol; unsigned int length; "
  .. (is_linux and "void *address; char *name;" or "char *name; void *address;") .. " void *next; }")
local addrinfo_pointer_t = ffi.typeof("$ *", addrinfo_t)

local int_t = ffi.typeof "int[1]"
local length_t = ffi.typeof "unsigned int[1]"
local pollfd_t = ffi.typeof "struct { int fd; short events, returned; }"

--- The socket object. A closed one has the descriptor -1.
local socket_t = ffi.typeof "struct { int fd, family, type; }"

----------------------------------------------------------------------------------------------------------------------
-- Failures
----------------------------------------------------------------------------------------------------------------------

local this_file = debug.getinfo(1, "S").source

--- Raise an error for a bad argument at the line of the caller: the first one outside of this file.
local function bad_argument(name, expected, value)
  local level = 2
  while (debug.getinfo(level, "S") or {}).source == this_file do level = level + 1 end
  local shown = type(value) == "string" and ("%q"):format(value:sub(1, 80)) or tostring(value)
  error(("bad argument '%s' (%s expected, got %s)"):format(name, expected, shown), level)
end

--- nil, errno and message; `false` instead of nil if the call would block.
-- @param number an errno; default: the one of the last call
local function failure(number)
  number = number or ffi.errno()
  local message = ffi.string(C.strerror(number))
  if number == errno.EAGAIN then return false, number, message end
  return nil, number, message
end

--- The same for a resolver's code, which is returned as a negative number on every system.
local function resolver_failure(code)
  if code == system.EAI_SYSTEM then return failure() end
  return nil, -math.abs(code), ffi.string(C.gai_strerror(code))
end

--- Make a system call; repeats it if a signal interrupted it (a timeout then starts again).
-- @return its result as a Lua number; -1: ffi.errno() is the error
local function uninterrupted(call, ...)
  while true do
    local result = tonumber(call(...))
    if result >= 0 or ffi.errno() ~= errno.EINTR then return result end
  end
end

----------------------------------------------------------------------------------------------------------------------
-- Arguments
----------------------------------------------------------------------------------------------------------------------

local INT_MAX = 2 ^ 31 - 1
local BUFFERSIZE = 8192

--- An integer from low to high, both of which may be infinite. A number that does not fit is refused, not truncated.
local function integer(value, name, low, high)
  local number = tonumber(value)
  if not number or math.floor(number) ~= number or number < low or number > high then
    bad_argument(name, ("a whole number from %.0f to %.0f"):format(low, high), value)
  end
  return number
end

--- A string without NUL, at which C strings end.
local function text(value, name)
  if type(value) ~= "string" or value:find("%z") then bad_argument(name, "a string without NUL", value) end
  return value
end

--- The value of a keyword.
local function keyword(keywords, value, name)
  local found = type(value) == "string" and keywords[value]
  if not found then
    local known = {}
    for each in pairs(keywords) do known[#known + 1] = each end
    table.sort(known)
    bad_argument(name, table.concat(known, ", "), value)
  end
  return found
end

--- The chunk of a buffer that offset (default 0) and length (default: the rest) select; empty past the end.
-- Nothing counts from the end.
-- @return the buffer as a string; the offset of the chunk; its length
local function chunk(buffer, offset, length)
  if type(buffer) == "number" then buffer = tostring(buffer) end
  if type(buffer) ~= "string" then bad_argument("buffer", "a string", buffer) end
  local start = offset == nil and 0 or math.min(integer(offset, "offset", 0, math.huge), #buffer)
  local count = #buffer - start
  if length ~= nil then count = math.min(count, integer(length, "length", 0, math.huge)) end
  return buffer, start, count
end

--- The descriptor of a socket. A closed one has none, so that no reused descriptor is touched.
local function descriptor(self)
  if not ffi.istype(socket_t, self) then bad_argument("self", "a socket", self) end
  if self.fd < 0 then bad_argument("self", "an open socket", self) end
  return self.fd
end

----------------------------------------------------------------------------------------------------------------------
-- Addresses
----------------------------------------------------------------------------------------------------------------------

local INET, INET6, UNIX = system.AF_INET, system.AF_INET6, system.AF_UNIX

-- The addresses for a host that is left out.
local all_addresses = { [INET] = "0.0.0.0", [INET6] = "::" }
local localhost = { [INET] = "127.0.0.1", [INET6] = "::1" }

-- Only one call is made at a time, so that all calls share the memory into which the system writes an address. The
-- length must be checked each time: without an address, the memory still has an earlier one.
local found = address_t()
local found_length = length_t()

local function room_for_address()
  found_length[0] = ffi.sizeof(address_t)
  return found, found_length
end

local written = ffi.new "char[64]"

--- An address as text; pack_numeric() is the inverse.
local function numeric(family, bytes)
  return ffi.string(C.inet_ntop(family, bytes, written, ffi.sizeof(written)))
end

--- Write a numeric address for the system; false for any other string.
local function pack_numeric(family, host, bytes)
  return C.inet_pton(family, host, bytes) == 1
end

--- Host and port of the address that the system wrote.
-- UNIX: the path ("" for none; an abstract name begins with NUL) and nil. Without an address: nil, nil.
local function host_and_port(family)
  local length = found_length[0]
  if family == UNIX then
    if length <= PATH_AT then return "", nil end
    local path = ffi.string(found.unix.path, math.min(length - PATH_AT, system.PATH_SIZE))
    if is_linux and path:byte() == 0 then return path, nil end
    return path:match "^%Z*", nil
  end
  if length == 0 then return nil, nil end
  local host = family == INET and found.inet.host or found.inet6.host
  return numeric(family, host), found.port[0] * 256 + found.port[1]
end

--- The address of a path, and its length; nil, ENAMETOOLONG, message for a path that is too long.
local function path_address(path)
  local abstract = is_linux and type(path) == "string" and path:byte() == 0
  if not abstract and text(path, "host") == "" then bad_argument("host", "a path", path) end
  -- A path ends with NUL; an abstract name does not.
  local length = abstract and #path or #path + 1
  if length > system.PATH_SIZE then return failure(errno.ENAMETOOLONG) end
  local address = address_t()
  address.unix.family = UNIX
  ffi.copy(address.unix.path, path, #path)
  return address, PATH_AT + length
end

--- A port as a number, or as the name of a service where that is allowed.
-- The resolver would parse " 80", "+80" and "-1" as numbers, so that a string without a letter must be digits.
local function port_or_service(port, services)
  local digits = type(port) == "number" or type(port) == "string" and port:find "^%d+$"
  if digits then return integer(port, "port", 0, 65535) end
  if not services then bad_argument("port", "a port from 0 to 65535", port) end
  if type(port) ~= "string" or not port:find "%a" or port:find "[%s%c%z]" then
    bad_argument("port", "a port from 0 to 65535 or the name of a service", port)
  end
  return nil, port
end

local function set_port(address, port)
  address.port[0], address.port[1] = bit.rshift(port, 8), bit.band(port, 255)
end

--- The addresses of a host as a list of { address, length }, in the resolver's order; or nil, code, message.
-- @param port a number, or nil if a service is given
local function resolve(self, host, port, service, flags)
  local hints = addrinfo_t { family = self.family, type = self.type, flags = flags }
  local first = ffi.new("void *[1]")
  local code = C.getaddrinfo(text(host, "host"), service, hints, first)
  if code ~= 0 then return resolver_failure(code) end
  local addresses = {}
  local entry = ffi.cast(addrinfo_pointer_t, first[0])
  while entry ~= nil do
    local address = address_t()
    ffi.copy(address, entry.address, entry.length)
    if port then set_port(address, port) end
    addresses[#addresses + 1] = { address, entry.length }
    entry = ffi.cast(addrinfo_pointer_t, entry.next)
  end
  C.freeaddrinfo(first[0])
  return addresses
end

--- All addresses for bind and connect to try.
-- @param default the address for a host that is left out, by family
local function addresses_of(self, host, port, default)
  if self.family == UNIX then -- any port is ignored
    local address, length, message = path_address(host)
    if not address then return address, length, message end
    return { { address, length } }
  end
  if host == nil then host = default[self.family] end
  if self.type == system.SOCK_RAW then -- raw sockets have neither ports nor services
    return resolve(self, host, port == nil and 0 or port_or_service(port))
  end
  local number, service = port_or_service(port, true)
  return resolve(self, host, number, service, 0)
end

--- The address for a message, and its length; nil, code, message if the host is not an address.
-- The resolver refuses a name: a look-up for each message would be slow.
local function destination(self, host, port)
  if self.family == UNIX then return path_address(host) end
  port = self.type == system.SOCK_RAW and port == nil and 0 or port_or_service(port)
  local address = address_t()
  local place = self.family == INET and address.inet or address.inet6
  if pack_numeric(self.family, text(host, "host"), place.host) then
    place.family = self.family
    set_port(address, port)
    return address, ffi.sizeof(place)
  end
  -- Other forms of an address: with a zone ("fe80::1%eth0"), or an abbreviated one.
  local addresses, code, message = resolve(self, host, port, nil, system.AI_NUMERICHOST)
  if not addresses then return addresses, code, message end
  return addresses[1][1], addresses[1][2]
end

----------------------------------------------------------------------------------------------------------------------
-- Options
----------------------------------------------------------------------------------------------------------------------

-- A shape converts an option's value between the caller and the system:
--
--     type                      the C type that getsockopt() fills
--     read(value, length)       the values to return; length is the number of bytes that the system filled
--     write(value, second)      the C value for setsockopt(), or nil and an errno
--     pair                      whether setopt() takes a second value

local timeval_t = ffi.typeof(ffi.os == "OSX" and "struct { long seconds; int microseconds; }"
  or "struct { long seconds, microseconds; }")
local linger_t = ffi.typeof "struct { int on, seconds; }"
local device_t = ffi.typeof "char[16]"
local interface_t = ffi.typeof "uint8_t[4]"
local membership_t = ffi.typeof "struct { uint8_t group[4], interface[4]; }"
local membership6_t = ffi.typeof "struct { uint8_t group[16]; unsigned int interface; }"

local LONG_MAX = ffi.sizeof "long" == 8 and 2 ^ 53 or INT_MAX -- the largest integer that a Lua number holds exactly
local DEVICE_MAX = 15

--- A numeric address in its full form.
local function pack_address(family, host, name, bytes)
  if not pack_numeric(family, text(host, name), bytes) then bad_argument(name, "a numeric address", host) end
end

local function write_int(value)
  return int_t(integer(value, "value", -INT_MAX - 1, INT_MAX))
end

local int = { type = int_t, write = write_int, read = function(value) return value[0] end }

-- BSD returns the bit of the flag, as 8.
local flag = { type = int_t, write = write_int, read = function(value) return value[0] ~= 0 and 1 or 0 end }

-- A number of seconds; 0 is off: "on, with 0 seconds" cannot be requested.
local linger = {
  type = linger_t,
  read = function(value) return value.on ~= 0 and value.seconds or 0 end,
  write = function(value)
    local seconds = integer(value, "value", 0, INT_MAX)
    return linger_t(seconds > 0 and 1 or 0, seconds)
  end,
}

local timeout = {
  type = timeval_t,
  pair = true,
  read = function(value) return tonumber(value.seconds), tonumber(value.microseconds) end,
  write = function(value, second)
    local seconds = integer(value, "seconds", 0, LONG_MAX)
    local microseconds = second == nil and 0 or integer(second, "microseconds", -math.huge, math.huge)
    -- The system refuses it too, but truncates larger numbers first.
    if microseconds < 0 or microseconds > 999999 then return nil, errno.EDOM end
    return timeval_t(seconds, microseconds)
  end,
}

local device = {
  type = device_t,
  read = function(value, length) return (ffi.string(value, length):match "^%Z*") end,
  write = function(value)
    -- Linux would truncate a longer name, perhaps to that of another device.
    if #text(value, "value") > DEVICE_MAX then return nil, errno.ENODEV end
    return device_t(value)
  end,
}

-- An interface by its address; in IPv6 by its index, an int.
local interface = {
  type = interface_t,
  read = function(value) return numeric(INET, value) end,
  write = function(value)
    local packed = interface_t()
    pack_address(INET, value, "value", packed)
    return packed
  end,
}

local function no_value() return failure(errno.ENOPROTOOPT) end

-- Group and interface: its address (default: the system chooses) for IPv4, its index for IPv6.
local membership = {
  type = int_t,
  pair = true,
  read = no_value,
  write = function(value, second)
    local packed = membership_t()
    pack_address(INET, value, "group", packed.group)
    if second ~= nil then pack_address(INET, second, "interface", packed.interface) end
    return packed
  end,
}

local membership6 = {
  type = int_t,
  pair = true,
  read = no_value,
  write = function(value, second)
    local packed = membership6_t()
    pack_address(INET6, value, "group", packed.group)
    if second ~= nil then packed.interface = integer(second, "interface", 0, INT_MAX) end
    return packed
  end,
}

--- A row of the table: the numbers of a level and an option, which a system may lack, and the shape of the value.
local function option(level, name, shape)
  return { level = system[level], number = system[name], shape = shape }
end

local options = {
  socket = {
    keepalive = option("SOL_SOCKET", "SO_KEEPALIVE", flag),
    reuseaddr = option("SOL_SOCKET", "SO_REUSEADDR", flag),
    sndbuf = option("SOL_SOCKET", "SO_SNDBUF", int),
    rcvbuf = option("SOL_SOCKET", "SO_RCVBUF", int),
    priority = option("SOL_SOCKET", "SO_PRIORITY", int),
    broadcast = option("SOL_SOCKET", "SO_BROADCAST", flag),
    linger = option("SOL_SOCKET", "SO_LINGER", linger),
    sndtimeo = option("SOL_SOCKET", "SO_SNDTIMEO", timeout),
    rcvtimeo = option("SOL_SOCKET", "SO_RCVTIMEO", timeout),
    dontroute = option("SOL_SOCKET", "SO_DONTROUTE", flag),
    bindtodevice = option("SOL_SOCKET", "SO_BINDTODEVICE", device),
    error = option("SOL_SOCKET", "SO_ERROR", int), -- reading clears it; it cannot be set
    oobinline = option("SOL_SOCKET", "SO_OOBINLINE", flag),
  },
  tcp = {
    cork = option("IPPROTO_TCP", "TCP_CORK", flag),
    nodelay = option("IPPROTO_TCP", "TCP_NODELAY", flag),
  },
  ip = {
    mtu = option("IPPROTO_IP", "IP_MTU", int), -- it cannot be set
    hdrincl = option("IPPROTO_IP", "IP_HDRINCL", flag),
    multicast_ttl = option("IPPROTO_IP", "IP_MULTICAST_TTL", int),
    multicast_loop = option("IPPROTO_IP", "IP_MULTICAST_LOOP", flag),
    multicast_if = option("IPPROTO_IP", "IP_MULTICAST_IF", interface),
    add_membership = option("IPPROTO_IP", "IP_ADD_MEMBERSHIP", membership),
    drop_membership = option("IPPROTO_IP", "IP_DROP_MEMBERSHIP", membership),
  },
  ipv6 = {
    mtu = option("IPPROTO_IPV6", "IPV6_MTU", int),
    v6only = option("IPPROTO_IPV6", "IPV6_V6ONLY", flag),
    multicast_hops = option("IPPROTO_IPV6", "IPV6_MULTICAST_HOPS", int),
    multicast_loop = option("IPPROTO_IPV6", "IPV6_MULTICAST_LOOP", flag),
    multicast_if = option("IPPROTO_IPV6", "IPV6_MULTICAST_IF", int),
    add_membership = option("IPPROTO_IPV6", "IPV6_JOIN_GROUP", membership6),
    drop_membership = option("IPPROTO_IPV6", "IPV6_LEAVE_GROUP", membership6),
  },
}

----------------------------------------------------------------------------------------------------------------------
-- The socket
----------------------------------------------------------------------------------------------------------------------

--- The methods. Any other name is nil: without the function, the lookup in cdata would be an error.
local Socket = setmetatable({}, { __index = function() return nil end })

local STREAM = system.SOCK_STREAM
local SEND_FLAGS = system.MSG_NOSIGNAL or 0

-- Failures that end the loop over a host's addresses: the connection exists or is in progress, or the socket is bad.
local final = { [errno.EINPROGRESS] = true, [errno.EALREADY] = true, [errno.EISCONN] = true, [errno.EBADF] = true }

--- Give a new descriptor, if there is one, to the object that will close it, and set the flags that this system does
-- not set in socket() or accept().
local function adopt(self, fd)
  self.fd = fd
  if fd < 0 or is_linux then return end
  if not system.SOCK_CLOEXEC then C.fcntl(fd, system.F_SETFD, ffi.cast("int", system.FD_CLOEXEC)) end
  if system.SO_NOSIGPIPE then C.setsockopt(fd, system.SOL_SOCKET, system.SO_NOSIGPIPE, int_t(1), 4) end
end

--- Bind to one address: 0 or an errno.
local function attempt_bind(fd, address, length)
  return C.bind(fd, address, length) == 0 and 0 or ffi.errno()
end

--- Wait until a connection is established or refused: 0 or an errno.
local function outcome_of_connect(fd)
  if uninterrupted(C.poll, pollfd_t(fd, system.POLLOUT), 1, -1) < 0 then return ffi.errno() end
  local number, length = int_t(), length_t(4)
  if C.getsockopt(fd, system.SOL_SOCKET, system.SO_ERROR, number, length) < 0 then return ffi.errno() end
  return number[0]
end

--- Connect to one address: 0 or an errno.
-- A connect() that a signal interrupted continues in the background. A second call on Linux waits for that connection,
-- or starts again if it waited for room in a UNIX listener's queue; by POSIX it fails with EALREADY until the
-- connection is established, then with EISCONN.
local function attempt_connect(fd, address, length)
  local interrupted = false
  while C.connect(fd, address, length) < 0 do
    local number = ffi.errno()
    if number == errno.EINTR then
      interrupted = true
    elseif interrupted and number == errno.EALREADY then
      return outcome_of_connect(fd)
    elseif interrupted and number == errno.EISCONN then
      return 0
    else
      return number
    end
  end
  return 0
end

--- Try the addresses of a host in order, on one descriptor, until one succeeds.
-- @return true, or the last failure
local function walk(self, attempt, host, port, default)
  local fd = descriptor(self)
  local addresses, code, message = addresses_of(self, host, port, default)
  if not addresses then return addresses, code, message end
  local number
  for _, each in ipairs(addresses) do
    number = attempt(fd, each[1], each[2])
    if number == 0 then return true end
    if final[number] then break end
  end
  return failure(number)
end

--- Bind to an address.
-- @param host name or address; nil: all addresses. UNIX: a path, or an abstract name, which begins with NUL
-- @param port 0 to 65535, also in digits, or the name of a service. UNIX: ignored. Raw: may be left out
-- @return true
function Socket:bind(host, port)
  return walk(self, attempt_bind, host, port, all_addresses)
end

--- Connect to an address. A non-blocking socket returns nil, EINPROGRESS, message while it connects.
-- @param host as in bind; nil: this host
-- @param port as in bind
-- @return true
function Socket:connect(host, port)
  return walk(self, attempt_connect, host, port, localhost)
end

--- The local address.
-- @return host and port; UNIX: the path ("" if there is none) and nil
function Socket:getsockname()
  if C.getsockname(descriptor(self), room_for_address()) < 0 then return failure() end
  return host_and_port(self.family)
end

--- The peer's address, in the form of getsockname.
function Socket:getpeername()
  if C.getpeername(descriptor(self), room_for_address()) < 0 then return failure() end
  return host_and_port(self.family)
end

--- Listen for connections.
-- @param backlog how many connections may wait to be accepted; a negative number is 0
-- @return true
function Socket:listen(backlog)
  local fd = descriptor(self)
  backlog = math.max(integer(backlog, "backlog", -math.huge, math.huge), 0)
  if C.listen(fd, math.min(backlog, INT_MAX)) < 0 then return failure() end
  return true
end

--- Accept a connection.
-- @return its socket, which is blocking, and the peer's host and port
function Socket:accept()
  local fd = descriptor(self)
  -- The object is created first, so that the descriptor always has an owner that closes it.
  local accepted = socket_t(-1, self.family, self.type)
  if system.SOCK_CLOEXEC then
    local address, length = room_for_address()
    adopt(accepted, uninterrupted(C.accept4, fd, address, length, system.SOCK_CLOEXEC))
  else
    adopt(accepted, uninterrupted(C.accept, fd, room_for_address()))
  end
  if accepted.fd < 0 then return failure() end
  if not is_linux then accepted:setblocking(true) end -- on BSD it inherits the listener's mode
  return accepted, host_and_port(self.family)
end

--- Send a message to an address.
-- @param buffer a string
-- @param host a numeric address, not a name. UNIX: a path
-- @param port 0 to 65535, also in digits. UNIX: ignored. Raw: may be left out
-- @param offset where the chunk begins in the buffer; default: 0
-- @param length how many bytes at most; default: the rest
-- @return the number of bytes sent, which may be less than requested
function Socket:sendto(buffer, host, port, offset, length)
  local fd = descriptor(self)
  local bytes, start, count = chunk(buffer, offset, length)
  local address, address_length, message = destination(self, host, port)
  if not address then return address, address_length, message end
  local first = ffi.cast("const char *", bytes) + start -- no copy; `bytes` keeps it alive
  local sent = uninterrupted(C.sendto, fd, first, count, SEND_FLAGS, address, address_length)
  if sent < 0 then return failure() end
  return sent
end

--- Send a message; the parameters are those of sendto.
-- @return the number of bytes sent, which may be less than requested
function Socket:send(buffer, offset, length)
  local fd = descriptor(self)
  local bytes, start, count = chunk(buffer, offset, length)
  local sent = uninterrupted(C.send, fd, ffi.cast("const char *", bytes) + start, count, SEND_FLAGS)
  if sent < 0 then return failure() end
  return sent
end

Socket.write = Socket.send

-- Received data is written here and copied into a string at once.
local received = ffi.new("char[?]", BUFFERSIZE)

--- Length and flags for the system call.
-- recv(0) on a stream must not wait for data.
local function request(self, length)
  local count = math.min(integer(length, "length", 0, math.huge), BUFFERSIZE)
  return count, count == 0 and self.type == STREAM and system.MSG_DONTWAIT or 0
end

--- The received data as a string, or the failure.
local function delivered(count, flags)
  if count >= 0 then return ffi.string(received, count) end
  if flags ~= 0 and ffi.errno() == errno.EAGAIN then return "" end
  return failure()
end

--- Receive a message.
-- @param length how many bytes at most; limited to nixio.const.buffersize
-- @return the data, "" at the end of a stream
function Socket:recv(length)
  local fd = descriptor(self)
  local count, flags = request(self, length)
  return delivered(uninterrupted(C.recv, fd, received, count, flags), flags)
end

Socket.read = Socket.recv

--- Receive a message and its sender.
-- @param length as in recv
-- @return the data, and the sender's host and port; on a stream those of the peer, or nil and nil if it is gone
function Socket:recvfrom(length)
  local fd = descriptor(self)
  local count, flags = request(self, length)
  local result = uninterrupted(C.recvfrom, fd, received, count, flags, room_for_address())
  local data, number, message = delivered(result, flags)
  if not data then return data, number, message end
  -- The system returns the sender of datagrams only.
  if self.type == STREAM and C.getpeername(fd, room_for_address()) < 0 then return data, nil, nil end
  return data, host_and_port(self.family)
end

--- Close the socket. Afterwards all methods raise errors; tostring() works.
-- @return true
function Socket:close()
  local fd = descriptor(self)
  self.fd = -1
  -- The descriptor is closed even after a signal: a second close could hit a reused number.
  if C.close(fd) < 0 and ffi.errno() ~= errno.EINTR then return failure() end
  return true
end

local directions = { rd = system.SHUT_RD, wr = system.SHUT_WR, rdwr = system.SHUT_RDWR }

--- Shut down one or both directions of a connection.
-- @param how "rd", "wr" or "rdwr" (default)
-- @return true
function Socket:shutdown(how)
  local fd = descriptor(self)
  if how == nil then how = "rdwr" end
  if C.shutdown(fd, keyword(directions, how, "how")) < 0 then return failure() end
  return true
end

--- The number of the file descriptor.
function Socket:fileno()
  return descriptor(self)
end

--- Set whether calls block.
-- @param blocking true or false
-- @return true
function Socket:setblocking(blocking)
  local fd = descriptor(self)
  if type(blocking) ~= "boolean" then bad_argument("blocking", "true or false", blocking) end
  local flags = C.fcntl(fd, system.F_GETFL)
  if flags < 0 then return failure() end
  local others = bit.band(flags, bit.bnot(system.O_NONBLOCK))
  local wanted = blocking and others or bit.bor(others, system.O_NONBLOCK)
  if C.fcntl(fd, system.F_SETFL, ffi.cast("int", wanted)) < 0 then return failure() end
  return true
end

--- Set an option.
-- @param level "socket", "tcp", "ip" or "ipv6"
-- @param name one of the level's options
-- @param value an integer (flags: 0 is off), with these exceptions: bindtodevice has an interface's name ("" for
--   none), ip multicast_if an interface's address, and memberships have a group's address
-- @param second the microseconds of a timeout, whose value is the seconds (default: 0; both 0: wait for ever); the
--   interface of a membership, its address for ip and its index for ipv6 (default: the system chooses)
-- @return true
function Socket:setopt(level, name, value, second)
  local fd = descriptor(self)
  local row = keyword(keyword(options, level, "level"), name, "option")
  if second ~= nil and not row.shape.pair then bad_argument("value", "one value", second) end
  local packed, number = row.shape.write(value, second)
  if not packed then return failure(number) end
  if not row.number then return failure(errno.ENOPROTOOPT) end
  if C.setsockopt(fd, row.level, row.number, packed, ffi.sizeof(packed)) < 0 then return failure() end
  return true
end

Socket.setsockopt = Socket.setopt

--- Get an option.
-- @return its value in the form of setopt: two values for timeouts
function Socket:getopt(level, name)
  local fd = descriptor(self)
  local row = keyword(keyword(options, level, "level"), name, "option")
  if not row.number then return failure(errno.ENOPROTOOPT) end
  local value = row.shape.type()
  local length = length_t(ffi.sizeof(value))
  if C.getsockopt(fd, row.level, row.number, value, length) < 0 then return failure() end
  return row.shape.read(value, length[0])
end

Socket.getsockopt = Socket.getopt

ffi.metatype(socket_t, {
  __index = Socket,
  __tostring = function(self)
    return self.fd < 0 and "nixio socket (closed)" or ("nixio socket %d"):format(self.fd)
  end,
  -- Garbage may be collected at any moment, also between a failed call and ffi.errno(): keep errno.
  __gc = function(self)
    local number = ffi.errno()
    if self.fd >= 0 then C.close(self.fd) end
    ffi.errno(number)
  end,
})

----------------------------------------------------------------------------------------------------------------------
-- The module
----------------------------------------------------------------------------------------------------------------------

local domains = { inet = INET, inet6 = INET6, unix = UNIX }
local types = { stream = STREAM, dgram = system.SOCK_DGRAM, raw = system.SOCK_RAW }
local protocols = { icmp = system.IPPROTO_ICMP, icmpv6 = system.IPPROTO_ICMPV6 }

local nixio = { version = "1.0.0" }

--- nixio.const: buffersize, the most bytes that one recv returns, and the system's error numbers by name.
nixio.const = merged(errno, { buffersize = BUFFERSIZE, EWOULDBLOCK = errno.EAGAIN })

--- Open a socket.
-- @param domain "inet", "inet6" or "unix"
-- @param type_ "stream", "dgram" or "raw"
-- @param protocol "icmp", "icmpv6" or a number; default: the usual one (raw has none)
-- @return the socket
function nixio.socket(domain, type_, protocol)
  local self = socket_t(-1, keyword(domains, domain, "domain"), keyword(types, type_, "type"))
  if type(protocol) == "string" then
    protocol = keyword(protocols, protocol, "protocol")
  else
    protocol = protocol == nil and 0 or integer(protocol, "protocol", 0, INT_MAX)
  end
  adopt(self, C.socket(self.family, bit.bor(self.type, system.SOCK_CLOEXEC or 0), protocol))
  if self.fd < 0 then return failure() end
  return self
end

return nixio
