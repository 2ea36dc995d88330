-- What every wrk script here ends with: one line of JSON with what the run counted.
-- Loaded with dofile by the others. The harness reads the last line of wrk's output.

threads = {}

function setup(thread)
	threads[#threads + 1] = thread
end

function done(summary, latency, requests)
	local e = summary.errors
	local refused, first = 0, ""
	for _, thread in ipairs(threads) do
		refused = refused + (thread:get("refused") or 0)
		first = thread:get("first_refused") or first
	end
	io.write(string.format(
		'\n{"requests":%d,"seconds":%.6f,"bytes":%d,"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d,' ..
		'"refused":%d,"first_refused":"%s","p50_ms":%.4f,"p99_ms":%.4f,"max_ms":%.4f}\n',
		summary.requests, summary.duration / 1e6, summary.bytes, e.connect, e.read, e.write, e.status, e.timeout,
		refused, first, latency:percentile(50) / 1000, latency:percentile(99) / 1000, latency.max / 1000))
end
