# SPDX-License-Identifier: GPL-2.0-or-later
# What is built for an architecture. Included once for each, with A set: everything lands in $B.

include toolchains/$A.mk
B := $(BUILD)/$A
KERNELS_TEST_$A := $(KERNELS_TEST)
KERNELS_$A := $(KERNELS)
KERNELS_ALONE_$A := $(KERNELS_ALONE)

# Recipes run when the next architecture's values have replaced these: they stay with the targets.
$B/%: A := $A
$B/%: B := $B
$B/%: S := $(CURDIR)/$B/sysroot
$B/%: TRIPLE := $(TRIPLE)
$B/%: MUSL_ARCH := $(MUSL_ARCH)
$B/%: CC := $(CURDIR)/$B/sysroot/bin/musl-gcc
$B/%: ARCH_CFLAGS := $(ARCH_CFLAGS)
$B/%: ARCH_LDFLAGS := $(ARCH_LDFLAGS)

include cross/libraries.mk

compile = $Qmkdir -p $(@D) && $(CC) $(TARGET_CFLAGS) $(ARCH_CFLAGS) -MMD -MP -c $< -o $@
# -w: with LTO the libraries are compiled again here, and their warnings are not ours. What is not shipped does without.
link = $Qmkdir -p $(@D) && $(CC) -w $(TARGET_CFLAGS) $1 $(ARCH_CFLAGS) $(TARGET_LDFLAGS) $(ARCH_LDFLAGS) -o $@.tmp $^ && \
	mv $@.tmp $@
libraries = $(1:%=$B/sysroot/lib/lib%.a)
objects = $(1:%=$B/objects/%.o)

$B/objects/src/%.o: src/%.c $B/.headers Makefile | $(SKELETONS)
	$(call say,CC)
	$(compile)

$B/objects/tests/%.o: TARGET_CFLAGS += $(CMOCKA_USER) -Wno-override-init
$B/objects/tests/%.o: bpf/tests/%.c $B/.headers Makefile | $(SKELETONS)
	$(call say,CC)
	$(compile)

$B/objects/peers/%.o: qemu-tests/peers/%.c $B/.headers Makefile
	$(call say,CC)
	$(compile)

$B/einat: $(call objects,$(SRC:%=src/%)) $(call libraries,bpf elf z mnl)
	$(call say,LINK)
	$(link)

$(DATA_PLANE_TESTS:%=$B/tests/%): $B/tests/%: $B/objects/tests/%.o $(call objects,$(DATA_PLANE_SHARED:%=tests/%) \
		$(patsubst %,src/%,$(filter-out main,$(SRC)))) $(call libraries,cmocka bpf elf z mnl)
	$(call say,LINK)
	$(call link,-fno-lto)

$(PEERS:%=$B/peers/%): $B/peers/%: $B/objects/peers/%.o $(call objects,$(PEERS_SHARED:%.c=peers/%)) $(call libraries,mnl)
	$(call say,LINK)
	$(call link,-fno-lto)

# What goes into the router image: initramfs/manifest is the list.
.PHONY: $A-parts
$A-parts: $B/einat $(DATA_PLANE_TESTS:%=$B/tests/%) $(PEERS:%=$B/peers/%)
