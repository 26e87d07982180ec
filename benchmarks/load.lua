-- What wrk sends, and what it found as one line of JSON:  wrk -s load.lua URL -- get PATH | read ROWS | create | update ROWS
local json = { ["Content-Type"] = "application/json" }
local product = '{"name": "Geladeira Frost Free 375 L", "description": "Branca, 110 V", "price": 2899.9, '
  .. '"categoria": "Eletrodoméstico", "email_fornecedor": "vendas@fornecedor.example.com"}'
local next_request

function init(arguments)
  local operation, argument = arguments[1], arguments[2]
  math.randomseed(os.time())
  if operation == "get" then
    local fixed = wrk.format("GET", argument)
    next_request = function() return fixed end
  elseif operation == "read" then
    next_request = function() return wrk.format("GET", "/products/" .. math.random(argument)) end
  elseif operation == "create" then
    local fixed = wrk.format("POST", "/products/", json, product)
    next_request = function() return fixed end
  elseif operation == "update" then
    next_request = function()
      local body = '{"price": ' .. math.random(1, 9999) .. ".9" .. "}"
      return wrk.format("PUT", "/products/" .. math.random(argument), json, body)
    end
  else
    error("load.lua: no operation " .. tostring(operation))
  end
end

function request() return next_request() end

function done(summary, latency, _)
  local errors = summary.errors
  print(string.format(
    '{"requests": %d, "seconds": %f, "p50": %f, "p99": %f, "refused": %d, "broken": %d}',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e6, latency:percentile(99) / 1e6,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout
  ))
end
