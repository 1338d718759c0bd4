# SPDX-License-Identifier: GPL-2.0-or-later
# The BPF objects, and the skeletons that the daemon embeds: one for each bpf/nat*.bpf.c.

BPF := $(patsubst bpf/%.bpf.c,%,$(wildcard bpf/nat*.bpf.c))
SKELETONS := $(BPF:%=$(BUILD)/bpf/%.skel.h)
BPF_CFLAGS := -target bpfel -mcpu=v2 -O2 -g -std=gnu11 -nostdlibinc -isystem $(BUILD)/bpf/include -ffile-prefix-map=$(CURDIR)=. \
	-Wall -Wextra -Wshadow -Wno-unused-function -Wno-unused-parameter $(if $(filter 1,$(WERROR)),-Werror) -Ibpf

# The BPF objects are little-endian and the same for all architectures: they know no CPU's asm/ headers.
$(BUILD)/bpf/.headers: $(SOURCES)/libbpf/.unpacked cross/uapi-headers
	$Qcross/uapi-headers $(HOSTCC) $(@D)/include generic
	$Qmkdir -p $(@D)/include/bpf && cp $(SOURCES)/libbpf/src/*.h $(@D)/include/bpf/
	$Qcp $(SOURCES)/libbpf/include/uapi/linux/*.h $(@D)/include/linux/ && touch $@

# What ships has BTF for its maps, but no source lines: 100 KB that only a verifier's log shows. They stay in .lines.o.
$(BUILD)/bpf/%.bpf.o: bpf/%.bpf.c $(BUILD)/bpf/.headers bpf/check-object bpf/helpers.list bpf/objects.mk Makefile
	$(call say,BPF)
	$Q$(CLANG) $(BPF_CFLAGS) -MMD -MP -MF $(@:.o=.d) -MT $@ -c $< -o $(@:.o=.lines.o)
	$Qbpf/check-object $(@:.o=.lines.o) $(BUILD)/bpf/include/bpf/bpf_helper_defs.h
	$Q$(LLVM_OBJCOPY) -x -R .BTF.ext -R .rel.BTF.ext -R .llvm_addrsig $(@:.o=.lines.o) $(@:.o=.bare.o)
	$Qbpftool gen object $@.tmp $(@:.o=.bare.o) && mv $@.tmp $@

$(BUILD)/bpf/%.skel.h: $(BUILD)/bpf/%.bpf.o bpf/skeleton
	$(call say,SKELETON)
	$Qbpf/skeleton $< >$@.tmp && mv $@.tmp $@
