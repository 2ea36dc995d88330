-- GET of one path with the cookies of a file in turn, one "name=value" a line; no file: no cookie.
-- Every request is formatted before the run, so that wrk spends its time on sending.
--     wrk -s get.lua URL -- [COOKIE_FILE]

dofile(debug.getinfo(1, "S").source:match("^@(.*/)") .. "report.lua")

local prepared, at = {}, 0

function init(args)
	if args[1] then
		for cookie in io.lines(args[1]) do
			prepared[#prepared + 1] = wrk.format("GET", nil, { ["Cookie"] = cookie })
		end
	else
		prepared[1] = wrk.format("GET")
	end
end

function request()
	at = at % #prepared + 1
	return prepared[at]
end
