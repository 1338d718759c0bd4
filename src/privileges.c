// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The capabilities of the daemon. All four are needed again while it runs: NET_ADMIN for rules, routes and attaching, BPF
 * and PERFMON to load when an interface has been made anew, NET_RAW to send on a fragment that was held.
 */
#include "privileges.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "log.h"

/* What the kernel asks for: SYS_ADMIN stands for the two that are younger than it (5.8). */
static const struct {
	const char *name;
	int capability;
	bool in_sys_admin;
} needed[] = {
	{ "NET_ADMIN", CAP_NET_ADMIN, false },
	{ "NET_RAW", CAP_NET_RAW, false },
	{ "BPF", CAP_BPF, true },
	{ "PERFMON", CAP_PERFMON, true },
};

enum { NEEDED = sizeof(needed) / sizeof(needed[0]), CAPABILITIES_MAX = 64 };

static struct __user_cap_header_struct own(void)
{
	return (struct __user_cap_header_struct){ .version = _LINUX_CAPABILITY_VERSION_3 };
}

static int capabilities_read(uint64_t *permitted, uint64_t *effective)
{
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { { 0, 0, 0 } };
	struct __user_cap_header_struct header = own();

	if (syscall(SYS_capget, &header, data))
		return -errno;
	*permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
	*effective = data[0].effective | (uint64_t)data[1].effective << 32;
	return 0;
}

static bool has(uint64_t set, int capability)
{
	return set >> capability & 1;
}

int privileges_check(void)
{
	uint64_t permitted = 0, effective = 0;
	char missing[64] = "";
	int err, i;

	err = capabilities_read(&permitted, &effective);
	if (err) {
		log_error("read the capabilities: %s", strerror(-err));
		return err;
	}
	for (i = 0; i < NEEDED; i++) {
		if (has(effective, needed[i].capability) || (needed[i].in_sys_admin && has(effective, CAP_SYS_ADMIN)))
			continue;
		snprintf(missing + strlen(missing), sizeof(missing) - strlen(missing), " %s", needed[i].name);
	}
	if (!missing[0])
		return 0;
	log_error("no permission: missing capabilities:%s; run it as root", missing);
	return -EPERM;
}

/* Of what there is: what is needed, and SYS_ADMIN only where it has to stand for another. */
static uint64_t capabilities_kept(uint64_t permitted)
{
	uint64_t kept = 0;
	int i;

	for (i = 0; i < NEEDED; i++) {
		if (has(permitted, needed[i].capability))
			kept |= 1ull << needed[i].capability;
		else if (needed[i].in_sys_admin)
			kept |= permitted & 1ull << CAP_SYS_ADMIN;
	}
	return kept;
}

/* Inheritable: none. */
static int capabilities_write(uint64_t set)
{
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
		{ .effective = (uint32_t)set, .permitted = (uint32_t)set },
		{ .effective = (uint32_t)(set >> 32), .permitted = (uint32_t)(set >> 32) },
	};
	struct __user_cap_header_struct header = own();

	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

void privileges_drop(void)
{
	uint64_t permitted = 0, effective = 0, kept;
	int capability, err;

	err = capabilities_read(&permitted, &effective);
	if (!err) {
		kept = capabilities_kept(permitted);
		/* The bounding set takes SETPCAP; without it there is nothing in it that we could gain: no_new_privs. */
		for (capability = 0; has(effective, CAP_SETPCAP) && capability < CAPABILITIES_MAX; capability++)
			if (!has(kept, capability) && prctl(PR_CAPBSET_READ, capability, 0, 0, 0) == 1)
				prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
		prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
		err = capabilities_write(kept);
	}
	if (!err && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		err = -errno;
	if (err)
		log_warning("give up capabilities: %s", strerror(-err));
}
