// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tun-pair NAME NAMESPACE FAR: a cable without Ethernet. Makes the TUN device NAME here and FAR in the network namespace of
 * this path, says `ready`, and carries packets between them until it ends, when both are gone.
 */
#define _GNU_SOURCE 1 /* setns */

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int tun_open(const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (fd >= 0 && !ioctl(fd, TUNSETIFF, &request))
		return fd;
	perror(name);
	return -1;
}

static void carry(int from, int to)
{
	static char packet[65536];
	ssize_t size = read(from, packet, sizeof(packet));

	if (size > 0 && write(to, packet, (size_t)size) != size)
		return; /* lost, as on any cable: the other end is down */
}

int main(int argc, char **argv)
{
	int near, far = -1, namespace;

	if (argc != 4)
		return 1;
	near = tun_open(argv[1]);
	namespace = open(argv[2], O_RDONLY | O_CLOEXEC);
	if (near >= 0 && !setns(namespace, CLONE_NEWNET))
		far = tun_open(argv[3]);
	if (far < 0)
		return 1;
	puts("ready");
	fflush(stdout);
	for (;;) {
		struct pollfd ready[] = { { .fd = near, .events = POLLIN }, { .fd = far, .events = POLLIN } };

		if (poll(ready, 2, -1) < 0)
			return 1;
		carry(near, far);
		carry(far, near);
	}
}
