// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * TCP between real stacks through the router, in packets as large as segmentation offload makes them: from the host to the
 * server, and back. Plain forwarding and einat in turn, short runs.
 */
#include "bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "report.h"
#include "testbed.h"

#define ROUNDS	9
#define RUN_MS	300
#define SKIP_MS 50 /* the window opens */
#define PORT	5001
#define SHARE	(256 * 1024)
#define GIVE_UP 10 /* seconds without a byte */

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

static void pin_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static int socket_make(void)
{
	struct timeval patience = { .tv_sec = GIVE_UP };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	return fd;
}

static struct sockaddr_in address(const char *addr, uint16_t port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };

	inet_pton(AF_INET, addr, &in.sin_addr);
	return in;
}

static char share[SHARE];

/* Sends until the other side hangs up. */
static void send_all(int fd)
{
	while (send(fd, share, sizeof(share), MSG_NOSIGNAL) > 0)
		;
}

/* Receives for a while. Gives bits per second, or 0. */
static double receive_timed(int fd)
{
	double start = now(), begin = 0, bytes = 0, time = start;

	while (time < start + RUN_MS / 1e3) {
		ssize_t got = recv(fd, share, sizeof(share), 0);

		if (got <= 0)
			return 0;
		time = now();
		if (begin)
			bytes += got;
		else if (time > start + SKIP_MS / 1e3)
			begin = time;
	}
	return 8 * bytes / (time - begin);
}

/* The other process: connects from the host, and sends or (outwards being false) receives and prints what it got. */
static void host_run(const struct testbed *testbed, bool outwards, int result)
{
	struct sockaddr_in server = address(TESTBED_SERVER, PORT);
	double rate = 0;
	int fd;

	testbed_enter(testbed, HOST);
	pin_to(0);
	fd = socket_make();
	if (!connect(fd, (struct sockaddr *)&server, sizeof(server))) {
		if (outwards)
			send_all(fd);
		else
			rate = receive_timed(fd);
	}
	if (write(result, &rate, sizeof(rate)) < 0)
		_exit(1);
	_exit(0);
}

/* Bits per second, or 0 if nothing came through. */
static double run(const struct testbed *testbed, const struct bench *bench, bool outwards)
{
	struct sockaddr_in any = address("0.0.0.0", PORT);
	int listener, fd, ends[2];
	double rate = 0, theirs = 0;
	pid_t pid;

	testbed_enter(testbed, SERVER);
	listener = socket_make();
	testbed_leave();
	if (bind(listener, (struct sockaddr *)&any, sizeof(any)) || listen(listener, 1) || pipe(ends))
		return 0;
	pid = fork();
	if (!pid)
		host_run(testbed, outwards, ends[1]);
	pin_to(bench->cpu);
	fd = accept(listener, NULL, NULL);
	if (fd >= 0 && outwards)
		rate = receive_timed(fd);
	else if (fd >= 0)
		send_all(fd);
	close(fd);
	close(listener);
	close(ends[1]);
	if (read(ends[0], &theirs, sizeof(theirs)) == sizeof(theirs) && !outwards)
		rate = theirs;
	close(ends[0]);
	waitpid(pid, NULL, 0);
	return rate;
}

static void direction_run(struct testbed testbeds[ROUTER_KINDS], const struct bench *bench, bool outwards)
{
	const char *what = outwards ? "out" : "in";
	struct samples ratios = { 0 }, rates[ROUTER_KINDS] = { 0 };

	for (int round = 0; round <= ROUNDS; round++) {
		double rate[ROUTER_KINDS] = { 0 };
		int first = round % 2 ? ROUTER_EINAT : ROUTER_PLAIN;

		rate[first] = run(&testbeds[first], bench, outwards);
		rate[ROUTER_EINAT - first] = run(&testbeds[ROUTER_EINAT - first], bench, outwards);
		if (rate[ROUTER_PLAIN] <= 0 || rate[ROUTER_EINAT] <= 0) {
			report_missing(what, "no connection through %s",
				       router_names[rate[ROUTER_PLAIN] > 0 ? ROUTER_EINAT : ROUTER_PLAIN]);
			return;
		}
		if (!round)
			continue; /* for warming up */
		samples_add(&rates[ROUTER_PLAIN], rate[ROUTER_PLAIN] / 1e9);
		samples_add(&rates[ROUTER_EINAT], rate[ROUTER_EINAT] / 1e9);
		samples_add(&ratios, rate[ROUTER_EINAT] / rate[ROUTER_PLAIN]);
	}
	report_row(what, "x", &ratios, (struct target){ AT_LEAST, 0.95 },
		   (struct beside[]){ { "einat Gbit/s", samples_median(&rates[ROUTER_EINAT]) },
				      { "plain Gbit/s", samples_median(&rates[ROUTER_PLAIN]) },
				      { NULL, 0 } });
	samples_free(&ratios);
	samples_free(&rates[ROUTER_PLAIN]);
	samples_free(&rates[ROUTER_EINAT]);
}

void bench_throughput(const struct bench *bench)
{
	static const enum router_kind kinds[] = { ROUTER_PLAIN, ROUTER_EINAT };
	struct testbed testbeds[ROUTER_KINDS] = { [ROUTER_MASQUERADE] = { .ns = { -1, -1, -1 } } };
	int err = 0;

	report_area("TCP throughput with segmentation offload", "plain forwarding");
	for (size_t i = 0; i < 2; i++)
		err |= testbed_open(&testbeds[kinds[i]], kinds[i], bench->einat, NULL);
	if (err) {
		report_missing("throughput", "%s",
			       *testbeds[ROUTER_PLAIN].why ? testbeds[ROUTER_PLAIN].why : testbeds[ROUTER_EINAT].why);
	} else {
		direction_run(testbeds, bench, true);
		direction_run(testbeds, bench, false);
	}
	for (size_t i = 0; i < 2; i++)
		testbed_close(&testbeds[kinds[i]]);
}
