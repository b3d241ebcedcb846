-- A module whose recv() sleeps in a system call for ten seconds or until a signal; listen() returns errno.

local found, ffi = pcall(require, "ffi")
local unistd = not found and require("posix.unistd")
if found then
  ffi.cdef("int poll(void *, unsigned long, int);")
end

local errno = not found and require("posix.errno")

local Socket = {}
Socket.__index = Socket

function Socket:recv()
  if found then
    return ffi.C.poll(nil, 0, 10000) == -1 and "interrupted" or "slept"
  end
  return unistd.sleep(10) > 0 and "interrupted" or "slept"
end

function Socket:listen()
  if found then
    return ffi.errno()
  end
  return (select(2, errno.errno()))
end

return { socket = function() return setmetatable({}, Socket) end }
