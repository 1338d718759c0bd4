// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two daemons that set up the same thing would each take the other's rules for the leavings of a killed one. A unix
 * socket in the abstract namespace tells them apart: such names belong to the network namespace, as the rules do, and
 * the kernel removes them with their process, however it ends.
 */
#include "instance.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "log.h"

/* Who has bound the address: its effective user, or -1 if it cannot be told. */
static long holder_uid(const struct sockaddr_un *address, socklen_t length)
{
	struct ucred credentials = { .uid = (uid_t)-1 };
	socklen_t size = sizeof(credentials);
	long uid = -1;
	int fd;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	if (!connect(fd, (const struct sockaddr *)address, length) &&
	    !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size))
		uid = (long)credentials.uid;
	close(fd);
	return uid;
}

int instance_claim(const char *what)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t length;
	int fd, err, n;

	/* sun_path[0] is zero: an abstract name, as long as the address says. */
	n = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "einat %s", what);
	length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && !bind(fd, (struct sockaddr *)&address, length) && !listen(fd, 1))
		return fd;
	err = -errno;
	/* Anybody may bind such a name: a user without rights must not keep the daemon from starting. */
	if (err == -EADDRINUSE && fd >= 0 && holder_uid(&address, length) > 0 && geteuid() == 0)
		return fd;
	if (err == -EADDRINUSE)
		log_error("%s: another einat is at work on it", what);
	else
		log_error("%s: claim it: %s", what, strerror(-err));
	if (fd >= 0)
		close(fd);
	return err;
}
