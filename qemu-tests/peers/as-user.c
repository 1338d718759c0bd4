// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs a program as another user, without groups and with these capabilities
 * alone, which it may keep (ambient):
 *
 *	as-user UID [net_admin|net_raw|perfmon|bpf|sys_admin...] -- PROGRAM [ARGUMENT...]
 */
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "endpoint.h"

enum { EXIT_NO = 1, EXIT_USAGE = 2 };

static const struct {
	const char *name;
	int number;
} known[] = {
	{ "net_admin", CAP_NET_ADMIN }, { "net_raw", CAP_NET_RAW }, { "perfmon", CAP_PERFMON }, { "bpf", CAP_BPF },
	{ "sys_admin", CAP_SYS_ADMIN },
};

static uint64_t capability_parse(const char *name)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (!strcmp(known[i].name, name))
			return 1ull << known[i].number;
	return 0;
}

/* Makes them permitted, effective, inheritable and ambient. 0 or -1. */
static int capabilities_set(uint64_t set)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	for (int i = 0; i < 2; i++) {
		data[i].effective = (uint32_t)(set >> 32 * i);
		data[i].permitted = data[i].effective;
		data[i].inheritable = data[i].effective;
	}
	if (syscall(SYS_capset, &header, data))
		return -1;
	for (int i = 0; i < 64; i++)
		if (set >> i & 1 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0))
			return -1;
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t set = 0, one = 1;
	long uid = -1;
	int i;

	for (i = 2; i < argc && strcmp(argv[i], "--") != 0 && one; i++)
		set |= one = capability_parse(argv[i]);
	if (!one || i + 1 >= argc || number_parse(argv[1], 65535, &uid)) {
		fputs("usage: as-user UID [net_admin|net_raw|perfmon|bpf|sys_admin...] -- PROGRAM [ARGUMENT...]\n",
		      stderr);
		return EXIT_USAGE;
	}
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) || setgroups(0, NULL) || setgid((gid_t)uid) || setuid((uid_t)uid) ||
	    capabilities_set(set)) {
		perror("as-user");
		return EXIT_NO;
	}
	execvp(argv[i + 1], argv + i + 1);
	perror(argv[i + 1]);
	return EXIT_NO;
}
