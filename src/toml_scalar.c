// SPDX-License-Identifier: GPL-2.0-or-later
/* Each word must be wholly of one of the forms that TOML 1.0 knows; what merely begins like one is refused. */
#include "toml_scalar.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char not_a_value[] = "not a value: a string needs quotes";
static const char not_a_number[] = "not a number";
static const char not_a_date[] = "not a date or time";

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word_character(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '+' || c == '-' ||
	       c == '.' || c == ':';
}

static bool is_date(const char *word, size_t length)
{
	return length >= 10 && is_digit(word[0]) && is_digit(word[1]) && is_digit(word[2]) && is_digit(word[3]) &&
	       word[4] == '-';
}

static bool is_time(const char *word, size_t length)
{
	return length >= 3 && is_digit(word[0]) && is_digit(word[1]) && word[2] == ':';
}

size_t toml_scalar_length(const char *text, const char *end)
{
	const char *c = text;

	while (c < end && is_word_character(*c))
		c++;
	if (c - text == 10 && is_date(text, 10) && c < end && *c == ' ' && is_time(c + 1, (size_t)(end - c - 1)))
		for (c++; c < end && is_word_character(*c); c++)
			;
	return (size_t)(c - text);
}

/* The value of a digit in the base, or -1. */
static int digit_value(char c, int base)
{
	int value = -1;

	if (is_digit(c))
		value = c - '0';
	else if (c >= 'a' && c <= 'f')
		value = c - 'a' + 10;
	else if (c >= 'A' && c <= 'F')
		value = c - 'A' + 10;
	return value < base ? value : -1;
}

/* How many characters at text are digits of the base with single underscores between them; 0: that is not all right. */
static size_t digits_length(const char *text, const char *end, int base)
{
	const char *c;

	for (c = text; c < end; c++) {
		if (*c == '_' && (c == text || c[-1] == '_'))
			return 0;
		if (*c != '_' && digit_value(*c, base) < 0)
			break;
	}
	return c > text && c[-1] == '_' ? 0 : (size_t)(c - text);
}

static int integer_parse(const char *digits, const char *end, int base, bool is_negative, struct toml_value *value,
			 const char **why)
{
	int64_t sum = 0; /* below zero, where there is one number more */

	*why = "integer beyond 64 bits";
	for (; digits < end; digits++) {
		if (*digits == '_')
			continue;
		if (__builtin_mul_overflow(sum, base, &sum) ||
		    __builtin_sub_overflow(sum, digit_value(*digits, base), &sum))
			return -EINVAL;
	}
	if (!is_negative && sum == INT64_MIN)
		return -EINVAL;
	value->type = TOML_INTEGER;
	value->integer = is_negative ? sum : -sum;
	return 0;
}

static int prefixed_parse(const char *word, const char *end, struct toml_value *value, const char **why)
{
	int base = word[1] == 'x' ? 16 : word[1] == 'o' ? 8 : 2;

	*why = not_a_number;
	if (word + 2 == end || digits_length(word + 2, end, base) != (size_t)(end - word - 2))
		return -EINVAL;
	return integer_parse(word + 2, end, base, false, value, why);
}

/* The word's form has been checked, so strtod() only sees digits, one point and an exponent. */
static int float_parse(const char *word, const char *end, struct toml_value *value, const char **why)
{
	char *copy = malloc((size_t)(end - word) + 1), *to = copy;

	if (!copy) {
		*why = "out of memory";
		return -ENOMEM;
	}
	for (; word < end; word++)
		if (*word != '_')
			*to++ = *word;
	*to = '\0';
	value->type = TOML_FLOAT;
	value->real = strtod(copy, NULL);
	free(copy);
	return 0;
}

static int number_parse(const char *word, const char *end, struct toml_value *value, const char **why)
{
	bool is_negative = *word == '-', is_float = false;
	const char *digits = word + (*word == '-' || *word == '+'), *c = digits;
	size_t length = digits_length(c, end, 10);

	*why = not_a_number;
	if (!length)
		return -EINVAL;
	if (length > 1 && *c == '0') {
		*why = "a number with a leading zero";
		return -EINVAL;
	}
	c += length;
	if (c < end && *c == '.') {
		is_float = true;
		length = digits_length(++c, end, 10);
		if (!length)
			return -EINVAL;
		c += length;
	}
	if (c < end && (*c == 'e' || *c == 'E')) {
		is_float = true;
		c++;
		if (c < end && (*c == '+' || *c == '-'))
			c++;
		length = digits_length(c, end, 10);
		if (!length)
			return -EINVAL;
		c += length;
	}
	if (c != end)
		return -EINVAL;
	return is_float ? float_parse(word, end, value, why) : integer_parse(digits, end, 10, is_negative, value, why);
}

/* Reads `count` digits and moves on. -1: they are not there, or the number is not within the bounds. */
static int time_field(const char **c, const char *end, int count, int min, int max)
{
	int value = 0;

	for (; count; count--, (*c)++) {
		if (*c == end || !is_digit(**c))
			return -1;
		value = value * 10 + (**c - '0');
	}
	return value < min || value > max ? -1 : value;
}

static bool time_separator(const char **c, const char *end, char separator)
{
	if (*c == end || **c != separator)
		return false;
	(*c)++;
	return true;
}

static int days_of_month(int year, int month)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	if (month == 2 && year % 4 == 0 && (year % 100 || year % 400 == 0))
		return 29;
	return days[month - 1];
}

static bool date_parse(const char **c, const char *end, struct toml_time *time)
{
	int year, month, day;

	year = time_field(c, end, 4, 0, 9999);
	if (year < 0 || !time_separator(c, end, '-'))
		return false;
	month = time_field(c, end, 2, 1, 12);
	if (month < 0 || !time_separator(c, end, '-'))
		return false;
	day = time_field(c, end, 2, 1, days_of_month(year, month));
	if (day < 0)
		return false;
	time->year = (uint16_t)year;
	time->month = (uint8_t)month;
	time->day = (uint8_t)day;
	return true;
}

/* Digits beyond a billionth of a second are cut off, as TOML says. */
static bool fraction_parse(const char **c, const char *end, uint32_t *nanosecond)
{
	uint32_t unit = 100000000;

	if (*c == end || !is_digit(**c))
		return false;
	for (; *c < end && is_digit(**c); (*c)++, unit /= 10)
		*nanosecond += unit * (uint32_t)(**c - '0');
	return true;
}

static bool clock_parse(const char **c, const char *end, struct toml_time *time)
{
	int hour, minute, second;

	hour = time_field(c, end, 2, 0, 23);
	if (hour < 0 || !time_separator(c, end, ':'))
		return false;
	minute = time_field(c, end, 2, 0, 59);
	if (minute < 0 || !time_separator(c, end, ':'))
		return false;
	second = time_field(c, end, 2, 0, 60); /* RFC 3339: 60 is a leap second */
	if (second < 0)
		return false;
	time->hour = (uint8_t)hour;
	time->minute = (uint8_t)minute;
	time->second = (uint8_t)second;
	return !time_separator(c, end, '.') || fraction_parse(c, end, &time->nanosecond);
}

static bool offset_parse(const char **c, const char *end, struct toml_time *time)
{
	int hours, minutes, sign = **c == '-' ? -1 : 1;

	if (**c == 'Z' || **c == 'z') {
		(*c)++;
		return true;
	}
	if (**c != '+' && **c != '-')
		return false;
	(*c)++;
	hours = time_field(c, end, 2, 0, 23);
	if (hours < 0 || !time_separator(c, end, ':'))
		return false;
	minutes = time_field(c, end, 2, 0, 59);
	time->offset_minutes = (int16_t)(sign * (hours * 60 + minutes));
	return minutes >= 0;
}

static int datetime_parse(const char *c, const char *end, struct toml_value *value, const char **why)
{
	struct toml_time *time = &value->time;

	*why = not_a_date;
	memset(time, 0, sizeof(*time));
	if (is_time(c, (size_t)(end - c))) {
		value->type = TOML_LOCAL_TIME;
		return clock_parse(&c, end, time) && c == end ? 0 : -EINVAL;
	}
	value->type = TOML_LOCAL_DATE;
	if (!date_parse(&c, end, time))
		return -EINVAL;
	if (c == end)
		return 0;
	if (*c != 'T' && *c != 't' && *c != ' ')
		return -EINVAL;
	c++;
	value->type = TOML_LOCAL_DATETIME;
	if (!clock_parse(&c, end, time))
		return -EINVAL;
	if (c == end)
		return 0;
	value->type = TOML_OFFSET_DATETIME;
	return offset_parse(&c, end, time) && c == end ? 0 : -EINVAL;
}

static bool word_is(const char *word, const char *end, const char *text)
{
	return strlen(text) == (size_t)(end - word) && !memcmp(word, text, strlen(text));
}

/* The words that have a name. Returns whether it was one. */
static bool named_parse(const char *word, const char *end, struct toml_value *value)
{
	const char *unsigned_word = word + (*word == '+' || *word == '-');

	if (word_is(word, end, "true") || word_is(word, end, "false")) {
		value->type = TOML_BOOLEAN;
		value->boolean = *word == 't';
		return true;
	}
	value->type = TOML_FLOAT;
	value->real = word_is(unsigned_word, end, "inf") ? __builtin_inf() : __builtin_nan("");
	if (*word == '-')
		value->real = -value->real;
	return word_is(unsigned_word, end, "inf") || word_is(unsigned_word, end, "nan");
}

int toml_scalar_parse(const char *word, size_t length, struct toml_value *value, const char **why)
{
	const char *end = word + length;

	*why = not_a_value;
	if (!length)
		return -EINVAL;
	if (named_parse(word, end, value))
		return 0;
	if (!is_digit(*word) && *word != '+' && *word != '-')
		return -EINVAL;
	if (is_date(word, length) || is_time(word, length))
		return datetime_parse(word, end, value, why);
	if (length > 1 && *word == '0' && (word[1] == 'x' || word[1] == 'o' || word[1] == 'b'))
		return prefixed_parse(word, end, value, why);
	return number_parse(word, end, value, why);
}
