// SPDX-License-Identifier: GPL-2.0-or-later
/* einat: an endpoint-independent NAT. From the command line to an exit status. */
#include <bpf/libbpf.h>
#include <stdio.h>

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

int main(int argc, char *argv[])
{
	struct cli cli;
	int status = 0;

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
	return fflush(stdout) || ferror(stdout) ? 1 : status;
}
