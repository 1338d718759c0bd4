/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line: words in, a configuration or one line of complaint out. Asks nothing of the machine. */
#ifndef CLI_H
#define CLI_H

#include <stdbool.h>

#include "config.h"
#include "control_request.h"

enum cli_action {
	CLI_RUN,     /* with cli.config, or what cli.file holds */
	CLI_CHECK,   /* print what cli.file means, exit 0 */
	CLI_DOCTOR,  /* examine the machine for what CLI_RUN would do */
	CLI_CLEANUP, /* of cli.config's interfaces, of cli.file's, or where neither is given (no name) of every one */
	CLI_CONTROL, /* ask the running daemon: cli.request */
	CLI_HELP,    /* print cli_help_text, exit 0 */
	CLI_VERSION, /* print, exit 0 */
	CLI_REFUSE,  /* cli.error says why, exit with cli.status: 2 for bad usage, 1 for what this version cannot do */
};

struct cli {
	enum cli_action action;
	bool json;	  /* with CLI_VERSION, CLI_CHECK and CLI_DOCTOR */
	const char *file; /* of argv; NULL: the command line is all there is */
	int status;
	char error[512];
	char request[CONTROL_REQUEST_SIZE]; /* the line that says what asked says */
	struct control_request asked;
	struct config config; /* to be freed with config_free(), whatever the action */
};

extern const char cli_help_text[];

void cli_parse(struct cli *cli, int argc, char *const argv[]);

#endif
