// SPDX-License-Identifier: GPL-2.0-or-later
/* echo ADDRESS: one ICMP echo request, by the kernel's ping socket; the exit status says if it was answered within 2 s. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in to = { .sin_family = AF_INET };
	char request[16] = { 8 }, answer[16]; /* type, code; the kernel fills in the rest */
	struct pollfd ready = { .events = POLLIN };
	int sent;

	if (argc == 2 && inet_pton(AF_INET, argv[1], &to.sin_addr) == 1) {
		ready.fd = socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
		sent = sendto(ready.fd, request, sizeof(request), 0, (void *)&to, sizeof(to)) > 0;
	} else if (argc == 2 && inet_pton(AF_INET6, argv[1], &to6.sin6_addr) == 1) {
		request[0] = (char)128;
		ready.fd = socket(AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6);
		sent = sendto(ready.fd, request, sizeof(request), 0, (void *)&to6, sizeof(to6)) > 0;
	} else {
		return 2;
	}
	return !(sent && poll(&ready, 1, 2000) == 1 && read(ready.fd, answer, sizeof(answer)) == sizeof(answer));
}
