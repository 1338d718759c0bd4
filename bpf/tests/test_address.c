// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The external address changes while packets flow: whatever leaves has the address that its mapping was made under. The
 * change is made by another process, one instruction at a time, and between any two of them packets run.
 */
#include <errno.h>
#include <linux/pkt_cls.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "steps.h"

#define COUNT(a)    (sizeof(a) / sizeof((a)[0]))
#define STEPS_MAX   100000
#define NEW_PORTS   5000
#define NEW_PORT(n) (20000 + (n) % NEW_PORTS)

/* The addresses in turn, 0 for none: a mapping has the number of the one that it was made under. */
static const uint32_t addresses[] = { EXT, EXT2, EXT, 0, EXT2, 0, EXT };

struct change {
	struct router *router;
	uint32_t first; /* generation of addresses[0] */
	unsigned int number, packets, left;
};

static const struct packet known[] = {
	UDP(A, 25000, S, 53), /* confirmed: the short way */
	UDP(B, 25001, S, 53),
	UDP(A, 25000, S, 53, .payload = 40, .length = 24, .more = true),
	UDP(A, 25000, S, 53, .payload = 40, .offset = 24),
	ERROR(UNREACHABLE, 3, A, S, UDP(S, 53, A, 25000)),
	TCP(SYN, A, 25000, S, 80),
};

/* The address, by its number among `addresses`, of a port's mapping. */
static uint32_t address_of(const struct change *change, enum nat_protocol protocol, unsigned int port)
{
	struct mapping mapping = router_mapping(change->router, protocol, port);
	uint32_t number = mapping.generation - change->first;

	if (mapping.state != MAPPING_LIVE || number >= COUNT(addresses))
		fail_msg("change %u, packet %u: it leaves by port %u, which has no mapping", change->number,
			 change->packets, port);
	return addresses[number];
}

/* Every port is free, so that each internal port has the same one outside. */
static void send_one(struct change *change, const struct packet *packet, unsigned int port)
{
	enum nat_protocol protocol = packet->protocol == 6 ? NAT_TCP : NAT_UDP;
	struct frame frame, got;

	frame_build(&frame, packet, true);
	change->packets++;
	if (router_send_quickly(change->router, NAT_EGRESS, &frame, &got) == TC_ACT_SHOT)
		return;
	change->left++;
	if (!frame_is_from(&got, address_of(change, protocol, port) ?: 1))
		fail_msg("change %u, packet %u: it leaves by port %u, and not with the address of the port's mapping",
			 change->number, change->packets, port);
}

static void send_all(struct change *change)
{
	struct packet unknown = UDP(B, NEW_PORT(change->packets), S, 53);

	send_one(change, &unknown, unknown.sport);
	for (size_t i = 0; i < COUNT(known); i++)
		send_one(change, &known[i], known[i].saddr == B ? 25001 : 25000);
}

/* Another process, stopped where it is about to change the address. */
static pid_t change_begin(const struct change *change)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		router_set_external(change->router, addresses[change->number]);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
		fail_msg("no process to change the address");
	return pid;
}

/* One instruction more. False once there is none left. (Where a kernel cannot do one alone, it does all: 32-bit ARM, RISC-V.) */
static bool change_step(pid_t pid)
{
	int status;

	if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) && (errno != EIO || ptrace(PTRACE_CONT, pid, NULL, NULL)))
		fail_msg("ptrace: %s", strerror(errno));
	if (waitpid(pid, &status, 0) != pid)
		fail_msg("waitpid: %s", strerror(errno));
	if (WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP)
		return true;
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		fail_msg("the change ended with status 0x%x", status);
	return false;
}

static void changes_in_steps(struct router *router)
{
	static const struct step opens[] = {
		{ "A opens a mapping", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
		{ "which is confirmed", WAN, UDP(S, 53, EXT, 25000), LAN, UDP(S, 53, A, 25000), WHY_IN },
	};
	struct change change = { .router = router };

	steps_run(router, opens, COUNT(opens));
	change.first = router_mapping(router, NAT_UDP, 25000).generation;
	for (change.number = 1; change.number < COUNT(addresses); change.number++) {
		pid_t pid = change_begin(&change);
		unsigned int steps = 0;

		while (change_step(pid))
			if (steps++ < STEPS_MAX)
				send_all(&change);
			else
				fail_msg("change %u takes more than %d instructions", change.number, STEPS_MAX);
		change.left = 0;
		send_all(&change);
		if (!change.left != !addresses[change.number])
			fail_msg("change %u: %u packets leave when it is done", change.number, change.left);
		router_forget_counters(router);
	}
}

static const struct test tests[] = {
	CODE("what_leaves_has_the_address_of_its_mapping", changes_in_steps, .only_ipv4 = false),
};

int main(int argc, char **argv)
{
	return tests_main(tests, sizeof(tests) / sizeof(*tests), argc, argv);
}
