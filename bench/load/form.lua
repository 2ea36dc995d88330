-- POST of a form: the cookies and bodies of a file in turn, "cookie<TAB>body" a line. Each request says that it was
-- forwarded for another address, as requests behind a proxy are, so that limits per address do not end the run;
-- who does not limit does not read it. With "watch" each answer is looked at: it must be a redirect, and not to the
-- form again.
--     wrk -s form.lua URL -- FORM_FILE FIRST_ADDRESS [watch]

dofile(debug.getinfo(1, "S").source:match("^@(.*/)") .. "report.lua")

local heads, tails, at, address = {}, {}, 0, 0
refused, first_refused = 0, ""

local function check(status, headers)
	local location = headers["Location"] or headers["location"] or ""
	if status ~= 302 and status ~= 303 or location:find("login") then
		refused = refused + 1
		first_refused = status .. " " .. location
	end
end

function init(args)
	for line in io.lines(args[1]) do
		local cookie, body = line:match("^(.-)\t(.*)$")
		local whole = wrk.format("POST", nil, {
			["Cookie"] = cookie,
			["Content-Type"] = "application/x-www-form-urlencoded",
			["X-Forwarded-For"] = "@address@",
		}, body)
		local from, to = whole:find("@address@", 1, true)
		heads[#heads + 1] = whole:sub(1, from - 1)
		tails[#tails + 1] = whole:sub(to + 1)
	end
	address = tonumber(args[2])
	if args[3] == "watch" then
		response = check
	end
end

function request()
	at = at % #heads + 1
	address = (address + 1) % 0x1000000
	return heads[at] .. string.format("10.%d.%d.%d", math.floor(address / 65536), math.floor(address / 256) % 256,
		address % 256) .. tails[at]
end
