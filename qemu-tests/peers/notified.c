// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The service manager's end of sd_notify(3): prints each datagram that arrives, a newline behind it.
 *
 *	notified PATH
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

int main(int argc, char **argv)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un here = { .sun_family = AF_UNIX };
	char text[1024];
	ssize_t n;

	if (argc != 2 || strlen(argv[1]) >= sizeof(here.sun_path)) {
		fputs("usage: notified PATH\n", stderr);
		return 2;
	}
	memcpy(here.sun_path, argv[1], strlen(argv[1]));
	if (fd < 0 || bind(fd, (struct sockaddr *)&here, sizeof(here))) {
		perror(argv[1]);
		return 1;
	}
	while ((n = recv(fd, text, sizeof(text) - 1, 0)) >= 0) {
		text[n] = '\0';
		puts(text);
		fflush(stdout);
	}
	return 1;
}
