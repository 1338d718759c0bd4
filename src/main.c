// SPDX-License-Identifier: GPL-2.0-or-later
/* einat: an endpoint-independent NAT. From the command line to an exit status. */
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "cleanup.h"
#include "cli.h"
#include "client.h"
#include "config_file.h"
#include "config_print.h"
#include "daemon.h"
#include "facts.h"
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
		printf("{\"name\":\"einat\",\"version\":\"%s\",\"features\":[\"nat44\",\"nat66\"],\"libbpf\":\"%s\"}\n",
		       EINAT_VERSION, libbpf);
	else
		printf("einat %s\nfeatures: nat44 nat66\nlibbpf: %s\n", EINAT_VERSION, libbpf);
}

/* What is opened next gets the lowest free number: a map of ours is not to be what we print on. */
static void standard_open(void)
{
	int fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)
			open("/", O_RDONLY | O_DIRECTORY); /* no /dev: something to take the number */
}

static void warning_say(const char *line)
{
	log_warning("%s", line);
}

/* Puts what the file says in place of the empty configuration. Returns 0 or the exit status: 1, 2 for a bad file. */
static int file_load(struct cli *cli)
{
	char error[512];
	size_t i;
	int err;

	config_free(&cli->config);
	err = config_file_load(&cli->config, cli->file, error, sizeof(error));
	if (err) {
		log_error("%s", error);
		return err == -EINVAL || err == -EFBIG ? 2 : 1;
	}
	for (i = 0; i < cli->config.notes_count; i++)
		log_info("%s", cli->config.notes[i]);
	return 0;
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
	case CLI_CHECK:
		status = file_load(&cli);
		if (!status) {
			config_warnings(&cli.config, warning_say); /* which the daemon says at its start */
			config_print(stdout, &cli.config, cli.json ? CONFIG_JSON : CONFIG_TOML);
		}
		break;
	case CLI_CLEANUP:
		status = cli.file ? file_load(&cli) : 0;
		if (!status)
			status = cleanup_run(&cli.config);
		break;
	case CLI_DOCTOR:
		status = cli.file ? file_load(&cli) : 0;
		if (!status)
			status = facts_doctor(&cli.config, cli.json);
		break;
	case CLI_CONTROL:
		status = client_run(cli.request, &cli.asked);
		break;
	case CLI_RUN:
		if (cli.file)
			status = file_load(&cli);
		if (status)
			break;
		if (cli.config.bpf_loader_given)
			log_info("--bpf-loader: has no effect, there is a single loader");
		status = daemon_run(&cli.config, cli.file);
		break;
	}
	config_free(&cli.config);
	log_close();
	return fflush(stdout) || ferror(stdout) ? 1 : status;
}
