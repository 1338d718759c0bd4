# SPDX-License-Identifier: GPL-2.0-or-later
# What runs on the machine that builds: the unit tests, under the sanitizers.

# what cmocka finds on each system of ours
CMOCKA_CFLAGS := -DHAVE_MALLOC_H -DHAVE_INTTYPES_H -DHAVE_SIGNAL_H -DHAVE_STRINGS_H -DHAVE_GCC_THREAD_LOCAL_STORAGE \
	-DHAVE_CLOCK_REALTIME -DHAVE_SIGLONGJMP -DHAVE_STRSIGNAL -DHAVE_STRUCT_TIMESPEC
# cmocka.h would make an uintptr_t of its own, not always that of the C library
CMOCKA_USER := -DHAVE_UINTPTR_T -include stdint.h

$(BUILD)/host/libcmocka.a: $(SOURCES)/cmocka/.unpacked
	$(call say,CMOCKA,host)
	$Qmkdir -p $(@D)
	$Q$(HOSTCC) -O1 -g -w $(CMOCKA_CFLAGS) $(CMOCKA_USER) -I$(SOURCES)/cmocka/include -c $(SOURCES)/cmocka/src/cmocka.c -o $(@D)/cmocka.o
	$Qar crD $@.tmp $(@D)/cmocka.o && mv $@.tmp $@

$(BUILD)/host/objects/%.o: src/%.c $(BUILD)/bpf/.headers Makefile
	$(call say,HOSTCC)
	$Qmkdir -p $(@D)
	$Q$(HOSTCC) $(HOST_CFLAGS) -Icross -MMD -MP -c $< -o $@

$(BUILD)/host/objects/tests/%.o: src/tests/%.c $(BUILD)/host/libcmocka.a $(BUILD)/bpf/.headers Makefile
	$(call say,HOSTCC)
	$Qmkdir -p $(@D)
	$Q$(HOSTCC) $(HOST_CFLAGS) -Icross $(CMOCKA_USER) -I$(SOURCES)/cmocka/include -MMD -MP -c $< -o $@

$(BUILD)/host/objects/libmnl.o: cross/libmnl/libmnl.c cross/libmnl/libmnl.h $(BUILD)/bpf/.headers Makefile
	$(call say,HOSTCC)
	$Qmkdir -p $(@D)
	$Q$(HOSTCC) $(HOST_CFLAGS) -Icross -c $< -o $@

$(UNIT_TESTS): $(BUILD)/host/tests/%: $(BUILD)/host/objects/tests/%.o $(PURE:%=$(BUILD)/host/objects/%.o) \
		$(BUILD)/host/objects/libmnl.o $(BUILD)/host/libcmocka.a
	$(call say,LINK)
	$Qmkdir -p $(@D) && $(HOSTCC) $(HOST_CFLAGS) -o $@.tmp $^ && mv $@.tmp $@
