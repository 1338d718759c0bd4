/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A configuration as text: what is in force, with every default. */
#ifndef CONFIG_PRINT_H
#define CONFIG_PRINT_H

#include <stdio.h>

#include "config.h"

enum config_format {
	CONFIG_TOML, /* reads back to the same configuration */
	CONFIG_JSON, /* the same tables and keys */
};

void config_print(FILE *to, const struct config *config, enum config_format format);

/* One interface of it, as TOML. */
void config_print_interface(FILE *to, const struct interface_config *interface);

#endif
