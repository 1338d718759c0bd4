// SPDX-License-Identifier: GPL-2.0-or-later
/* toml: what TOML 1.0 says is a document, what it says is none, and that nothing costs more than it may. */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "toml.h"

/* A text with its length, since some hold a NUL. */
#define DOC(text) text, sizeof(text) - 1

struct document_case {
	const char *what, *text;
	size_t length;
	const char *expected;
};

/* What a value is, in one unambiguous line: {"a"=1,"b"=[2f,"c<0a>"]}. */
static void dump_string(FILE *to, const struct toml_string *string)
{
	size_t i;

	fputc('"', to);
	for (i = 0; i < string->length; i++)
		if ((unsigned char)string->text[i] < ' ' || string->text[i] == 0x7f)
			fprintf(to, "<%02x>", (unsigned char)string->text[i]);
		else
			fputc(string->text[i], to);
	fputc('"', to);
	assert_int_equal(string->text[string->length], '\0');
}

static void dump_time(FILE *to, const struct toml_value *value)
{
	const struct toml_time *time = &value->time;

	if (value->type != TOML_LOCAL_TIME)
		fprintf(to, "%04u-%02u-%02u", time->year, time->month, time->day);
	if (value->type == TOML_LOCAL_DATE)
		return;
	fprintf(to, "T%02u:%02u:%02u.%u", time->hour, time->minute, time->second, time->nanosecond);
	if (value->type == TOML_OFFSET_DATETIME)
		fprintf(to, "%+d", time->offset_minutes);
}

static void dump_value(FILE *to, const struct toml_value *value)
{
	const struct toml_value *element;
	const struct toml_entry *entry;

	switch ((enum toml_type)value->type) {
	case TOML_STRING:
		dump_string(to, &value->string);
		break;
	case TOML_INTEGER:
		fprintf(to, "%" PRId64, value->integer);
		break;
	case TOML_FLOAT:
		fprintf(to, value->real != value->real ? "nan" : "%.17gf", value->real);
		break;
	case TOML_BOOLEAN:
		fputs(value->boolean ? "true" : "false", to);
		break;
	case TOML_ARRAY:
		fputc('[', to);
		for (element = value->array.first; element; element = element->next) {
			dump_value(to, element);
			if (element->next)
				fputc(',', to);
		}
		fputc(']', to);
		break;
	case TOML_TABLE:
		fputc('{', to);
		for (entry = value->table.first; entry; entry = entry->next) {
			dump_string(to, &entry->key);
			fputc('=', to);
			dump_value(to, &entry->value);
			if (entry->next)
				fputc(',', to);
		}
		fputc('}', to);
		break;
	default:
		dump_time(to, value);
		break;
	}
}

/* Reads a copy without a byte to spare, so that the sanitizer sees whoever reads on. */
static int parse(struct toml_document **document, const char *text, size_t length, struct toml_error *error)
{
	char *copy = malloc(length ? length : 1);
	int err;

	assert_non_null(copy);
	memcpy(copy, text, length);
	err = toml_parse(document, copy, length, error);
	free(copy);
	return err;
}

static void test_valid(void **state)
{
	static const struct document_case cases[] = {
		{ "nothing", DOC(""), "{}" },
		{ "a newline", DOC("\n"), "{}" },
		{ "a comment without a newline", DOC("# a comment"), "{}" },
		{ "blanks only", DOC(" \t \n \t"), "{}" },
		{ "a byte order mark at the start", DOC("\357\273\277a=1\n"), "{\"a\"=1}" },
		{ "CR LF", DOC("a=1\r\nb=2\r\n"), "{\"a\"=1,\"b\"=2}" },
		{ "a key and a value", DOC("key = \"value\""), "{\"key\"=\"value\"}" },
		{ "no blanks", DOC("a=1"), "{\"a\"=1}" },
		{ "a comment behind a value", DOC("a=1 # one"), "{\"a\"=1}" },
		{ "UTF-8 in a comment", DOC("# \303\251 \344\270\255 \360\237\230\200\na=1"), "{\"a\"=1}" },
		{ "a tab in a comment", DOC("#\ta\na=1"), "{\"a\"=1}" },
		{ "bare keys of every kind", DOC("a-b_C9=1\n1234=2\n-=3\n_=4\n-1=5"),
		  "{\"a-b_C9\"=1,\"1234\"=2,\"-\"=3,\"_\"=4,\"-1\"=5}" },
		{ "quoted keys", DOC("\"a b\"=1\n'c \"d\"'=2\n\"\\u00e9\"=3\n''=4"),
		  "{\"a b\"=1,\"c \"d\"\"=2,\"\303\251\"=3,\"\"=4}" },
		{ "dotted keys", DOC("a.b.c=1\na.b.d=2\na.\"e.f\"=3"), "{\"a\"={\"b\"={\"c\"=1,\"d\"=2},\"e.f\"=3}}" },
		{ "blanks around dots", DOC("a . b\t. c=1"), "{\"a\"={\"b\"={\"c\"=1}}}" },
		{ "keys that look like a float", DOC("3.14=1\n3.15=2"), "{\"3\"={\"14\"=1,\"15\"=2}}" },
		{ "keys that look like a date", DOC("2001-01-01=1"), "{\"2001-01-01\"=1}" },
		{ "keys named as values", DOC("true=1\ninf=2\nnan=3"), "{\"true\"=1,\"inf\"=2,\"nan\"=3}" },
		{ "dotted keys out of order", DOC("a.x=1\nb.x=2\na.y=3\nb.y=4"),
		  "{\"a\"={\"x\"=1,\"y\"=3},\"b\"={\"x\"=2,\"y\"=4}}" },
		{ "basic strings, every escape", DOC("a=\"\\b\\t\\n\\f\\r\\\"\\\\\\u00E9\\U0001F600\""),
		  "{\"a\"=\"<08><09><0a><0c><0d>\"\\\303\251\360\237\230\200\"}" },
		{ "a string of NUL", DOC("a=\"x\\u0000y\""), "{\"a\"=\"x<00>y\"}" },
		{ "escapes at the bounds of Unicode",
		  DOC("a=\"\\uD7FF\\uE000\\U0010FFFF\\u0080\\u07ff\\u0800\\uFFFF\""),
		  "{\"a\"=\"\355\237\277\356\200\200\364\217\277\277\302\200\337\277\340\240\200\357\277\277\"}" },
		{ "an empty string of each kind", DOC("a=\"\"\nb=''\nc=\"\"\"\"\"\"\nd=''''''"),
		  "{\"a\"=\"\",\"b\"=\"\",\"c\"=\"\",\"d\"=\"\"}" },
		{ "a tab in a string", DOC("a=\"x\ty\"\nb='x\ty'"), "{\"a\"=\"x<09>y\",\"b\"=\"x<09>y\"}" },
		{ "literal strings", DOC("a='C:\\x\\n'\nb='\"'"), "{\"a\"=\"C:\\x\\n\",\"b\"=\"\"\"}" },
		{ "a hash in a string", DOC("a=\"#\" # b"), "{\"a\"=\"#\"}" },
		{ "multi-line strings", DOC("a=\"\"\"\none\ntwo\"\"\""), "{\"a\"=\"one<0a>two\"}" },
		{ "CR LF in a multi-line string is a newline", DOC("a=\"\"\"\r\none\r\ntwo\r\n\"\"\""),
		  "{\"a\"=\"one<0a>two<0a>\"}" },
		{ "a newline at the end of a line is taken by a backslash",
		  DOC("a=\"\"\"one \\\n   two \\  \n\n\t three\\\n\"\"\""), "{\"a\"=\"one two three\"}" },
		{ "a backslash before CR LF", DOC("a=\"\"\"one\\\r\n  two\"\"\""), "{\"a\"=\"onetwo\"}" },
		{ "an escaped backslash at the end of a line stays", DOC("a=\"\"\"one\\\\\ntwo\"\"\""),
		  "{\"a\"=\"one\\<0a>two\"}" },
		{ "quotes within multi-line strings", DOC("a=\"\"\"\"one\"\" \"two\"\"\"\"\"\nb='''''one'' ''two'''''"),
		  "{\"a\"=\"\"one\"\" \"two\"\"\",\"b\"=\"''one'' ''two''\"}" },
		{ "escaped quotes within a multi-line string", DOC("a=\"\"\"\\\"\\\"\\\"\"\"\""),
		  "{\"a\"=\"\"\"\"\"}" },
		{ "multi-line literals keep backslashes", DOC("a='''\n\\a\\\n b'''"), "{\"a\"=\"\\a\\<0a> b\"}" },
		{ "only the first newline is left out", DOC("a='''\n\nb'''"), "{\"a\"=\"<0a>b\"}" },
		{ "integers", DOC("a=0\nb=+0\nc=-0\nd=99\ne=-17\nf=+5"),
		  "{\"a\"=0,\"b\"=0,\"c\"=0,\"d\"=99,\"e\"=-17,\"f\"=5}" },
		{ "integers with underscores", DOC("a=1_000\nb=5_349_221\nc=1_2_3"),
		  "{\"a\"=1000,\"b\"=5349221,\"c\"=123}" },
		{ "the bounds of integers", DOC("a=9223372036854775807\nb=-9223372036854775808"),
		  "{\"a\"=9223372036854775807,\"b\"=-9223372036854775808}" },
		{ "hexadecimal", DOC("a=0xDEADBEEF\nb=0xdead_beef\nc=0x0\nd=0x00ff\ne=0x7fffffffffffffff"),
		  "{\"a\"=3735928559,\"b\"=3735928559,\"c\"=0,\"d\"=255,\"e\"=9223372036854775807}" },
		{ "octal", DOC("a=0o755\nb=0o01234567\nc=0o0_7"), "{\"a\"=493,\"b\"=342391,\"c\"=7}" },
		{ "binary", DOC("a=0b1101\nb=0b0000_1"), "{\"a\"=13,\"b\"=1}" },
		{ "floats", DOC("a=1.0\nb=-0.01\nc=+3.5\nd=0.0\ne=-0.0"),
		  "{\"a\"=1f,\"b\"=-0.01f,\"c\"=3.5f,\"d\"=0f,\"e\"=-0f}" },
		{ "floats with exponents", DOC("a=5e+22\nb=1e06\nc=-2E-2\nd=6.626e-34\ne=0e0\nf=1e1_0"),
		  "{\"a\"=4.9999999999999996e+22f,\"b\"=1000000f,\"c\"=-0.02f,\"d\"=6.6259999999999998e-34f,\"e\"=0f,\"f\"=10000000000f}" },
		{ "floats with underscores", DOC("a=224_617.445_991_228\nb=1_0.0_1e1_0"),
		  "{\"a\"=224617.44599122801f,\"b\"=100100000000f}" },
		{ "infinity", DOC("a=inf\nb=+inf\nc=-inf"), "{\"a\"=inff,\"b\"=inff,\"c\"=-inff}" },
		{ "not a number", DOC("a=nan\nb=+nan\nc=-nan"), "{\"a\"=nan,\"b\"=nan,\"c\"=nan}" },
		{ "booleans", DOC("a=true\nb=false"), "{\"a\"=true,\"b\"=false}" },
		{ "an offset date and time",
		  DOC("a=1979-05-27T07:32:00Z\nb=1979-05-27T00:32:00-07:00\nc=1979-05-27T00:32:00.999999+14:30"),
		  "{\"a\"=1979-05-27T07:32:00.0+0,\"b\"=1979-05-27T00:32:00.0-420,\"c\"=1979-05-27T00:32:00.999999000+870}" },
		{ "a blank between date and time", DOC("a=1979-05-27 07:32:00Z\nb=1979-05-27 07:32:00 # c"),
		  "{\"a\"=1979-05-27T07:32:00.0+0,\"b\"=1979-05-27T07:32:00.0}" },
		{ "small letters in a date and time", DOC("a=1979-05-27t07:32:00z"),
		  "{\"a\"=1979-05-27T07:32:00.0+0}" },
		{ "a local date and time", DOC("a=1979-05-27T07:32:00\nb=1979-05-27T00:32:00.5"),
		  "{\"a\"=1979-05-27T07:32:00.0,\"b\"=1979-05-27T00:32:00.500000000}" },
		{ "local dates", DOC("a=1979-05-27\nb=2000-02-29\nc=2024-02-29\nd=0001-01-01\ne=9999-12-31"),
		  "{\"a\"=1979-05-27,\"b\"=2000-02-29,\"c\"=2024-02-29,\"d\"=0001-01-01,\"e\"=9999-12-31}" },
		{ "a local date, then blanks", DOC("a=1979-05-27  # b\nc=[1979-05-27 ,1]"),
		  "{\"a\"=1979-05-27,\"c\"=[1979-05-27,1]}" },
		{ "local times", DOC("a=07:32:00\nb=00:32:00.999999\nc=23:59:59.1234567899"),
		  "{\"a\"=T07:32:00.0,\"b\"=T00:32:00.999999000,\"c\"=T23:59:59.123456789}" },
		{ "a leap second", DOC("a=1990-12-31T23:59:60Z"), "{\"a\"=1990-12-31T23:59:60.0+0}" },
		{ "arrays", DOC("a=[]\nb=[1]\nc=[1,2]\nd=[ \"a\" , 'b' ]"),
		  "{\"a\"=[],\"b\"=[1],\"c\"=[1,2],\"d\"=[\"a\",\"b\"]}" },
		{ "arrays of different types", DOC("a=[1,\"x\",2.5,true,[1],{b=1}]"),
		  "{\"a\"=[1,\"x\",2.5f,true,[1],{\"b\"=1}]}" },
		{ "arrays over lines, with comments and a trailing comma",
		  DOC("a=[ # c\n1, # one\n\n# none\n2\n, # two\n]"), "{\"a\"=[1,2]}" },
		{ "arrays over lines with CR LF", DOC("a=[\r\n1,\r\n2\r\n]"), "{\"a\"=[1,2]}" },
		{ "arrays of arrays", DOC("a=[[1,2],[\"a\"],[]]"), "{\"a\"=[[1,2],[\"a\"],[]]}" },
		{ "a bracket in a string in an array", DOC("a=[\"]\", ',']"), "{\"a\"=[\"]\",\",\"]}" },
		{ "tables", DOC("[a]\nb=1\n[c]\nd=2"), "{\"a\"={\"b\"=1},\"c\"={\"d\"=2}}" },
		{ "an empty table", DOC("[a]\n[b]"), "{\"a\"={},\"b\"={}}" },
		{ "blanks in headers", DOC("[ a . b ]\nc=1\n [\tg . \"h\" ] # i"),
		  "{\"a\"={\"b\"={\"c\"=1}},\"g\"={\"h\"={}}}" },
		{ "quoted headers", DOC("[a.\"b.c\".'d']\ne=1"), "{\"a\"={\"b.c\"={\"d\"={\"e\"=1}}}}" },
		{ "a table above comes later", DOC("[a.b.c]\nx=1\n[a]\ny=2"),
		  "{\"a\"={\"b\"={\"c\"={\"x\"=1}},\"y\"=2}}" },
		{ "a table above between", DOC("[a.b.c]\n[a]\n[a.b]\nz=1"), "{\"a\"={\"b\"={\"c\"={},\"z\"=1}}}" },
		{ "headers out of order", DOC("[a.x]\n[b]\n[a.y]"), "{\"a\"={\"x\"={},\"y\"={}},\"b\"={}}" },
		{ "a header below a dotted table", DOC("[a]\nb.c=1\nb.d.e=2\n[a.b.f]\ng=3"),
		  "{\"a\"={\"b\"={\"c\"=1,\"d\"={\"e\"=2},\"f\"={\"g\"=3}}}}" },
		{ "a dotted key into a table that only a header below it made", DOC("[a.b.c]\nx=1\n[a]\nb.y=2"),
		  "{\"a\"={\"b\"={\"c\"={\"x\"=1},\"y\"=2}}}" },
		{ "dotted keys at the root, then headers below", DOC("a.b=1\n[a.c]\nd=2"),
		  "{\"a\"={\"b\"=1,\"c\"={\"d\"=2}}}" },
		{ "inline tables", DOC("a={}\nb={ }\nc={x=1}\nd={ x = 1 , y = \"z\" }"),
		  "{\"a\"={},\"b\"={},\"c\"={\"x\"=1},\"d\"={\"x\"=1,\"y\"=\"z\"}}" },
		{ "inline tables with dotted keys", DOC("a={b.c=1,b.d=2, e . f = 3}"),
		  "{\"a\"={\"b\"={\"c\"=1,\"d\"=2},\"e\"={\"f\"=3}}}" },
		{ "inline tables in inline tables", DOC("a={b={c={d=1}}}"), "{\"a\"={\"b\"={\"c\"={\"d\"=1}}}}" },
		{ "an array in an inline table may have newlines", DOC("a={b=[\n1,\n2]}"), "{\"a\"={\"b\"=[1,2]}}" },
		{ "a multi-line string in an inline table", DOC("a={b=\"\"\"x\ny\"\"\"}"),
		  "{\"a\"={\"b\"=\"x<0a>y\"}}" },
		{ "arrays of inline tables", DOC("a=[{x=1},\n{x=2},]"), "{\"a\"=[{\"x\"=1},{\"x\"=2}]}" },
		{ "arrays of tables", DOC("[[a]]\nb=1\n[[a]]\n[[a]]\nb=3"), "{\"a\"=[{\"b\"=1},{},{\"b\"=3}]}" },
		{ "a table below an array of tables belongs to its last", DOC("[[a]]\n[a.b]\nx=1\n[[a]]\n[a.b]\nx=2"),
		  "{\"a\"=[{\"b\"={\"x\"=1}},{\"b\"={\"x\"=2}}]}" },
		{ "arrays of tables in arrays of tables",
		  DOC("[[a]]\nn=1\n[[a.b]]\nm=1\n[[a.b]]\nm=2\n[[a]]\n[[a.b]]\nm=3"),
		  "{\"a\"=[{\"n\"=1,\"b\"=[{\"m\"=1},{\"m\"=2}]},{\"b\"=[{\"m\"=3}]}]}" },
		{ "dotted keys in an element", DOC("[[a]]\nb.c=1\n[[a]]\nb.c=2"),
		  "{\"a\"=[{\"b\"={\"c\"=1}},{\"b\"={\"c\"=2}}]}" },
		{ "a table of the name above an array of tables", DOC("[[a.b]]\nx=1\n[a]\ny=2"),
		  "{\"a\"={\"b\"=[{\"x\"=1}],\"y\"=2}}" },
		{ "an array of tables in a dotted table", DOC("[a]\nb.c=1\n[[a.b.d]]\ne=1"),
		  "{\"a\"={\"b\"={\"c\"=1,\"d\"=[{\"e\"=1}]}}}" },
		{ "blanks in array headers", DOC("[[ a . b ]] # c\nx=1"), "{\"a\"={\"b\"=[{\"x\"=1}]}}" },
		{ "the same key in different tables", DOC("a=1\n[b]\na=2\n[c]\na=3"),
		  "{\"a\"=1,\"b\"={\"a\"=2},\"c\"={\"a\"=3}}" },
		{ "DEL through an escape", DOC("a=\"\\u007f\""), "{\"a\"=\"<7f>\"}" },
		{ "no newline at the end of a header", DOC("[a]"), "{\"a\"={}}" },
		{ "a value right behind the equals sign at the end", DOC("a=[\n]\nb={}#c"), "{\"a\"=[],\"b\"={}}" },
		{ "the example of the specification",
		  DOC("# This is a TOML document\n\ntitle = \"TOML Example\"\n\n[owner]\nname = \"Tom Preston-Werner\"\ndob = 1979-05-27T07:32:00-08:00\n\n[database]\nenabled = true\nports = [ 8000, 8001, 8002 ]\ndata = [ [\"delta\", \"phi\"], [3.14] ]\ntemp_targets = { cpu = 79.5, case = 72.0 }\n\n[servers]\n\n[servers.alpha]\nip = \"192.0.2.1\"\nrole = \"frontend\"\n"),
		  "{\"title\"=\"TOML Example\",\"owner\"={\"name\"=\"Tom Preston-Werner\",\"dob\"=1979-05-27T07:32:00.0-480},\"database\"={\"enabled\"=true,\"ports\"=[8000,8001,8002],\"data\"=[[\"delta\",\"phi\"],[3.1400000000000001f]],\"temp_targets\"={\"cpu\"=79.5f,\"case\"=72f}},\"servers\"={\"alpha\"={\"ip\"=\"192.0.2.1\",\"role\"=\"frontend\"}}}" },
	};
	struct toml_document *document;
	struct toml_error error;
	size_t i, size;
	char *dump;
	FILE *to;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		print_message("# %s\n", cases[i].what);
		if (parse(&document, cases[i].text, cases[i].length, &error))
			fail_msg("%u:%u: %s", error.line, error.column, error.text);
		to = open_memstream(&dump, &size);
		assert_non_null(to);
		dump_value(to, toml_root(document));
		fclose(to);
		assert_string_equal(dump, cases[i].expected);
		free(dump);
		toml_free(document);
	}
}

static void test_invalid(void **state)
{
	static const struct document_case cases[] = {
		{ "a key without equals", DOC("a"), "1:2: expected '=' behind the key, found the end of the file" },
		{ "a key without a value", DOC("a="), "1:3: expected a value, found the end of the file" },
		{ "a key whose value is on the next line", DOC("a=\n1"),
		  "1:3: expected a value, found the end of the line" },
		{ "a key on two lines", DOC("a\n=1"), "1:2: expected '=' behind the key, found the end of the line" },
		{ "no key", DOC("=1"), "1:1: expected a key, found '='" },
		{ "two pairs on a line", DOC("a=1 b=2"), "1:5: expected the end of the line, found 'b'" },
		{ "something behind a value", DOC("a=\"x\" y"), "1:7: expected the end of the line, found 'y'" },
		{ "something behind a header", DOC("[a] b=1"), "1:5: expected the end of the line, found 'b'" },
		{ "something behind an array header", DOC("[[a]] b"), "1:7: expected the end of the line, found 'b'" },
		{ "a bare word", DOC("a=yes"), "1:3: \"yes\": not a value: a string needs quotes" },
		{ "a capital boolean", DOC("a=True"), "1:3: \"True\": not a value: a string needs quotes" },
		{ "a boolean and more", DOC("a=truer"), "1:3: \"truer\": not a value: a string needs quotes" },
		{ "a boolean cut short", DOC("a=fals"), "1:3: \"fals\": not a value: a string needs quotes" },
		{ "null", DOC("a=null"), "1:3: \"null\": not a value: a string needs quotes" },
		{ "a bare key with a letter of another alphabet", DOC("\303\251=1"),
		  "1:1: expected a key, found byte 0xc3" },
		{ "a bare key with a blank", DOC("a b=1"), "1:3: expected '=' behind the key, found 'b'" },
		{ "a bare key with an exclamation mark", DOC("a!=1"), "1:2: expected '=' behind the key, found '!'" },
		{ "a dot at the end of a key", DOC("a.=1"), "1:3: expected a key, found '='" },
		{ "a dot at the start of a key", DOC(".a=1"), "1:1: expected a key, found '.'" },
		{ "two dots in a key", DOC("a..b=1"), "1:3: expected a key, found '.'" },
		{ "a multi-line key", DOC("\"\"\"a\"\"\"=1"), "1:1: a key cannot be a multi-line string" },
		{ "a multi-line literal key", DOC("'''a'''=1"), "1:1: a key cannot be a multi-line string" },
		{ "a newline in a quoted key", DOC("\"a\nb\"=1"), "1:3: the string is not closed on its line" },
		{ "a key given twice", DOC("a=1\na=2"), "2:1: \"a\" is already defined in line 1" },
		{ "a key given twice, quoted", DOC("a=1\n\"a\"=2"), "2:1: \"a\" is already defined in line 1" },
		{ "a key given twice, escaped", DOC("a=1\n\"\\u0061\"=2"), "2:1: \"a\" is already defined in line 1" },
		{ "a dotted key into a value", DOC("a=1\na.b=2"), "2:1: \"a\" is an integer in line 1, not a table" },
		{ "a dotted key given twice", DOC("a.b=1\na.b=2"), "2:3: \"b\" is already defined in line 1" },
		{ "a value in place of a dotted table", DOC("a.b=1\na=2"), "2:1: \"a\" is already defined in line 1" },
		{ "a dotted key into a string", DOC("a.b=\"x\"\na.b.c=2"),
		  "2:3: \"b\" is a string in line 1, not a table" },
		{ "a dotted key into an array", DOC("a=[]\na.b=1"), "2:1: \"a\" is an array in line 1, not a table" },
		{ "a dotted key into an inline table", DOC("a={}\na.b=1"), "2:1: \"a\" is already defined in line 1" },
		{ "a dotted key into what an inline table holds", DOC("a={b={}}\na.b.c=1"),
		  "2:1: \"a\" is already defined in line 1" },
		{ "a dotted key into a table with a header", DOC("[a.b]\nx=1\n[a]\nb.y=2"),
		  "4:1: \"b\" is already defined in line 1" },
		{ "a dotted key into a table with a header, further down", DOC("[a.b.c]\nx=1\n[a]\nb.c.y=2"),
		  "4:3: \"c\" is already defined in line 1" },
		{ "a dotted key into an array of tables", DOC("[[a.b]]\n[a]\nb.c=1"),
		  "3:1: \"b\" is an array in line 1, not a table" },
		{ "a string that is not closed", DOC("a=\"x"), "1:3: the string that begins here is not closed" },
		{ "a literal that is not closed", DOC("a='x"), "1:3: the string that begins here is not closed" },
		{ "a string that ends with a backslash", DOC("a=\"x\\"), "1:6: the string is not closed" },
		{ "a string that is only a quote", DOC("a=\""), "1:3: the string that begins here is not closed" },
		{ "a newline in a string", DOC("a=\"x\ny\""), "1:5: the string is not closed on its line" },
		{ "CR LF in a string", DOC("a=\"x\r\ny\""), "1:5: the string is not closed on its line" },
		{ "a newline in a literal", DOC("a='x\ny'"), "1:5: the string is not closed on its line" },
		{ "a multi-line string that is not closed", DOC("a=\"\"\"x\ny\"\""),
		  "1:3: the string that begins here is not closed" },
		{ "a multi-line literal that is not closed", DOC("a='''x''"),
		  "1:3: the string that begins here is not closed" },
		{ "a multi-line string that ends with a backslash", DOC("a=\"\"\"x\\"),
		  "1:8: the string is not closed" },
		{ "three quotes within a multi-line literal", DOC("a='''x''' '''"),
		  "1:11: expected the end of the line, found '''" },
		{ "six quotes at the end", DOC("a=\"\"\"x\"\"\"\"\"\""),
		  "1:12: expected the end of the line, found '\"'" },
		{ "an unknown escape", DOC("a=\"\\a\""),
		  "1:5: expected one of b t n f r u U \" \\ after a backslash, found 'a'" },
		{ "the escape of TOML 1.1", DOC("a=\"\\e\""),
		  "1:5: expected one of b t n f r u U \" \\ after a backslash, found 'e'" },
		{ "a hexadecimal escape", DOC("a=\"\\x41\""),
		  "1:5: expected one of b t n f r u U \" \\ after a backslash, found 'x'" },
		{ "an escaped blank", DOC("a=\"\\ \""),
		  "1:5: expected one of b t n f r u U \" \\ after a backslash, found byte 0x20" },
		{ "an escaped blank in a multi-line string", DOC("a=\"\"\"\\ x\"\"\""),
		  "1:7: expected one of b t n f r u U \" \\ after a backslash, found byte 0x20" },
		{ "too few digits for \\u", DOC("a=\"\\u12\""), "1:5: \\u needs 4 hexadecimal digits" },
		{ "too few digits for \\U", DOC("a=\"\\U0001f60\""), "1:5: \\U needs 8 hexadecimal digits" },
		{ "\\u at the end of the text", DOC("a=\"\\u"), "1:5: \\u needs 4 hexadecimal digits" },
		{ "a surrogate", DOC("a=\"\\uD800\""), "1:5: \\uD800 is no Unicode character" },
		{ "a surrogate by \\U", DOC("a=\"\\U0000DFFF\""), "1:5: \\U0000DFFF is no Unicode character" },
		{ "beyond Unicode", DOC("a=\"\\U00110000\""), "1:5: \\U00110000 is no Unicode character" },
		{ "far beyond Unicode", DOC("a=\"\\UFFFFFFFF\""), "1:5: \\UFFFFFFFF is no Unicode character" },
		{ "no hexadecimal digit", DOC("a=\"\\u00g0\""), "1:5: \\u needs 4 hexadecimal digits" },
		{ "a NUL in a string", DOC("a=\"x\000\""), "1:5: control character 0x00 in a string" },
		{ "a control character in a string", DOC("a=\"x\037\""), "1:5: control character 0x1f in a string" },
		{ "a backspace in a literal", DOC("a='x\010'"), "1:5: control character 0x08 in a string" },
		{ "a DEL in a string", DOC("a=\"x\177\""), "1:5: control character 0x7f in a string" },
		{ "a DEL in a multi-line literal", DOC("a='''x\177'''"), "1:7: control character 0x7f in a string" },
		{ "a lone CR in a string", DOC("a=\"x\ry\""), "1:5: control character 0x0d in a string" },
		{ "a lone CR in a multi-line string", DOC("a=\"\"\"x\ry\"\"\""),
		  "1:7: control character 0x0d in a string" },
		{ "a lone CR in a comment", DOC("#x\ry\n"), "1:3: control character 0x0d in a comment" },
		{ "a lone CR at the end of a line", DOC("a=1\rb=2"),
		  "1:4: expected the end of the line, found byte 0x0d" },
		{ "a CR at the end of the text", DOC("a=1\r"), "1:4: expected the end of the line, found byte 0x0d" },
		{ "a control character in a comment", DOC("# x\001"), "1:4: control character 0x01 in a comment" },
		{ "a NUL in a comment", DOC("# \000"), "1:3: control character 0x00 in a comment" },
		{ "a DEL in a comment", DOC("# \177"), "1:3: control character 0x7f in a comment" },
		{ "a NUL between lines", DOC("a=1\n\000\n"), "2:1: expected a key, found byte 0x00" },
		{ "a form feed between lines", DOC("a=1\n\014\n"), "2:1: expected a key, found byte 0x0c" },
		{ "a byte that is never UTF-8", DOC("a=\"\377\""), "1:4: not UTF-8: byte 0xff" },
		{ "a continuation without a start", DOC("a=\"\200\""), "1:4: not UTF-8: byte 0x80" },
		{ "an overlong slash", DOC("a=\"\300\257\""), "1:4: not UTF-8: byte 0xc0" },
		{ "an overlong slash in three bytes", DOC("a=\"\340\200\257\""), "1:4: not UTF-8: byte 0xe0" },
		{ "an overlong slash in four bytes", DOC("a=\"\360\200\200\257\""), "1:4: not UTF-8: byte 0xf0" },
		{ "a surrogate in UTF-8", DOC("a=\"\355\240\200\""), "1:4: not UTF-8: byte 0xed" },
		{ "beyond Unicode in UTF-8", DOC("a=\"\364\220\200\200\""), "1:4: not UTF-8: byte 0xf4" },
		{ "a sequence cut off by the end", DOC("a=\"\344\270"), "1:4: not UTF-8: byte 0xe4" },
		{ "a sequence cut off by a letter", DOC("# \344\270x\n"), "1:3: not UTF-8: byte 0xe4" },
		{ "bad UTF-8 in the third line", DOC("a=1\n\n# \303\n"), "3:3: not UTF-8: byte 0xc3" },
		{ "UTF-16", DOC("\377\376a\000=\001\000"), "1:1: not UTF-8: byte 0xff" },
		{ "a byte order mark later", DOC("a=1\n\357\273\277b=2"), "2:1: expected a key, found byte 0xef" },
		{ "a leading zero", DOC("a=01"), "1:3: \"01\": a number with a leading zero" },
		{ "a leading zero behind a sign", DOC("a=-01"), "1:3: \"-01\": a number with a leading zero" },
		{ "two zeros", DOC("a=00"), "1:3: \"00\": a number with a leading zero" },
		{ "a leading zero with an underscore", DOC("a=0_1"), "1:3: \"0_1\": a number with a leading zero" },
		{ "an underscore at the end", DOC("a=1_"), "1:3: \"1_\": not a number" },
		{ "an underscore at the start", DOC("a=_1"), "1:3: \"_1\": not a value: a string needs quotes" },
		{ "two underscores", DOC("a=1__2"), "1:3: \"1__2\": not a number" },
		{ "an underscore behind a sign", DOC("a=+_1"), "1:3: \"+_1\": not a number" },
		{ "two signs", DOC("a=--1"), "1:3: \"--1\": not a number" },
		{ "a sign alone", DOC("a=+"), "1:3: \"+\": not a number" },
		{ "a number and letters", DOC("a=12abc"), "1:3: \"12abc\": not a number" },
		{ "an integer beyond 64 bits", DOC("a=9223372036854775808"),
		  "1:3: \"9223372036854775808\": integer beyond 64 bits" },
		{ "a negative integer beyond 64 bits", DOC("a=-9223372036854775809"),
		  "1:3: \"-9223372036854775809\": integer beyond 64 bits" },
		{ "a long integer", DOC("a=99999999999999999999999999999999999999999999999999"),
		  "1:3: \"9999999999999999999999999999999999999999\": integer beyond 64 bits" },
		{ "hexadecimal beyond 64 bits", DOC("a=0x8000000000000000"),
		  "1:3: \"0x8000000000000000\": integer beyond 64 bits" },
		{ "a capital X", DOC("a=0X1"), "1:3: \"0X1\": not a number" },
		{ "a capital O", DOC("a=0O7"), "1:3: \"0O7\": not a number" },
		{ "a capital B", DOC("a=0B1"), "1:3: \"0B1\": not a number" },
		{ "hexadecimal without digits", DOC("a=0x"), "1:3: \"0x\": not a number" },
		{ "hexadecimal with a sign", DOC("a=+0x1"), "1:3: \"+0x1\": not a number" },
		{ "hexadecimal with a negative sign", DOC("a=-0xff"), "1:3: \"-0xff\": not a number" },
		{ "hexadecimal with an underscore in front", DOC("a=0x_1"), "1:3: \"0x_1\": not a number" },
		{ "hexadecimal with an underscore behind", DOC("a=0x1_"), "1:3: \"0x1_\": not a number" },
		{ "hexadecimal with two underscores", DOC("a=0x1__2"), "1:3: \"0x1__2\": not a number" },
		{ "not hexadecimal", DOC("a=0xg"), "1:3: \"0xg\": not a number" },
		{ "not octal", DOC("a=0o8"), "1:3: \"0o8\": not a number" },
		{ "not binary", DOC("a=0b2"), "1:3: \"0b2\": not a number" },
		{ "a float without a fraction", DOC("a=1."), "1:3: \"1.\": not a number" },
		{ "a float without an integer", DOC("a=.5"), "1:3: \".5\": not a value: a string needs quotes" },
		{ "a signed float without an integer", DOC("a=-.5"), "1:3: \"-.5\": not a number" },
		{ "a point before an exponent", DOC("a=1.e2"), "1:3: \"1.e2\": not a number" },
		{ "an underscore before the point", DOC("a=1_.0"), "1:3: \"1_.0\": not a number" },
		{ "an underscore behind the point", DOC("a=1._0"), "1:3: \"1._0\": not a number" },
		{ "an underscore before the exponent", DOC("a=1.0_e1"), "1:3: \"1.0_e1\": not a number" },
		{ "an underscore behind the exponent", DOC("a=1e_1"), "1:3: \"1e_1\": not a number" },
		{ "an underscore at the end of the exponent", DOC("a=1e1_"), "1:3: \"1e1_\": not a number" },
		{ "an exponent without digits", DOC("a=1e"), "1:3: \"1e\": not a number" },
		{ "an exponent with a sign alone", DOC("a=1e+"), "1:3: \"1e+\": not a number" },
		{ "an exponent with a fraction", DOC("a=1e2.3"), "1:3: \"1e2.3\": not a number" },
		{ "two points", DOC("a=1.2.3"), "1:3: \"1.2.3\": not a number" },
		{ "a float with a leading zero", DOC("a=01.5"), "1:3: \"01.5\": a number with a leading zero" },
		{ "a capital infinity", DOC("a=Inf"), "1:3: \"Inf\": not a value: a string needs quotes" },
		{ "infinity, spelled out", DOC("a=infinity"), "1:3: \"infinity\": not a value: a string needs quotes" },
		{ "a capital not-a-number", DOC("a=NaN"), "1:3: \"NaN\": not a value: a string needs quotes" },
		{ "two signs before infinity", DOC("a=++inf"), "1:3: \"++inf\": not a number" },
		{ "month 13", DOC("a=1979-13-01"), "1:3: \"1979-13-01\": not a date or time" },
		{ "month 0", DOC("a=1979-00-01"), "1:3: \"1979-00-01\": not a date or time" },
		{ "day 0", DOC("a=1979-01-00"), "1:3: \"1979-01-00\": not a date or time" },
		{ "day 32", DOC("a=1979-01-32"), "1:3: \"1979-01-32\": not a date or time" },
		{ "31 April", DOC("a=1979-04-31"), "1:3: \"1979-04-31\": not a date or time" },
		{ "29 February of no leap year", DOC("a=1979-02-29"), "1:3: \"1979-02-29\": not a date or time" },
		{ "29 February of 1900", DOC("a=1900-02-29"), "1:3: \"1900-02-29\": not a date or time" },
		{ "a year of three digits", DOC("a=979-05-27"), "1:3: \"979-05-27\": not a number" },
		{ "a year of five digits", DOC("a=11979-05-27"), "1:3: \"11979-05-27\": not a number" },
		{ "a month of one digit", DOC("a=1979-5-27"), "1:3: \"1979-5-27\": not a number" },
		{ "a day of one digit", DOC("a=1979-05-7"), "1:3: \"1979-05-7\": not a number" },
		{ "hour 24", DOC("a=24:00:00"), "1:3: \"24:00:00\": not a date or time" },
		{ "minute 60", DOC("a=00:60:00"), "1:3: \"00:60:00\": not a date or time" },
		{ "second 61", DOC("a=00:00:61"), "1:3: \"00:00:61\": not a date or time" },
		{ "a time without seconds", DOC("a=07:32"), "1:3: \"07:32\": not a date or time" },
		{ "a time with a point and no fraction", DOC("a=07:32:00."), "1:3: \"07:32:00.\": not a date or time" },
		{ "a local time with an offset", DOC("a=07:32:00Z"), "1:3: \"07:32:00Z\": not a date or time" },
		{ "a date and a T", DOC("a=1979-05-27T"), "1:3: \"1979-05-27T\": not a date or time" },
		{ "a date and an offset", DOC("a=1979-05-27Z"), "1:3: \"1979-05-27Z\": not a date or time" },
		{ "a date and a time without seconds", DOC("a=1979-05-27T07:32"),
		  "1:3: \"1979-05-27T07:32\": not a date or time" },
		{ "an offset of hour 24", DOC("a=1979-05-27T07:32:00+24:00"),
		  "1:3: \"1979-05-27T07:32:00+24:00\": not a date or time" },
		{ "an offset of minute 60", DOC("a=1979-05-27T07:32:00+01:60"),
		  "1:3: \"1979-05-27T07:32:00+01:60\": not a date or time" },
		{ "an offset without minutes", DOC("a=1979-05-27T07:32:00+01"),
		  "1:3: \"1979-05-27T07:32:00+01\": not a date or time" },
		{ "an offset without a colon", DOC("a=1979-05-27T07:32:00+0100"),
		  "1:3: \"1979-05-27T07:32:00+0100\": not a date or time" },
		{ "an offset and more", DOC("a=1979-05-27T07:32:00ZZ"),
		  "1:3: \"1979-05-27T07:32:00ZZ\": not a date or time" },
		{ "two blanks between date and time", DOC("a=1979-05-27  07:32:00"),
		  "1:15: expected the end of the line, found '0'" },
		{ "an array that is not closed", DOC("a=[1"),
		  "1:5: expected ',' or ']' in the array, found the end of the file" },
		{ "an array that is not closed before a comment", DOC("a=[1 # ]"),
		  "1:9: expected ',' or ']' in the array, found the end of the file" },
		{ "an array that is not closed before the next pair", DOC("a=[1\nb=2"),
		  "2:1: expected ',' or ']' in the array, found 'b'" },
		{ "an array without a comma", DOC("a=[1 2]"), "1:6: expected ',' or ']' in the array, found '2'" },
		{ "an array with two commas", DOC("a=[1,,2]"), "1:6: expected a value, found ','" },
		{ "an array with a comma alone", DOC("a=[,]"), "1:4: expected a value, found ','" },
		{ "an array with a comma first", DOC("a=[,1]"), "1:4: expected a value, found ','" },
		{ "an array that is closed twice", DOC("a=[1]]"), "1:6: expected the end of the line, found ']'" },
		{ "a pair in an array", DOC("a=[b=1]"), "1:4: \"b\": not a value: a string needs quotes" },
		{ "an inline table that is not closed", DOC("a={b=1"),
		  "1:7: expected ',' or '}' in the inline table, found the end of the file" },
		{ "an inline table with a trailing comma", DOC("a={b=1,}"), "1:8: expected a key, found '}'" },
		{ "an inline table with a comma alone", DOC("a={,}"), "1:4: expected a key, found ','" },
		{ "an inline table with two commas", DOC("a={b=1,,c=2}"), "1:8: expected a key, found ','" },
		{ "an inline table without a comma", DOC("a={b=1 c=2}"),
		  "1:8: expected ',' or '}' in the inline table, found 'c'" },
		{ "a newline in an inline table", DOC("a={b=1,\nc=2}"),
		  "1:8: expected a key, found the end of the line" },
		{ "a newline at the start of an inline table", DOC("a={\nb=1}"),
		  "1:4: expected a key, found the end of the line" },
		{ "a newline at the end of an inline table", DOC("a={b=1\n}"),
		  "1:7: expected ',' or '}' in the inline table, found the end of the line" },
		{ "a comment in an inline table", DOC("a={b=1 # c\n}"),
		  "1:8: expected ',' or '}' in the inline table, found '#'" },
		{ "a key given twice in an inline table", DOC("a={b=1,b=2}"),
		  "1:8: \"b\" is already defined in line 1" },
		{ "a dotted key into a value of an inline table", DOC("a={b=1,b.c=2}"),
		  "1:8: \"b\" is an integer in line 1, not a table" },
		{ "a dotted key into an inline table within one", DOC("a={b={c=1},b.d=2}"),
		  "1:12: \"b\" is already defined in line 1" },
		{ "a value in place of a dotted table in an inline table", DOC("a={b.c=1,b=2}"),
		  "1:10: \"b\" is already defined in line 1" },
		{ "a word in an inline table", DOC("a={b}"), "1:5: expected '=' behind the key, found '}'" },
		{ "a header for an inline table", DOC("a={}\n[a]"), "2:2: \"a\" is already defined in line 1" },
		{ "a header below an inline table", DOC("a={}\n[a.b]"), "2:2: \"a\" is already defined in line 1" },
		{ "a header below what an inline table holds", DOC("a={b={}}\n[a.b.c]"),
		  "2:2: \"a\" is already defined in line 1" },
		{ "an array header below an inline table", DOC("a={}\n[[a.b]]"),
		  "2:3: \"a\" is already defined in line 1" },
		{ "an empty header", DOC("[]"), "1:2: expected a key, found ']'" },
		{ "an empty array header", DOC("[[]]"), "1:3: expected a key, found ']'" },
		{ "a header of blanks", DOC("[ ]"), "1:3: expected a key, found ']'" },
		{ "a header that is not closed", DOC("[a"),
		  "1:3: expected ']' behind the key, found the end of the file" },
		{ "a header that is not closed on its line", DOC("[a\n]"),
		  "1:3: expected ']' behind the key, found the end of the line" },
		{ "a header with something behind the key", DOC("[a b]"),
		  "1:4: expected ']' behind the key, found 'b'" },
		{ "a header with a dot at the end", DOC("[a.]"), "1:4: expected a key, found ']'" },
		{ "a header with a dot at the start", DOC("[.a]"), "1:2: expected a key, found '.'" },
		{ "a header with two dots", DOC("[a..b]"), "1:4: expected a key, found '.'" },
		{ "a header that is closed twice", DOC("[a]]"), "1:4: expected the end of the line, found ']'" },
		{ "an array header that is closed once", DOC("[[a]"),
		  "1:5: expected ']]' behind the key, found the end of the file" },
		{ "an array header with a blank between its brackets", DOC("[ [a]]"),
		  "1:3: expected a key, found '['" },
		{ "an array header with a blank between its last brackets", DOC("[[a] ]"),
		  "1:5: expected ']]' behind the key, found byte 0x20" },
		{ "a header given twice", DOC("[a]\n[a]"), "2:2: \"a\" is already defined in line 1" },
		{ "a header given twice, below another", DOC("[a.b]\n[a]\n[a.b]"),
		  "3:4: \"b\" is already defined in line 1" },
		{ "a header for a value", DOC("a=1\n[a]"), "2:2: \"a\" is already defined in line 1" },
		{ "a header below a value", DOC("a=1\n[a.b]"), "2:2: \"a\" is an integer in line 1, not a table" },
		{ "a header for a dotted table", DOC("a.b=1\n[a]"), "2:2: \"a\" is already defined in line 1" },
		{ "a header for a dotted table, in a table", DOC("[f]\na.b=1\n[f.a]"),
		  "3:4: \"a\" is already defined in line 2" },
		{ "a header for a dotted table, further down", DOC("[f]\na.b.c=1\n[f.a.b]"),
		  "3:6: \"b\" is already defined in line 2" },
		{ "a header for a table that a dotted key took over", DOC("[a.b.c]\n[a]\nb.x=1\n[a.b]"),
		  "4:4: \"b\" is already defined in line 1" },
		{ "a header for an array of tables", DOC("[[a]]\n[a]"), "2:2: \"a\" is already defined in line 1" },
		{ "an array header for a table", DOC("[a]\n[[a]]"), "2:3: \"a\" is already defined in line 1" },
		{ "an array header for a table that a header below it made", DOC("[a.b]\n[[a]]"),
		  "2:3: \"a\" is already defined in line 1" },
		{ "an array header for a value", DOC("a=1\n[[a]]"), "2:3: \"a\" is already defined in line 1" },
		{ "an array header for an array", DOC("a=[]\n[[a]]"), "2:3: \"a\" is already defined in line 1" },
		{ "an array header for an array of inline tables", DOC("a=[{}]\n[[a]]"),
		  "2:3: \"a\" is already defined in line 1" },
		{ "an array header for a dotted table", DOC("a.b=1\n[[a]]"),
		  "2:3: \"a\" is already defined in line 1" },
		{ "a header below an array", DOC("a=[]\n[a.b]"), "2:2: \"a\" is an array in line 1, not a table" },
		{ "a header below an array of inline tables", DOC("a=[{}]\n[a.b]"),
		  "2:2: \"a\" is an array in line 1, not a table" },
		{ "a table and an array of tables below an element", DOC("[[a]]\n[[a.b]]\n[a.b]"),
		  "3:4: \"b\" is already defined in line 2" },
		{ "an array of tables and a table below an element", DOC("[[a]]\n[a.b]\n[[a.b]]"),
		  "3:5: \"b\" is already defined in line 2" },
		{ "a table in place of a key of an element", DOC("[[a]]\nb=1\n[a.b]"),
		  "3:4: \"b\" is already defined in line 2" },
		{ "a key in place of a table", DOC("[a.b]\n[a]\nb=1"), "3:1: \"b\" is already defined in line 1" },
		{ "a terminal's escape in a key", DOC("\"\\u001b[2J\"=1\n\"\\u001b[2J\"=1"),
		  "2:1: \"?[2J\" is already defined in line 1" },
	};
	struct toml_document *document;
	struct toml_error error;
	char text[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		print_message("# %s\n", cases[i].what);
		assert_int_equal(parse(&document, cases[i].text, cases[i].length, &error), -EINVAL);
		assert_null(document);
		snprintf(text, sizeof(text), "%u:%u: %s", error.line, error.column, error.text);
		assert_string_equal(text, cases[i].expected);
	}
}

static void test_places(void **state)
{
	static const char text[] = "# c\na = 1\n\n[t]\n  b.c = [ 1,\n\t\"x\" ]\n[[u]]\n[[u]]\nd = {}\n";
	const struct toml_value *value, *root;
	struct toml_document *document;
	struct toml_error error;

	(void)state;
	assert_int_equal(parse(&document, DOC(text), &error), 0);
	root = toml_root(document);
	value = toml_get(document, root, "a");
	assert_int_equal(value->line, 2);
	assert_int_equal(value->column, 5);
	assert_int_equal(root->table.first->line, 2);
	assert_int_equal(root->table.first->column, 1);
	value = toml_get(document, root, "t");
	assert_int_equal(value->line, 4);
	value = toml_get(document, value, "b");
	assert_int_equal(value->line, 5);
	value = toml_get(document, value, "c");
	assert_int_equal(value->line, 5);
	assert_int_equal(value->column, 9);
	assert_int_equal(value->array.count, 2);
	assert_int_equal(value->array.last->line, 6);
	assert_int_equal(value->array.last->column, 2);
	value = toml_get(document, root, "u");
	assert_int_equal(value->array.count, 2);
	assert_int_equal(value->array.first->line, 7);
	assert_int_equal(value->array.last->line, 8);
	assert_null(toml_get(document, root, "b"));
	assert_null(toml_get(document, root, ""));
	toml_free(document);
}

/* A pattern, again and again, `count` times. */
static void assert_repeated(const char *prefix, const char *pattern, size_t count, int expected, const char *why)
{
	size_t length = strlen(prefix) + count * strlen(pattern);
	char *text = malloc(length + 1), *to;
	struct toml_document *document;
	struct toml_error error;
	int err;

	assert_non_null(text);
	for (to = stpcpy(text, prefix); count; count--)
		to = stpcpy(to, pattern);
	err = parse(&document, text, length, &error);
	assert_string_equal(error.text, why);
	assert_true(expected ? err < 0 : !err);
	toml_free(document);
	free(text);
}

/* 64 levels are enough for everybody; no text exhausts the stack or the memory. */
static void test_bounds(void **state)
{
	static const char deep[] = "more than 64 tables and arrays within each other";

	(void)state;
	assert_repeated("a=", "[", 500000, -EINVAL, deep);
	assert_repeated("a=", "{a=", 300000, -EINVAL, deep);
	assert_repeated("a", ".a", 500000, -EINVAL, deep);
	assert_repeated("[a", ".a", 500000, -EINVAL, deep);
	assert_repeated("", "[[a]]\n[a.b", 2, -EINVAL, "expected ']' behind the key, found '['");
	assert_repeated("a=[", "1,", 500000, -EFBIG, "too much for a configuration: more than 16 MB");
	assert_repeated("#", " ", TOML_SIZE_MAX - 1, 0, "");
	assert_repeated("#", " ", TOML_SIZE_MAX, -EFBIG, "more than 1 MB");
	assert_repeated("a=\"", "\\u0061", 100000, -EINVAL, "the string that begins here is not closed");
	assert_repeated("a=", "1", 1000, -EINVAL,
			"\"1111111111111111111111111111111111111111\": integer beyond 64 bits");
}

static void test_depth_of_64(void **state)
{
	char text[2 * TOML_DEPTH_MAX + 8], *to = text;
	struct toml_document *document;
	struct toml_error error;
	int i;

	(void)state;
	to = stpcpy(to, "a=");
	for (i = 1; i < TOML_DEPTH_MAX; i++)
		*to++ = '[';
	for (i = 1; i < TOML_DEPTH_MAX; i++)
		*to++ = ']';
	assert_int_equal(parse(&document, text, (size_t)(to - text), &error), 0);
	toml_free(document);
}

/* Many keys are found in as many steps: a quadratic reader would take minutes. */
static void test_many_keys(void **state)
{
	enum { KEYS = 60000 };
	struct toml_document *document;
	struct toml_error error;
	size_t size;
	char *text;
	FILE *to;
	int i;

	(void)state;
	to = open_memstream(&text, &size);
	assert_non_null(to);
	for (i = 0; i < KEYS; i++)
		fprintf(to, "key%d=%d\n", i, i);
	fclose(to);
	assert_int_equal(parse(&document, text, size, &error), 0);
	assert_int_equal(toml_get(document, toml_root(document), "key59999")->integer, 59999);
	toml_free(document);
	free(text);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_valid),  cmocka_unit_test(test_invalid),	   cmocka_unit_test(test_places),
		cmocka_unit_test(test_bounds), cmocka_unit_test(test_depth_of_64), cmocka_unit_test(test_many_keys),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("toml", tests, NULL, NULL);
}
