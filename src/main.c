// SPDX-License-Identifier: GPL-2.0-or-later
/* einat: an endpoint-independent NAT. From the command line to an exit status. */
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "cli.h"
#include "daemon.h"
#include "log.h"

#ifndef EINAT_VERSION
#define EINAT_VERSION "unknown"
#endif

static void version_print(bool json)
{
	const char *libbpf = libbpf_version_string();

	if (*libbpf == 'v')
		libbpf++;
	if (json)
		printf("{\"name\":\"einat\",\"version\":\"%s\",\"features\":[\"nat44\"],\"libbpf\":\"%s\"}\n",
		       EINAT_VERSION, libbpf);
	else
		printf("einat %s\nfeatures: nat44\nlibbpf: %s\n", EINAT_VERSION, libbpf);
}

/* What is opened next gets the lowest free number: a map of ours is not to be what we print on. */
static void standard_open(void)
{
	int fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)
			open("/", O_RDONLY | O_DIRECTORY); /* no /dev: something to take the number */
}

int main(int argc, char *argv[])
{
	struct cli cli;
	int status = 0;

	standard_open();
	signal(SIGPIPE, SIG_IGN);
	log_open();
	cli_parse(&cli, argc, argv);
	switch (cli.action) {
	case CLI_HELP:
		fputs(cli_help_text, stdout);
		break;
	case CLI_VERSION:
		version_print(cli.json);
		break;
	case CLI_REFUSE:
		log_error("%s", cli.error);
		status = cli.status;
		break;
	case CLI_RUN:
		if (cli.config.bpf_loader_given)
			log_info("--bpf-loader: has no effect, there is a single loader");
		status = daemon_run(&cli.config);
		break;
	}
	config_free(&cli.config);
	log_close();
	return fflush(stdout) || ferror(stdout) ? 1 : status;
}
