# A thin door to meson, for people who have just cloned this. Packages that are missing are installed first (as
# root, or with sudo); nothing else outside this directory changes, and no system service is started.
#
#   make run      build, and start Foyer on http://127.0.0.1:8080 with its own databases in ./var
#   make build    the same without starting: build/foyer
#   make test     every test          make bench    the benchmarks, beside their peers
#   make lint     style and static checks            make fuzz    a short run of every fuzz target

BUILD ?= build
MESON_FLAGS ?=

.PHONY: run build test bench lint fuzz clean dependencies

run: build
	@exec $(BUILD)/foyer serve $(ARGS)

build: dependencies $(BUILD)/build.ninja
	@ninja -C $(BUILD) foyer

$(BUILD)/build.ninja:
	@meson setup $(BUILD) $(MESON_FLAGS)

dependencies:
	@.ci/dependencies build

test:
	@tests/run

bench: build
	@.ci/dependencies bench
	@bench/run

lint:
	@.ci/dependencies build test lint
	@tests/tools/lint

fuzz:
	@.ci/dependencies build lint
	@tests/fuzz/run $(ARGS)

clean:
	@rm -rf $(BUILD)
