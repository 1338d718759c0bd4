// SPDX-License-Identifier: GPL-2.0-or-later
/* Changes one byte of the first value of a pinned array: map-change FILE OFFSET. */
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static long bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

int main(int argc, char **argv)
{
	union bpf_attr get = { 0 }, element = { 0 };
	unsigned char value[256] = { 0 };
	uint32_t key = 0;

	if (argc != 3)
		return 2;
	get.pathname = (uintptr_t)argv[1];
	element.map_fd = (uint32_t)bpf(BPF_OBJ_GET, &get);
	element.key = (uintptr_t)&key;
	element.value = (uintptr_t)value;
	if (!bpf(BPF_MAP_LOOKUP_ELEM, &element)) {
		value[strtoul(argv[2], NULL, 0) % sizeof(value)]++;
		if (!bpf(BPF_MAP_UPDATE_ELEM, &element))
			return 0;
	}
	perror("map-change");
	return 1;
}
