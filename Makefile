# SPDX-License-Identifier: GPL-2.0-or-later
# The entry point: variables, what is built of what, the commands. `make help` explains.

VERSION := 0.1.0
KNOWN_ARCHS := $(sort $(basename $(notdir $(wildcard toolchains/*.mk))))
DEFAULT_ARCHS := aarch64 x86_64
HOST_ARCH := $(shell uname -m)
ARCH ?=
KERNEL ?=
WERROR ?=
V ?=
FUZZ_SECONDS ?= 300
HOSTCC ?= gcc
CLANG ?= clang
LLVM_OBJCOPY ?= llvm-objcopy
export EINAT_CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/einat
export PATH := $(PATH):/usr/sbin:/sbin

ARCHS := $(or $(ARCH),$(DEFAULT_ARCHS))
ifneq ($(filter-out $(KNOWN_ARCHS),$(ARCHS)),)
$(error ARCH=$(ARCH): no such file in toolchains/; known: $(KNOWN_ARCHS))
endif

BUILD := build
SOURCES := $(BUILD)/sources
LIBRARIES := zlib libelf libbpf cmocka
UNPACKED := $(CURDIR)/$(SOURCES)
Q := $(if $(filter 1,$V),,@)
say = @printf '  %-8s %s\n' '$1' '$(or $2,$@)'
quiet = $(if $(filter 1,$V),,>$(CURDIR)/$(@D)/log 2>&1 || { tail -n 30 $(CURDIR)/$(@D)/log; exit 1; })

.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

# Flags. The build folder's name never reaches a byte of the output.
REPRODUCIBLE := -ffile-prefix-map=$(CURDIR)/=
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla \
	$(if $(filter 1,$(WERROR)),-Werror)
LINT_CFLAGS = -std=gnu11 $(DEFINES) $(subst -I$(BUILD),-isystem $(BUILD),$(INCLUDES)) -nostdlibinc \
	-isystem $(BUILD)/$(HOST_ARCH)/sysroot/include -Ibench -isystem $(BUILD)/bench
DEFINES := -D_GNU_SOURCE -DEINAT_VERSION='"$(VERSION)"'
INCLUDES := -Isrc -Ibpf -I$(BUILD)/bpf
SMALL := -Os -fstack-protector-strong -fno-asynchronous-unwind-tables -fno-unwind-tables \
	-ffunction-sections -fdata-sections -fno-pie $(REPRODUCIBLE)
TARGET_CFLAGS := -std=gnu11 $(SMALL) -flto -ffat-lto-objects -flto-partition=one $(WARNINGS) $(DEFINES) $(INCLUDES)
TARGET_LDFLAGS := -static -no-pie -s -Wl,--gc-sections,--build-id=none,-z,relro,-z,now,-z,noexecstack
HOST_CFLAGS := -std=gnu11 -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer \
	$(WARNINGS) $(DEFINES) $(INCLUDES)

# Sources. What needs a library that the host may lack is an edge; the rest is linked to the unit tests.
EDGES := main daemon listeners listener_warn assignment_log interface instance inheritance pins datapath datapath_fill succession \
	static_mapping fragments attachment designated_link facts facts_firewall masquerade qdisc netlink routing skeleton \
	privileges cleanup control control_answer mapping_view client
SRC := $(basename $(notdir $(wildcard src/*.c)))
PURE := $(filter-out $(EDGES),$(SRC))
UNIT_TESTS := $(patsubst src/tests/%.c,$(BUILD)/host/tests/%,$(wildcard src/tests/test_*.c))
DATA_PLANE_TESTS := $(basename $(notdir $(wildcard bpf/tests/test_*.c)))
DATA_PLANE_SHARED := $(filter-out test_%,$(basename $(notdir $(wildcard bpf/tests/*.c))))
-include qemu-tests/peers/peers.mk

.PHONY: all $(KNOWN_ARCHS)
all: $(ARCHS) ## build einat for aarch64 and x86_64, or for ARCH
$(KNOWN_ARCHS): %: $(BUILD)/%/einat

$(SOURCES)/%/.unpacked: cross/hashes/% | tools
	$(call say,UNPACK,$*)
	$Qrm -rf $(@D) && mkdir -p $(@D)
	$Qtar -xf "$$(toolchains/fetch $*)" -C $(@D) --strip-components=1 --no-same-owner
	$Qtouch $@

include bpf/objects.mk cross/host.mk
$(foreach A,$(KNOWN_ARCHS),$(eval include cross/target.mk))
include bench/bench.mk
-include $(wildcard $(BUILD)/bpf/*.d $(foreach d,objects objects/*,$(BUILD)/*/$d/*.d))

# Commands. Those that a newcomer types first install what is missing.
RUN_ARCH := $(or $(ARCH),$(HOST_ARCH))
MATRIX := $(foreach a,$(ARCHS),$(addprefix vm/$a/,$(or $(KERNEL),$(KERNELS_TEST_$a))))
TESTS := $(UNIT_TESTS) $(wildcard docs/*.t packaging/*.t src/tests/*.t toolchains/*.t bpf/tests/*.t qemu-tests/peers/tests/*.t) \
	$(DATA_PLANE_TESTS:%=$(BUILD)/$(HOST_ARCH)/tests/%)
PROVE := prove $(if $(filter 1,$V),-v) --timer --exec toolchains/run-test
KERNEL_ARCHS := $(or $(ARCH),$(KNOWN_ARCHS))
RELEASE_ARCHS := $(or $(ARCH),$(KNOWN_ARCHS))
IMAGE_ARCHS := aarch64 x86_64
KERNEL_MATRIX := $(filter $(if $(KERNEL),vm/%/$(KERNEL) vm/%/$(KERNEL)-alone,%), \
	$(foreach a,$(KERNEL_ARCHS),$(KERNELS_$a:%=vm/$a/%) $(KERNELS_ALONE_$a:%=vm/$a/%-alone)))
PARALLEL = $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc))
C_FILES := $(wildcard src/*.[ch] src/tests/*.[ch] bpf/*.[ch] bpf/tests/*.[ch] bench/*.[ch] qemu-tests/peers/*.[ch] cross/*/*.[ch])
LINTED := $(filter-out %.bpf.c,$(wildcard src/*.c bench/*.c qemu-tests/peers/*.c cross/libmnl/*.c))
SH_FILES := $(shell grep -rlE --exclude-dir=build --exclude-dir=.git '^(\#!/bin/sh|\# shellcheck shell=)' .)

.PHONY: tools setup parts demo test test-kernels tested fuzz shell lint format release release-again reproducible clean help
tools:
	@EINAT_SETUP=no toolchains/setup build $(ARCHS) || { echo "make setup installs it" >&2; exit 1; }

setup: ## install what building, testing and linting need (apt, sudo)
	$Qtoolchains/setup build test lint $(ARCHS)

parts: $(UNIT_TESTS) $(foreach a,$(sort $(ARCHS) $(HOST_ARCH)),$a-parts) ## build all that the tests need

demo: ## boot the router between a LAN and an Internet, print each check as it passes
	$Qtoolchains/setup build boot $(RUN_ARCH)
	$Q+$(MAKE) --no-print-directory $(PARALLEL) ARCH=$(RUN_ARCH) $(RUN_ARCH)-parts
	$Qqemu-tests/demo $(RUN_ARCH) $(KERNEL)

test: ## run every test: units, data plane on this kernel (root), scenarios in VMs
	$Qtoolchains/setup build test $(ARCHS)
	$Q+$(MAKE) --no-print-directory $(PARALLEL) parts
	$Qstatus=0; \
	EINAT_ARCHS="$(ARCHS)" $(PROVE) $(TESTS) || status=1; \
	$(if $(MATRIX),$(PROVE) -j$(shell nproc) $(MATRIX) || status=1;) \
	exit $$status

fuzz: $(BUILD)/$(HOST_ARCH)/tests/test_fuzz ## random packets through the data plane for FUZZ_SECONDS (root)
	$Q$< -t $(FUZZ_SECONDS)

test-kernels: ## boot every kernel of every architecture, write build/tested.md
	$Qtoolchains/setup build test $(KERNEL_ARCHS)
	$Q+$(MAKE) --no-print-directory $(PARALLEL) $(KERNEL_ARCHS:%=%-parts)
	$QEINAT_TEST_LIMIT=3600 VM_LIMIT=3500 EINAT_PROGRAM_LIMIT=1200 \
		$(PROVE) -j$(shell nproc) $(KERNEL_MATRIX)

tested: ## put the table of what has been tested into README.md
	$Qqemu-tests/table README.md

shell: ## boot the same router with a console
	$Qtoolchains/setup build boot $(RUN_ARCH)
	$Q+$(MAKE) --no-print-directory $(PARALLEL) ARCH=$(RUN_ARCH) $(RUN_ARCH)-parts
	$Qqemu-tests/shell $(RUN_ARCH) $(KERNEL)

lint: $(SKELETONS) $(BENCH_BPF) $(BUILD)/$(HOST_ARCH)/.headers ## clang-format, clang-tidy, cppcheck, shellcheck
	$Qclang-format --dry-run -Werror $(C_FILES)
	$Qshellcheck -x $(SH_FILES)
	$Qcppcheck --quiet --error-exitcode=1 --inline-suppr --suppress=ctuuninitvar -D__GNUC__ -Isrc -Ibpf \
		'-DLIBBPF_OPTS(t,n,...)=struct t n' -I$(BUILD)/$(HOST_ARCH)/sysroot/include $(sort $(dir $(LINTED)))
	$Qclang-tidy --quiet $(LINTED) -- $(LINT_CFLAGS)

format: ## let clang-format rewrite the sources
	clang-format -i $(C_FILES)

release: ## all that people download, for every architecture, into dist/
	$Qtoolchains/setup build boot release $(RELEASE_ARCHS)
	$Q+$(MAKE) --no-print-directory $(PARALLEL) $(RELEASE_ARCHS) $(patsubst %,%-parts,$(filter $(IMAGE_ARCHS),$(RELEASE_ARCHS)))
	$QEINAT_IMAGES="$(IMAGE_ARCHS)" toolchains/release $(RELEASE_ARCHS)

release-again: ## make the release of this commit once more in another folder, compare the bytes
	$Q+toolchains/release-again $(RELEASE_ARCHS)

reproducible: $(ARCHS) ## build again in another folder, compare the bytes
	$Q+toolchains/reproducible $(ARCHS)

clean: ## remove all that was built (the downloads stay in EINAT_CACHE)
	rm -rf $(BUILD) dist

help: ## this text
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' Makefile | expand -t 24
	@printf '  %-21s %s\n' 'ARCH=$(ARCH)' 'only this one of: $(KNOWN_ARCHS) (without: $(DEFAULT_ARCHS))' 'KERNEL=$(KERNEL)' \
		'only this one of the kernels: 5.10 6.1 6.12 newest 6.1-generic (6.1 for demo and shell)' \
		'FUZZ_SECONDS=$(FUZZ_SECONDS)' 'how long make fuzz takes' \
		'V=$V' '1: print the commands' 'WERROR=$(WERROR)' '1: warnings are errors' \
		'EINAT_CACHE=' '$(EINAT_CACHE): downloads'
