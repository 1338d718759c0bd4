// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * burst ADDRESS FIRST LAST REMOTE: one UDP datagram to port 53 of REMOTE from each of these ports of ADDRESS, so that the
 * router that it passes makes a mapping for each. Says how many it has sent.
 *
 * burst silent PATH WORDS: asks a daemon's control socket, reads nothing, and says `asked`; stays until it is killed.
 * burst raw PATH: sends it what is on standard input, as it is, and prints what comes back.
 * burst tcp ADDRESS PORT: the same by TCP.
 * burst syslog PATH: a syslog there: prints each line that it gets.
 * burst flood LOCAL PORT REMOTE: packets from there, as fast as it can, until it is killed.
 * burst idle PATH: says nothing, until the daemon has had enough.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int send_from(const struct sockaddr_in *local, const struct sockaddr_in *remote)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0), sent;

	sent = fd >= 0 && !bind(fd, (const struct sockaddr *)local, sizeof(*local)) &&
	       sendto(fd, "?", 1, 0, (const struct sockaddr *)remote, sizeof(*remote)) == 1;
	if (fd >= 0)
		close(fd);
	return sent;
}

static int flood(const struct sockaddr_in *local, const struct sockaddr_in *remote)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || bind(fd, (const struct sockaddr *)local, sizeof(*local)) ||
	    connect(fd, (const struct sockaddr *)remote, sizeof(*remote)))
		return 1;
	for (;;)
		send(fd, "?", 1, 0);
}

static int control_open(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd >= 0 && !connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	perror(path);
	exit(1);
}

static int silent(const char *path, const char *words)
{
	if (dprintf(control_open(path), "%s\n", words) < 0)
		return 1;
	puts("asked");
	fflush(stdout);
	for (;;)
		pause();
}

/* Copies until the end; nobody minds that the daemon may close before it has read all. */
static int copy(int from, int to)
{
	char bytes[65536];
	ssize_t n;

	while ((n = read(from, bytes, sizeof(bytes))) > 0)
		if (write(to, bytes, (size_t)n) != n)
			break;
	return 0;
}

static int tcp_open(const char *address, const char *port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(port)) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd >= 0 && inet_pton(AF_INET, address, &to.sin_addr) == 1 &&
	    !connect(fd, (struct sockaddr *)&to, sizeof(to)))
		return fd;
	perror(address);
	exit(1);
}

static int syslog_print(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	char line[4096];
	ssize_t n;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address))) {
		perror(path);
		return 1;
	}
	while ((n = recv(fd, line, sizeof(line), 0)) >= 0) {
		printf("%.*s\n", (int)n, line);
		fflush(stdout);
	}
	return 1;
}

static int raw(int fd)
{
	copy(STDIN_FILENO, fd);
	shutdown(fd, SHUT_WR);
	return copy(fd, STDOUT_FILENO);
}

int main(int argc, char **argv)
{
	struct sockaddr_in local = { .sin_family = AF_INET }, remote = { .sin_family = AF_INET, .sin_port = htons(53) };
	int port, sent = 0;

	if (argc == 3 && !strcmp(argv[1], "raw"))
		return raw(control_open(argv[2]));
	if (argc == 4 && !strcmp(argv[1], "tcp"))
		return raw(tcp_open(argv[2], argv[3]));
	if (argc == 3 && !strcmp(argv[1], "idle"))
		return copy(control_open(argv[2]), STDOUT_FILENO);
	if (argc == 3 && !strcmp(argv[1], "syslog"))
		return syslog_print(argv[2]);
	if (argc == 4 && !strcmp(argv[1], "silent"))
		return silent(argv[2], argv[3]);
	if (argc == 5 && !strcmp(argv[1], "flood") && inet_pton(AF_INET, argv[2], &local.sin_addr) == 1 &&
	    inet_pton(AF_INET, argv[4], &remote.sin_addr) == 1) {
		local.sin_port = htons((unsigned short)atoi(argv[3]));
		return flood(&local, &remote);
	}
	if (argc != 5 || inet_pton(AF_INET, argv[1], &local.sin_addr) != 1 ||
	    inet_pton(AF_INET, argv[4], &remote.sin_addr) != 1)
		return 2;
	for (port = atoi(argv[2]); port <= atoi(argv[3]); port++) {
		local.sin_port = htons((unsigned short)port);
		sent += send_from(&local, &remote);
	}
	printf("%d\n", sent);
	return 0;
}
