// SPDX-License-Identifier: GPL-2.0-or-later
/* See testbed.h. */
#include "testbed.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DAEMON_DEADLINE_MS 10000

const char *const router_names[ROUTER_KINDS] = { "plain", "masquerade", "einat" };

static int home = -1; /* the namespace that the program was started in */

static int fail(struct testbed *testbed, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int fail(struct testbed *testbed, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(testbed->why, sizeof(testbed->why), format, args);
	va_end(args);
	return -1;
}

static int ns_open(void)
{
	return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

void testbed_enter(const struct testbed *testbed, enum place place)
{
	if (setns(testbed->ns[place], CLONE_NEWNET))
		abort(); /* a descriptor of our own */
}

void testbed_leave(void)
{
	if (setns(home, CLONE_NEWNET))
		abort();
}

/* A new namespace without a name: it lasts as long as a descriptor of it, or a process in it. */
static int ns_make(void)
{
	int fd;

	if (home < 0)
		home = ns_open();
	if (unshare(CLONE_NEWNET))
		return -1;
	fd = ns_open();
	testbed_leave();
	return fd;
}

/* Runs a command here, its standard input being the text. */
static int command(struct testbed *testbed, const char *input, const char *const argv[])
{
	int ends[2], status;
	pid_t pid;

	if (pipe(ends))
		return fail(testbed, "pipe: %s", strerror(errno));
	pid = fork();
	if (!pid) {
		dup2(ends[0], 0);
		close(ends[0]);
		close(ends[1]);
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	close(ends[0]);
	if (write(ends[1], input, strlen(input)) < 0) /* far less than a pipe holds */
		perror(argv[0]);
	close(ends[1]);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return fail(testbed, "%s: %s", argv[0], strerror(errno));
	if (status == 127 << 8)
		return fail(testbed, "%s is not installed: toolchains/setup bench", argv[0]);
	return status ? fail(testbed, "%s failed", argv[0]) : 0;
}

static int setting(struct testbed *testbed, const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err;

	err = fd < 0 || write(fd, value, strlen(value)) < 0 ? errno : 0;
	if (fd >= 0)
		close(fd);
	return err && err != ENOENT ? fail(testbed, "%s: %s", path, strerror(err)) : 0;
}

/* The device of this name, in the namespace that we are in, receives with GRO. */
static int gro_on(struct testbed *testbed, const char *name)
{
	struct ethtool_value value = { .cmd = ETHTOOL_SGRO, .data = 1 };
	struct ifreq request = { .ifr_data = (void *)&value };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err = 0;

	strncpy(request.ifr_name, name, sizeof(request.ifr_name) - 1);
	if (fd < 0 || ioctl(fd, SIOCETHTOOL, &request))
		err = fail(testbed, "%s: switch GRO on: %s", name, strerror(errno));
	if (fd >= 0)
		close(fd);
	return err;
}

/* ip commands for each place, %s being what the cables' ends are given by: a path of a namespace. */
static const char *const plans[PLACES] = {
	[HOST] = "link set lo up\n"
		 "link set eth0 up\n"
		 "address add " TESTBED_HOST "/16 dev eth0\n"
		 "route add default via 192.168.0.1\n"
		 "neighbour replace 192.168.0.1 lladdr 02:00:00:00:00:02 dev eth0 nud permanent\n",
	[ROUTER] = "link set lo up\n"
		   "link set lan up\n"
		   "link set wan up\n"
		   "address add 192.168.0.1/16 dev lan\n"
		   "address add " TESTBED_EXTERNAL "/24 dev wan\n"
		   "route add default via 203.0.113.1\n"
		   "neighbour replace " TESTBED_HOST " lladdr 02:00:00:00:00:01 dev lan nud permanent\n"
		   "neighbour replace 203.0.113.1 lladdr 02:00:00:00:00:04 dev wan nud permanent\n",
	[SERVER] = "link set lo up\n"
		   "link set eth0 up\n"
		   "address add 203.0.113.1/24 dev eth0\n"
		   "address add " TESTBED_SERVER "/32 dev lo\n"
		   "route add default via " TESTBED_EXTERNAL " src " TESTBED_SERVER "\n"
		   "neighbour replace " TESTBED_EXTERNAL " lladdr 02:00:00:00:00:03 dev eth0 nud permanent\n",
};

/* The cables, laid from the router. */
static int cables_lay(struct testbed *testbed)
{
	const char *const argv[] = { "ip", "-batch", "-", NULL };
	char text[512];

	snprintf(text, sizeof(text),
		 "link add lan address 02:00:00:00:00:02 type veth peer name eth0 address 02:00:00:00:00:01 "
		 "netns /proc/%d/fd/%d\n"
		 "link add wan address 02:00:00:00:00:03 type veth peer name eth0 address 02:00:00:00:00:04 "
		 "netns /proc/%d/fd/%d\n",
		 getpid(), testbed->ns[HOST], getpid(), testbed->ns[SERVER]);
	return command(testbed, text, argv);
}

static int place_set_up(struct testbed *testbed, enum place place)
{
	const char *const argv[] = { "ip", "-batch", "-", NULL };
	int err;

	/* IPv6 neighbour discovery would add packets of its own */
	err = setting(testbed, "/proc/sys/net/ipv6/conf/all/disable_ipv6", "1");
	err = err ?: setting(testbed, "/proc/sys/net/ipv4/conf/all/rp_filter", "0");
	err = err ?: command(testbed, plans[place], argv);
	testbed->ifindex[place] = if_nametoindex(place == ROUTER ? "wan" : "eth0");
	if (err || place != ROUTER)
		return err;
	err = setting(testbed, "/proc/sys/net/ipv4/ip_forward", "1");
	err = err ?: gro_on(testbed, "lan");
	return err ?: gro_on(testbed, "wan");
}

static int masquerade(struct testbed *testbed)
{
	const char *const argv[] = { "nft", "-f", "-", NULL };

	return command(testbed,
		       "table ip nat {\n"
		       "	chain postrouting {\n"
		       "		type nat hook postrouting priority srcnat;\n"
		       "		oifname wan masquerade;\n"
		       "	}\n"
		       "}\n",
		       argv);
}

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Waits for the line that the daemon prints once it translates. */
static int daemon_wait(struct testbed *testbed, int fd)
{
	long long deadline = now_ms() + DAEMON_DEADLINE_MS;
	struct pollfd readable = { .fd = fd, .events = POLLIN };
	char text[1024];
	size_t size = 0;

	while (size + 1 < sizeof(text)) {
		ssize_t got = 0;

		if (poll(&readable, 1, deadline > now_ms() ? (int)(deadline - now_ms()) : 0) == 1)
			got = read(fd, text + size, sizeof(text) - 1 - size);
		if (got <= 0)
			break;
		size += got;
		text[size] = '\0';
		if (strstr(text, "wan: " TESTBED_EXTERNAL))
			return 0;
	}
	return fail(testbed, "einat is not ready: %.*s", size ? (int)strcspn(text, "\n") : 7, size ? text : "silence");
}

static int daemon_start(struct testbed *testbed, const char *einat, const char *ports)
{
	const char *const argv[] = { einat, "--ifname", "wan", ports ? "--ports" : NULL, ports, NULL };
	int ends[2], err;

	if (pipe2(ends, O_CLOEXEC))
		return fail(testbed, "pipe: %s", strerror(errno));
	testbed->daemon = fork();
	if (!testbed->daemon) {
		cpu_set_t all;

		memset(&all, 0xff, sizeof(all)); /* only what we measure is pinned */
		sched_setaffinity(0, sizeof(all), &all);
		setpriority(PRIO_PROCESS, 0, 0);
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		dup2(ends[1], 2);
		execv(einat, (char *const *)argv);
		dprintf(2, "%s: %s\n", einat, strerror(errno));
		_exit(127);
	}
	close(ends[1]);
	err = testbed->daemon < 0 ? fail(testbed, "fork: %s", strerror(errno)) : daemon_wait(testbed, ends[0]);
	close(ends[0]); /* it has little to say from here on, and may not be killed by SIGPIPE */
	return err;
}

int testbed_open(struct testbed *testbed, enum router_kind kind, const char *einat, const char *ports)
{
	int err = 0;

	*testbed = (struct testbed){ .kind = kind, .ns = { -1, -1, -1 } };
	for (int place = 0; place < PLACES; place++) {
		testbed->ns[place] = ns_make();
		if (testbed->ns[place] < 0)
			return fail(testbed, "make a network namespace: %s", strerror(errno));
	}
	testbed_enter(testbed, ROUTER);
	err = cables_lay(testbed);
	for (int place = 0; !err && place < PLACES; place++) {
		testbed_enter(testbed, place);
		err = place_set_up(testbed, place);
	}
	testbed_enter(testbed, ROUTER);
	if (!err && kind == ROUTER_MASQUERADE)
		err = masquerade(testbed);
	if (!err && kind == ROUTER_EINAT)
		err = daemon_start(testbed, einat, ports);
	testbed_leave();
	return err;
}

void testbed_close(struct testbed *testbed)
{
	if (testbed->daemon > 0) {
		kill(testbed->daemon, SIGTERM);
		waitpid(testbed->daemon, NULL, 0);
	}
	testbed->daemon = 0;
	for (int place = 0; place < PLACES; place++) {
		if (testbed->ns[place] >= 0)
			close(testbed->ns[place]);
		testbed->ns[place] = -1;
	}
}

unsigned long testbed_received(const struct testbed *testbed)
{
	unsigned long packets = 0;
	char line[512], *at;
	FILE *from;

	testbed_enter(testbed, ROUTER);
	from = fopen("/proc/thread-self/net/dev", "r");
	while (from && fgets(line, sizeof(line), from)) {
		at = strstr(line, "lan:");
		if (at)
			sscanf(at + 4, "%*u %lu", &packets);
	}
	if (from)
		fclose(from);
	testbed_leave();
	return packets;
}
