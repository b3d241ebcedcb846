-- A module with few methods, which runs on a Lua without any library: `agent-check` skips the cases that need others.

local Socket = {}
Socket.__index = Socket

function Socket:close() return true end

function Socket:fileno() return 3 end

function Socket:setblocking(blocking)
  if type(blocking) ~= "boolean" then
    error("bad argument #1 to 'setblocking' (boolean expected)")
  end
  return true
end

return {
  socket = function(domain)
    if domain ~= "inet" and domain ~= "unix" then
      error("bad argument #1 to 'socket' (unknown domain)")
    end
    return setmetatable({}, Socket)
  end,
}
