// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * No number with a fraction is read here, nor by a library of ours. musl's scanf() could, which takes 9 KB on machines
 * without an instruction for the long ones: this takes the place of its reader (src/internal/floatscan.h).
 */
#include <stdio.h>

long double float_scan(FILE *file, int precision, int put_back) __asm__("__floatscan");

__attribute__((used)) long double float_scan(FILE *file, int precision, int put_back)
{
	(void)file, (void)precision, (void)put_back;
	return 0;
}
