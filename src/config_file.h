/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The configuration file: TOML in, a configuration or one line of complaint out. */
#ifndef CONFIG_FILE_H
#define CONFIG_FILE_H

#include <stddef.h>

#include "config.h"

/*
 * Fills an empty configuration from a text; `name` is the file's, for messages. Returns 0, or -errno and in `error` a line
 * such as `einat.toml:7: [[interfaces]] "wan": tcp_ranges: "30000-20000": begin is above end`; config is then empty.
 */
int config_file_parse(struct config *config, const char *name, const char *text, size_t length, char *error,
		      size_t size);

/* The same from a file. */
int config_file_load(struct config *config, const char *path, char *error, size_t size);

#endif
