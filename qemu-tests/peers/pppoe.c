// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One end of a PPPoE session (RFC 2516), as a device pppN: from the day's first
 * packet on what the kernel does is what it does for a provider's customer. The
 * two ends agree on the session's number beforehand, and on everything that LCP
 * and IPCP would settle: discovery and negotiation are a PPP daemon's work, of
 * which a NAT sees nothing. The session ends, and the device goes, when this
 * program ends.
 *
 *	pppoe DEVICE SESSION REMOTE-MAC MTU
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_pppox.h>
#include <linux/ppp-ioctl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EXIT_OK, EXIT_NO, EXIT_USAGE };

static int complain(const char *what)
{
	fprintf(stderr, "pppoe: %s: %s\n", what, strerror(errno));
	return -1;
}

static int mac_parse(const char *text, unsigned char *mac)
{
	char end;

	return sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx%c", &mac[0], &mac[1], &mac[2], &mac[3], &mac[4], &mac[5],
		      &end) == 6
		       ? 0
		       : -1;
}

/* The session, as a channel of PPP: its number, or -1. It lives as long as the socket, that is, as we do. */
static int channel_open(const char *device, long session, const char *remote)
{
	struct sockaddr_pppox address = { .sa_family = AF_PPPOX, .sa_protocol = PX_PROTO_OE };
	const void *to = &address; /* packed, which connect() cannot know */
	int fd, channel;

	address.sa_addr.pppoe.sid = htobe16((uint16_t)session);
	snprintf(address.sa_addr.pppoe.dev, sizeof(address.sa_addr.pppoe.dev), "%s", device);
	if (mac_parse(remote, address.sa_addr.pppoe.remote)) {
		errno = EINVAL;
		return complain(remote);
	}
	fd = socket(AF_PPPOX, SOCK_STREAM, PX_PROTO_OE);
	if (fd < 0)
		return complain("this kernel has no PPPoE");
	if (connect(fd, to, sizeof(address)))
		return complain(device);
	if (ioctl(fd, PPPIOCGCHAN, &channel))
		return complain("the session is no channel");
	return channel;
}

/* A network device for the channel: the N of its name, or -1. */
static int unit_open(int channel)
{
	int link = open("/dev/ppp", O_RDWR), device = open("/dev/ppp", O_RDWR), unit = -1;

	if (link < 0 || device < 0)
		return complain("/dev/ppp");
	if (ioctl(link, PPPIOCATTCHAN, &channel) || ioctl(device, PPPIOCNEWUNIT, &unit) ||
	    ioctl(link, PPPIOCCONNECT, &unit))
		return complain("make the device");
	return unit;
}

static int mtu_set(int unit, long mtu)
{
	struct ifreq request = { .ifr_mtu = (int)mtu };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), err;

	snprintf(request.ifr_name, sizeof(request.ifr_name), "ppp%d", unit);
	err = fd < 0 ? -1 : ioctl(fd, SIOCSIFMTU, &request);
	if (fd >= 0)
		close(fd);
	return err ? complain("MTU") : 0;
}

int main(int argc, char **argv)
{
	long session, mtu;
	int channel, unit;

	session = argc == 5 ? strtol(argv[2], NULL, 10) : 0;
	mtu = argc == 5 ? strtol(argv[4], NULL, 10) : 0;
	if (session < 1 || session > 65534 || mtu < 1) {
		fputs("usage: pppoe DEVICE SESSION REMOTE-MAC MTU\n", stderr);
		return EXIT_USAGE;
	}
	channel = channel_open(argv[1], session, argv[3]);
	unit = channel < 0 ? -1 : unit_open(channel);
	if (unit < 0 || mtu_set(unit, mtu))
		return EXIT_NO;
	printf("ppp%d\n", unit);
	fflush(stdout);
	for (;;)
		pause();
}
