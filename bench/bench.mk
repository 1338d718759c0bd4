# SPDX-License-Identifier: GPL-2.0-or-later
# The measurements: one program for this machine's architecture, with BPF programs of its own. Nothing of it ships.

BENCH := $(basename $(notdir $(wildcard bench/*.c)))
BENCH := $(filter-out %.bpf,$(BENCH))
BENCH_BPF := $(patsubst bench/%.bpf.c,$(BUILD)/bench/%.skel.h,$(wildcard bench/*.bpf.c))

$(BUILD)/bench/%.bpf.o: bench/%.bpf.c $(BUILD)/bpf/.headers Makefile
	$(call say,BPF)
	$Qmkdir -p $(@D)
	$Q$(CLANG) $(BPF_CFLAGS) -Ibench -MMD -MP -MF $(@:.o=.d) -MT $@ -c $< -o $(@:.o=.raw.o)
	$Qbpftool gen object $@.tmp $(@:.o=.raw.o) && mv $@.tmp $@

$(BUILD)/bench/%.skel.h: $(BUILD)/bench/%.bpf.o bpf/skeleton
	$(call say,SKELETON)
	$Qbpf/skeleton $< >$@.tmp && mv $@.tmp $@

$(BUILD)/$(HOST_ARCH)/objects/bench/%.o: bench/%.c $(BUILD)/$(HOST_ARCH)/.headers Makefile | $(SKELETONS) $(BENCH_BPF)
	$(call say,CC)
	$Qmkdir -p $(@D) && $(CC) $(TARGET_CFLAGS) $(ARCH_CFLAGS) -Ibench -I$(BUILD)/bench -MMD -MP -c $< -o $@

$(BUILD)/$(HOST_ARCH)/bench: B := $(BUILD)/$(HOST_ARCH)
$(BUILD)/$(HOST_ARCH)/bench: $(BENCH:%=$(BUILD)/$(HOST_ARCH)/objects/bench/%.o) \
		$(patsubst %,$(BUILD)/$(HOST_ARCH)/objects/src/%.o,$(filter-out main,$(SRC))) \
		$(patsubst %,$(BUILD)/$(HOST_ARCH)/sysroot/lib/lib%.a,bpf elf z mnl)
	$(call say,LINK)
	$(link)

-include $(wildcard $(BUILD)/bench/*.d)

.PHONY: bench
bench: ## measure it (root, a few minutes, best on a machine with nothing else to do)
	$Qtoolchains/setup build bench $(HOST_ARCH)
	$Q+$(MAKE) --no-print-directory $(PARALLEL) $(BUILD)/$(HOST_ARCH)/einat $(BUILD)/$(HOST_ARCH)/bench
	$Q$(BUILD)/$(HOST_ARCH)/bench $(BUILD)/$(HOST_ARCH)/einat $(BUILD)/bench.json
