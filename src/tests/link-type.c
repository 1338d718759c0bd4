// SPDX-License-Identifier: GPL-2.0-or-later
/* Gives a persistent TUN device, which has to be down, another link type: link-type NAME NUMBER (of ARPHRD_*). */
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

int main(int argc, char **argv)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (argc != 3 || fd < 0)
		return 1;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", argv[1]);
	if (ioctl(fd, TUNSETIFF, &request) || ioctl(fd, TUNSETLINK, atol(argv[2]))) {
		perror("link-type");
		return 1;
	}
	return 0;
}
