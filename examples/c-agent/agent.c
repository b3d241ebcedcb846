/*
 * An agent of nixio-conformance with an implementation of nixio's Socket, in one file of C99. It needs only the
 * system's C library:
 *
 *     cc -std=c99 -O2 -o agent agent.c
 *
 * An agent reads requests from its standard input and writes replies to its standard output: JSON, one message a line,
 * one reply for each request (docs/protocol.md). Most agents host an existing implementation; this one contains its
 * own, so that one file shows everything between a request and the system call.
 *
 *     1. The protocol's JSON     a line becomes values; values become a reply
 *     2. The implementation      failures, arguments, addresses, the 18 methods, the 29 options as a table
 *     3. The agent               the table of methods, the five requests, the loop over lines
 *
 * Read it from its end: main() is the loop, answer() handles one request, METHODS maps names to functions.
 *
 * docs/plugging-in.md defines results and failures. Invariants:
 * - A method writes one reply: its values or one failure. A function that returns bool has written the failure if it
 *   returns false.
 * - No number is truncated: one that does not fit the system's type is a bad argument.
 * - Strings have a length, because JSON strings may contain NUL. Code that needs a C string checks for NUL first.
 */

/* Memberships and other options are not in POSIX: systems declare them only with these macros. */
#if defined __linux__ && !defined _GNU_SOURCE
#define _GNU_SOURCE
#elif defined __APPLE__ && !defined _DARWIN_C_SOURCE
#define _DARWIN_C_SOURCE
#elif !defined __linux__ && !defined __APPLE__
#undef _POSIX_C_SOURCE
#endif

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/types.h>

#include <sys/socket.h>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <unistd.h>

#define PROTOCOL_VERSION 1
/* nixio.const.buffersize: most bytes that one call receives. */
#define BUFFER_SIZE 8192
/* Most bytes of one request: a longer one is refused and skipped, so that it does not fill the memory. */
#ifndef LONGEST_LINE
#define LONGEST_LINE ((size_t)256 * 1024 * 1024)
#endif
/* The longest reply has a full buffer in hexadecimal digits and its sender's path. */
#define LONGEST_REPLY (2 * BUFFER_SIZE + 4096)
/* Most JSON values in one request; the largest valid one has a dozen. */
#define MOST_VALUES 128
#define DEEPEST_NESTING 8
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ================================================================================================================== *
 * 1. The protocol's JSON
 * ================================================================================================================== */

enum kind { J_NULL, J_FALSE, J_TRUE, J_WHOLE, J_FRACTION, J_TEXT, J_LIST, J_OBJECT, J_BUFFER };

/*
 * One value of a request. Strings and buffers point into the request's line and are decoded in place (they only get
 * shorter), so that decoding allocates nothing, whatever the size of a request.
 */
struct value {
    enum kind kind;
    char *bytes;         /* string, buffer; followed by a NUL that is not counted */
    size_t length;       /* length of bytes */
    int64_t number;      /* an integer; beyond 64 bits the nearest one, which no argument accepts either */
    struct value *first; /* list, object: the first value in it */
    struct value *next;  /* the next one in the same list or object */
    const char *name;    /* in an object: the member's name and its length */
    size_t name_length;
};

struct reader {
    char *at;
    char *end;
    const char *wrong; /* why parsing stopped */
    int depth;
    size_t used;
    struct value values[MOST_VALUES];
};

static bool read_value(struct reader *in, struct value **result);

static bool wrong(struct reader *in, const char *why)
{
    in->wrong = why;
    return false;
}

/* The next byte, or NUL at the end: outside of strings NUL is not valid JSON. */
static char ahead(const struct reader *in)
{
    return in->at < in->end ? *in->at : '\0';
}

static bool take(struct reader *in, char byte)
{
    if (ahead(in) != byte)
        return false;
    in->at++;
    return true;
}

static void skip_blanks(struct reader *in)
{
    while (ahead(in) == ' ' || ahead(in) == '\t' || ahead(in) == '\r' || ahead(in) == '\n')
        in->at++;
}

/* Length of the UTF-8 sequence that begins here; 0 if it is invalid, overlong or a surrogate. */
static size_t utf8_sequence(const char *text, size_t left)
{
    const unsigned char *byte = (const unsigned char *)text;
    if (left > 0 && byte[0] < 0x80)
        return 1;
    if (left < 2 || byte[0] < 0xC2 || byte[0] > 0xF4)
        return 0;
    size_t length = byte[0] < 0xE0 ? 2 : byte[0] < 0xF0 ? 3 : 4;
    if (left < length || (byte[0] == 0xE0 && byte[1] < 0xA0) || (byte[0] == 0xED && byte[1] > 0x9F) ||
        (byte[0] == 0xF0 && byte[1] < 0x90) || (byte[0] == 0xF4 && byte[1] > 0x8F))
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((byte[i] & 0xC0) != 0x80)
            return 0;
    return length;
}

static char *write_utf8(char *to, unsigned long code)
{
    static const unsigned char leads[] = {0, 0xC0, 0xE0, 0xF0};
    int more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    *to++ = (char)(leads[more] | code >> 6 * more);
    while (more-- > 0)
        *to++ = (char)(0x80 | (code >> 6 * more & 0x3F));
    return to;
}

static int hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

/* The four digits after \u. */
static bool read_code(struct reader *in, unsigned long *code)
{
    *code = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(ahead(in));
        if (digit < 0)
            return wrong(in, "\\u without its four hexadecimal digits");
        *code = *code * 16 + (unsigned long)digit;
        in->at++;
    }
    return true;
}

/* The rest of an escape. A character beyond 16 bits is two escapes, a surrogate pair. */
static bool read_escape(struct reader *in, char **to)
{
    static const char names[] = "\"\\/bfnrt", characters[] = "\"\\/\b\f\n\r\t";
    unsigned long code, low = 0;
    if (!take(in, 'u')) {
        const char *found = ahead(in) == '\0' ? NULL : strchr(names, ahead(in));
        if (found == NULL)
            return wrong(in, "an escape that JSON does not have");
        in->at++;
        *(*to)++ = characters[found - names];
        return true;
    }
    if (!read_code(in, &code))
        return false;
    if (code >= 0xD800 && code <= 0xDFFF) {
        bool two = code < 0xDC00 && take(in, '\\') && take(in, 'u');
        if (two && !read_code(in, &low))
            return false;
        if (!two || low < 0xDC00 || low > 0xDFFF)
            return wrong(in, "half of a surrogate pair");
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    *to = write_utf8(*to, code);
    return true;
}

static bool read_text(struct reader *in, char **bytes, size_t *length)
{
    if (!take(in, '"'))
        return wrong(in, "a quotation mark is missing");
    char *to = *bytes = in->at;
    while (in->at < in->end && *in->at != '"') {
        if (take(in, '\\')) {
            if (!read_escape(in, &to))
                return false;
            continue;
        }
        size_t sequence = utf8_sequence(in->at, (size_t)(in->end - in->at));
        if (sequence == 0 || (unsigned char)*in->at < 0x20)
            return wrong(in, sequence == 0 ? "a text that is not UTF-8" : "a control character that is not escaped");
        while (sequence-- > 0)
            *to++ = *in->at++;
    }
    if (!take(in, '"'))
        return wrong(in, "a text has no end");
    *length = (size_t)(to - *bytes);
    *to = '\0'; /* at most at the closing quotation mark */
    return true;
}

static bool read_digits(struct reader *in)
{
    if (!isdigit((unsigned char)ahead(in)))
        return wrong(in, "neither a value nor a number's next digit");
    while (isdigit((unsigned char)ahead(in)))
        in->at++;
    return true;
}

/* A number. The value of a fraction is not kept: no method of nixio's Socket accepts one. */
static bool read_number(struct reader *in, struct value *result)
{
    bool negative = take(in, '-');
    uint64_t magnitude = 0, most = (uint64_t)INT64_MAX + negative;
    const char *digit = in->at;
    if (!read_digits(in))
        return false;
    if (*digit == '0' && in->at - digit > 1)
        return wrong(in, "a number begins with a needless 0");
    for (; digit < in->at; digit++) {
        uint64_t unit = (uint64_t)(*digit - '0');
        magnitude = magnitude > (most - unit) / 10 ? most : magnitude * 10 + unit;
    }
    /* counted negatively, as -INT64_MIN does not fit */
    result->number = !negative || magnitude == 0 ? (int64_t)magnitude : -(int64_t)(magnitude - 1) - 1;
    result->kind = J_WHOLE;
    if (take(in, '.')) {
        result->kind = J_FRACTION;
        if (!read_digits(in))
            return false;
    }
    if (take(in, 'e') || take(in, 'E')) {
        result->kind = J_FRACTION;
        if (!take(in, '-'))
            take(in, '+');
        if (!read_digits(in))
            return false;
    }
    return true;
}

static bool is_named(const struct value *member, const char *name, size_t length)
{
    return member->name_length == length && memcmp(member->name, name, length) == 0;
}

/* The name of an object's next member. Duplicate names are refused, as decoders disagree about their meaning. */
static bool read_name(struct reader *in, const struct value *others, char **name, size_t *length)
{
    skip_blanks(in);
    if (!read_text(in, name, length))
        return false;
    for (; others != NULL; others = others->next)
        if (is_named(others, *name, *length))
            return wrong(in, "two members of one name");
    skip_blanks(in);
    return take(in, ':') || wrong(in, "a member without its colon");
}

/* The values of a list or an object, after its opening bracket. */
static bool read_items(struct reader *in, struct value *result, char close)
{
    struct value **place = &result->first;
    skip_blanks(in);
    if (take(in, close))
        return true;
    do {
        char *name = NULL;
        size_t length = 0;
        struct value *item;
        if ((close == '}' && !read_name(in, result->first, &name, &length)) || !read_value(in, &item))
            return false;
        item->name = name;
        item->name_length = length;
        *place = item;
        place = &item->next;
        skip_blanks(in);
    } while (take(in, ','));
    return take(in, close) || wrong(in, "a list or an object has no end");
}

static bool read_value(struct reader *in, struct value **result)
{
    static const struct value nothing;
    static const char *const keywords[] = {"null", "false", "true"}; /* in the order of the enum */
    if (in->used == MOST_VALUES || in->depth == DEEPEST_NESTING)
        return wrong(in, "more values, or deeper ones, than any request has");
    struct value *value = *result = &in->values[in->used++];
    *value = nothing;
    skip_blanks(in);
    for (size_t i = 0; i < COUNT(keywords); i++) {
        size_t length = strlen(keywords[i]);
        if ((size_t)(in->end - in->at) >= length && memcmp(in->at, keywords[i], length) == 0) {
            value->kind = (enum kind)i;
            in->at += length;
            return true;
        }
    }
    if (ahead(in) == '"') {
        value->kind = J_TEXT;
        return read_text(in, &value->bytes, &value->length);
    }
    if (ahead(in) != '[' && ahead(in) != '{')
        return read_number(in, value);
    value->kind = *in->at++ == '[' ? J_LIST : J_OBJECT;
    in->depth++;
    bool fine = read_items(in, value, value->kind == J_LIST ? ']' : '}');
    in->depth--;
    return fine;
}

/* A line as one object; NULL if it is not one, with the reason in in->wrong. */
static struct value *read_message(struct reader *in, char *line, size_t length)
{
    struct value *message;
    in->at = line;
    in->end = line + length;
    in->depth = 0;
    in->used = 0;
    if (!read_value(in, &message))
        return NULL;
    skip_blanks(in);
    if (in->at == in->end && message->kind == J_OBJECT)
        return message;
    wrong(in, "a request is one object, and nothing after it");
    return NULL;
}

static struct value *member(const struct value *object, const char *name, enum kind kind)
{
    struct value *found = object->first;
    while (found != NULL && !is_named(found, name, strlen(name)))
        found = found->next;
    return found != NULL && found->kind == kind ? found : NULL;
}

static bool is_text(const struct value *value, const char *text)
{
    return value->kind == J_TEXT && value->length == strlen(text) && memcmp(value->bytes, text, value->length) == 0;
}

/* Decode the protocol's {"type": "buffer", "hex": "00ff"} in place; false if it is invalid. */
static bool decode_buffer(struct value *object)
{
    const struct value *type = member(object, "type", J_TEXT), *hex = member(object, "hex", J_TEXT);
    const struct value *held_as = member(object, "held_as", J_TEXT);
    if (type == NULL || hex == NULL || !is_text(type, "buffer") || hex->length % 2 != 0)
        return false;
    if (held_as != NULL && !is_text(held_as, "bytes"))
        return false; /* another type of Python: this agent does not have the capability `buffer-types` */
    for (size_t i = 0; i < hex->length; i += 2) {
        int high = hex_digit(hex->bytes[i]), low = hex_digit(hex->bytes[i + 1]);
        if (high < 0 || low < 0)
            return false;
        hex->bytes[i / 2] = (char)(high << 4 | low);
    }
    object->kind = J_BUFFER;
    object->bytes = hex->bytes;
    object->length = hex->length / 2;
    object->bytes[object->length] = '\0';
    return true;
}

/* ---- Writing ----------------------------------------------------------------------------------------------------- */

struct reply {
    int64_t id;
    enum { NOTHING_YET, IN_VALUES, IN_OBJECT } state; /* which brackets its end must close */
    size_t length;
    char text[LONGEST_REPLY];
};

static void put(struct reply *out, const char *bytes, size_t length)
{
    if (length > sizeof out->text - out->length) {
        fputs("c-agent: a reply is longer than LONGEST_REPLY, which none should be\n", stderr);
        abort();
    }
    memcpy(out->text + out->length, bytes, length);
    out->length += length;
}

static void put_string(struct reply *out, const char *text)
{
    put(out, text, strlen(text));
}

static void put_number(struct reply *out, int64_t number)
{
    char digits[32];
    snprintf(digits, sizeof digits, "%lld", (long long)number);
    put_string(out, digits);
}

/* A quoted string. The output is always valid JSON: bytes that are not UTF-8 become question marks. */
static void put_quoted(struct reply *out, const char *text, size_t length)
{
    put_string(out, "\"");
    for (size_t i = 0, sequence; i < length; i += sequence) {
        unsigned char byte = (unsigned char)text[i];
        sequence = utf8_sequence(text + i, length - i);
        if (sequence == 0) {
            put_string(out, "?");
            sequence = 1;
        } else if (byte < 0x20) {
            char escape[8];
            snprintf(escape, sizeof escape, "\\u%04x", (unsigned)byte);
            put_string(out, escape);
        } else {
            if (byte == '"' || byte == '\\')
                put_string(out, "\\");
            put(out, text + i, sequence);
        }
    }
    put_string(out, "\"");
}

static void begin_reply(struct reply *out, const char *what)
{
    put_string(out, "{\"reply\": \"");
    put_string(out, what);
    put_string(out, "\", \"id\": ");
    put_number(out, out->id);
    out->state = IN_OBJECT;
}

/* Called before each value: the first one opens the list. */
static void begin_value(struct reply *out)
{
    if (out->state == IN_VALUES) {
        put_string(out, ", ");
        return;
    }
    begin_reply(out, "values");
    put_string(out, ", \"values\": [");
    out->state = IN_VALUES;
}

/* A request without a written reply succeeded without values. */
static void end_reply(struct reply *out)
{
    if (out->state == NOTHING_YET) {
        begin_reply(out, "values");
        put_string(out, ", \"values\": []");
    }
    put_string(out, out->state == IN_VALUES ? "]}\n" : "}\n");
}

static void value_true(struct reply *out)
{
    begin_value(out);
    put_string(out, "true");
}

static void value_null(struct reply *out)
{
    begin_value(out);
    put_string(out, "null");
}

static void value_number(struct reply *out, int64_t number)
{
    begin_value(out);
    put_number(out, number);
}

static void value_buffer(struct reply *out, const char *bytes, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    begin_value(out);
    put_string(out, "{\"type\": \"buffer\", \"hex\": \"");
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        put(out, &digits[byte >> 4], 1);
        put(out, &digits[byte & 15], 1);
    }
    put_string(out, "\"}");
}

/* A string; sent as a buffer if it is not UTF-8, as a path in another encoding. */
static void value_text(struct reply *out, const char *text, size_t length)
{
    for (size_t i = 0, sequence; i < length; i += sequence) {
        sequence = utf8_sequence(text + i, length - i);
        if (sequence == 0) {
            value_buffer(out, text, length);
            return;
        }
    }
    begin_value(out);
    put_quoted(out, text, length);
}

static void value_socket(struct reply *out, int number)
{
    begin_value(out);
    put_string(out, "{\"type\": \"socket\", \"socket\": ");
    put_number(out, number);
    put_string(out, "}");
}

/* ================================================================================================================== *
 * 2. The implementation
 * ================================================================================================================== */

/* A held socket. After close() it is still held, but has no descriptor. */
struct held {
    int number; /* the agent's number for it */
    int fd;     /* -1: closed */
    int family;
    int type;
    struct held *next;
};

/* The parameters of a method. */
struct call {
    struct held *self;
    const struct value *arguments; /* the first one, NULL if there is none */
    struct reply *out;
};

/* ---- Failures ---------------------------------------------------------------------------------------------------- */

/* Numbers differ between systems and names do not: a failure is sent with both. */
struct name {
    int number;
    const char *text;
};

#define NAME(code) {code, #code}

static const struct name ERRORS[] = {
    NAME(EACCES),       NAME(EADDRINUSE),  NAME(EADDRNOTAVAIL), NAME(EAFNOSUPPORT),    NAME(EAGAIN),
    NAME(EALREADY),     NAME(EBADF),       NAME(ECONNABORTED),  NAME(ECONNREFUSED),    NAME(ECONNRESET),
    NAME(EDESTADDRREQ), NAME(EDOM),        NAME(EFAULT),        NAME(EHOSTUNREACH),    NAME(EINPROGRESS),
    NAME(EINTR),        NAME(EINVAL),      NAME(EIO),           NAME(EISCONN),         NAME(EISDIR),
    NAME(ELOOP),        NAME(EMFILE),      NAME(EMSGSIZE),      NAME(ENAMETOOLONG),    NAME(ENETDOWN),
    NAME(ENETRESET),    NAME(ENETUNREACH), NAME(ENFILE),        NAME(ENOBUFS),         NAME(ENODEV),
    NAME(ENOENT),       NAME(ENOMEM),      NAME(ENOPROTOOPT),   NAME(ENOSPC),          NAME(ENOTCONN),
    NAME(ENOTDIR),      NAME(ENOTSOCK),    NAME(ENXIO),         NAME(EOPNOTSUPP),      NAME(EPERM),
    NAME(EPIPE),        NAME(EPROTO),      NAME(EPROTOTYPE),    NAME(EPROTONOSUPPORT), NAME(ERANGE),
    NAME(EROFS),        NAME(ETIMEDOUT),
#ifdef EHOSTDOWN
    NAME(EHOSTDOWN),
#endif
#ifdef EPFNOSUPPORT
    NAME(EPFNOSUPPORT),
#endif
#ifdef ESOCKTNOSUPPORT
    NAME(ESOCKTNOSUPPORT),
#endif
};

static const struct name RESOLVER_ERRORS[] = {
    NAME(EAI_AGAIN),  NAME(EAI_BADFLAGS), NAME(EAI_FAIL),    NAME(EAI_FAMILY),
    NAME(EAI_MEMORY), NAME(EAI_NONAME),   NAME(EAI_SERVICE), NAME(EAI_SOCKTYPE),
#ifdef EAI_ADDRFAMILY
    NAME(EAI_ADDRFAMILY),
#endif
#ifdef EAI_NODATA
    NAME(EAI_NODATA),
#endif
};

static void put_failure(struct reply *out, const char *kind, const char *message)
{
    begin_reply(out, "failure");
    put_string(out, ", \"kind\": \"");
    put_string(out, kind);
    put_string(out, "\", \"message\": ");
    put_quoted(out, message, strlen(message));
}

static void put_error(struct reply *out, const struct name *names, size_t count, int number)
{
    put_string(out, ", \"number\": ");
    put_number(out, number);
    for (; count > 0; names++, count--)
        if (names->number == number) {
            put_string(out, ", \"name\": ");
            put_quoted(out, names->text, strlen(names->text));
            return;
        }
}

/* A failure with errno. Would-block is a kind of its own, also after a timeout. */
static bool fail_system(struct call *call, int number)
{
    put_failure(call->out, number == EAGAIN || number == EWOULDBLOCK ? "would-block" : "system", strerror(number));
    put_error(call->out, ERRORS, COUNT(ERRORS), number);
    return false;
}

static bool fail_resolver(struct call *call, int number)
{
    put_failure(call->out, "resolver", gai_strerror(number));
    put_error(call->out, RESOLVER_ERRORS, COUNT(RESOLVER_ERRORS), number);
    return false;
}

static bool fail_argument(struct call *call, const char *message)
{
    put_failure(call->out, "argument", message);
    return false;
}

/* ---- Arguments --------------------------------------------------------------------------------------------------- */

/*
 * An argument, or NULL if there is none. The protocol distinguishes an argument that is left out from one that is null.
 * This implementation does not, like nixio: both stand for the default.
 */
static const struct value *argument(const struct call *call, int index)
{
    const struct value *found = call->arguments;
    while (found != NULL && index-- > 0)
        found = found->next;
    return found != NULL && found->kind != J_NULL ? found : NULL;
}

static bool is_whole(struct call *call, const struct value *given, int64_t low, int64_t high, const char *complaint)
{
    if (given == NULL || given->kind != J_WHOLE || given->number < low || given->number > high)
        return fail_argument(call, complaint);
    return true;
}

/* The value of a keyword; the comparison is exact. */
static bool take_keyword(struct call *call, int index, const struct name *keywords, size_t count, int *number,
                         const char *complaint)
{
    const struct value *given = argument(call, index);
    for (; given != NULL && count > 0; keywords++, count--)
        if (is_text(given, keywords->text)) {
            *number = keywords->number;
            return true;
        }
    return fail_argument(call, complaint);
}

/* The part of the buffer in argument 0 that offset and length select; empty past its end. */
static bool take_chunk(struct call *call, int offset_at, const char **bytes, size_t *length)
{
    const struct value *buffer = argument(call, 0);
    const struct value *offset = argument(call, offset_at), *most = argument(call, offset_at + 1);
    if (buffer == NULL || buffer->kind != J_BUFFER)
        return fail_argument(call, "what is sent is a buffer");
    if (offset != NULL && !is_whole(call, offset, 0, INT64_MAX, "an offset is a whole number from 0 on"))
        return false;
    if (most != NULL && !is_whole(call, most, 0, INT64_MAX, "a length is a whole number from 0 on"))
        return false;
    uint64_t skipped = offset == NULL ? 0 : (uint64_t)offset->number;
    if (skipped > buffer->length)
        skipped = buffer->length;
    *bytes = buffer->bytes + skipped;
    *length = buffer->length - (size_t)skipped;
    if (most != NULL && (uint64_t)most->number < *length)
        *length = (size_t)most->number;
    return true;
}

/* ---- Addresses --------------------------------------------------------------------------------------------------- */

union address {
    struct sockaddr any;
    struct sockaddr_in inet;
    struct sockaddr_in6 inet6;
    struct sockaddr_un local;
    struct sockaddr_storage room; /* more than sockaddr_un: the system returns the longest path with a NUL after it */
};

#define PATH_AT offsetof(struct sockaddr_un, sun_path)
#define PATH_ROOM sizeof(((struct sockaddr_un *)0)->sun_path)

static void value_host(struct reply *out, int family, const void *host, in_port_t port)
{
    char text[INET6_ADDRSTRLEN] = "";
    inet_ntop(family, host, text, sizeof text);
    value_text(out, text, strlen(text));
    value_number(out, ntohs(port));
}

/* Host and port as values: an IPv6 address without its zone, as in nixio; for UNIX the path and null. */
static void value_address(struct reply *out, const union address *from, socklen_t length)
{
    int family = length == 0 ? AF_UNSPEC : from->any.sa_family;
    if (family == AF_INET) {
        value_host(out, AF_INET, &from->inet.sin_addr, from->inet.sin_port);
        return;
    }
    if (family == AF_INET6) {
        value_host(out, AF_INET6, &from->inet6.sin6_addr, from->inet6.sin6_port);
        return;
    }
    const char *path = (const char *)from + PATH_AT;
    size_t room = length > sizeof *from ? sizeof *from : length, path_length = 0;
    room = family == AF_UNIX && room > PATH_AT ? room - PATH_AT : 0;
    while (path_length < room && path[path_length] != '\0')
        path_length++;
#ifdef __linux__
    if (room > 0 && path_length == 0) /* an abstract name: all bytes count, beginning with a NUL */
        value_buffer(out, path, room);
    else
#endif
        value_text(out, path, path_length); /* empty if there is no name or no address */
    value_null(out);
}

/* The address of a path or, on Linux, of an abstract name, whose bytes begin with NUL and have an exact length. */
static bool take_path(struct call *call, int index, union address *to, socklen_t *length)
{
    const struct value *path = argument(call, index);
    bool abstract = false;
    if (path == NULL || (path->kind != J_TEXT && path->kind != J_BUFFER) || path->length == 0)
        return fail_argument(call, "the host of a unix socket is a path");
#ifdef __linux__
    abstract = path->bytes[0] == '\0';
#endif
    if (!abstract && memchr(path->bytes, '\0', path->length) != NULL)
        return fail_argument(call, "a path has no NUL in it");
    if (path->length + !abstract > PATH_ROOM)
        return fail_system(call, ENAMETOOLONG);
    memset(to, 0, sizeof *to);
    to->local.sun_family = AF_UNIX;
    memcpy(to->local.sun_path, path->bytes, path->length);
    *length = (socklen_t)(PATH_AT + path->length + !abstract);
    return true;
}

/* A port number, given as a number or in digits; -1 for another string. */
static int64_t port_number(const struct value *port)
{
    if (port->kind == J_WHOLE)
        return port->number;
    int64_t number = 0;
    for (size_t i = 0; i < port->length; i++) {
        if (!isdigit((unsigned char)port->bytes[i]))
            return -1;
        if (number <= 65535)
            number = number * 10 + (port->bytes[i] - '0');
    }
    return port->length > 0 ? number : -1;
}

/* Whether a string can be a service: visible ASCII with a letter. Resolvers parse " 80", "+80" and "" as numbers. */
static bool is_service(const struct value *port)
{
    bool has_letter = false;
    for (size_t i = 0; i < port->length; i++) {
        unsigned char byte = (unsigned char)port->bytes[i];
        if (byte <= 0x20 || byte >= 0x7F)
            return false;
        has_letter = has_letter || isalpha(byte);
    }
    return has_letter;
}

/* Large enough for a port number in digits. */
typedef char digits[8];

/*
 * A port for the resolver: its number in digits or, where `services` allows it, the name of a service. The range is
 * checked here, because resolvers truncate numbers to 16 bits.
 */
static bool take_port(struct call *call, int index, bool services, digits number, const char **port)
{
    const struct value *given = argument(call, index);
    if (given == NULL || (given->kind != J_WHOLE && given->kind != J_TEXT))
        return fail_argument(call, "a port is a number or a string");
    int64_t found = port_number(given);
    *port = number;
    snprintf(number, sizeof(digits), "%d", found >= 0 && found <= 65535 ? (int)found : -1);
    if (found >= 0 && found <= 65535)
        return true;
    if (found > 65535 || given->kind == J_WHOLE)
        return fail_argument(call, "a port is in the range 0 to 65535");
    *port = given->bytes;
    return (services && is_service(given)) || fail_argument(call, "neither a port number nor a service");
}

/* A host for the resolver, NULL for none. It must be ASCII without NUL, where the resolver would stop. */
static bool take_host(struct call *call, int index, const char **host)
{
    const struct value *given = argument(call, index);
    *host = NULL;
    if (given == NULL)
        return true;
    if (given->kind != J_TEXT)
        return fail_argument(call, "a host is a text");
    for (size_t i = 0; i < given->length; i++)
        if (given->bytes[i] == '\0' || (unsigned char)given->bytes[i] >= 0x80)
            return fail_argument(call, "a host is a name in ASCII, or an address");
    *host = given->bytes;
    return true;
}

/* getaddrinfo(); writes its failure. The caller frees the result. */
static bool resolve(struct call *call, const char *host, const char *port, int type, int flags, struct addrinfo **found)
{
    struct addrinfo hints;
    int error;
    memset(&hints, 0, sizeof hints);
    hints.ai_family = call->self->family;
    hints.ai_socktype = type;
    hints.ai_flags = flags;
    do
        error = getaddrinfo(host, port, &hints, found);
    while (error == EAI_SYSTEM && errno == EINTR);
    if (error == EAI_SYSTEM)
        return fail_system(call, errno);
    return error == 0 || fail_resolver(call, error);
}

/*
 * A raw socket has no port, and resolvers know no service for one: the port may be left out, and a given number is
 * written into the address, where some systems keep it.
 */
static bool take_raw_addresses(struct call *call, const char *host, bool passive, struct addrinfo **found)
{
    digits number = "0";
    const char *port;
    bool inet6 = call->self->family == AF_INET6;
    if (argument(call, 1) != NULL && !take_port(call, 1, false, number, &port))
        return false;
    if (host == NULL) /* getaddrinfo() needs a host or a port */
        host = passive ? (inet6 ? "::" : "0.0.0.0") : (inet6 ? "::1" : "127.0.0.1");
    if (!resolve(call, host, NULL, SOCK_RAW, 0, found))
        return false;
    in_port_t network = htons((uint16_t)strtol(number, NULL, 10));
    for (struct addrinfo *each = *found; each != NULL; each = each->ai_next) {
        void *address = each->ai_addr;
        if (each->ai_family == AF_INET)
            ((struct sockaddr_in *)address)->sin_port = network;
        else if (each->ai_family == AF_INET6)
            ((struct sockaddr_in6 *)address)->sin6_port = network;
    }
    return true;
}

/* The addresses of a host and a port, in the resolver's order. Without a host: the wildcard or loopback address. */
static bool take_addresses(struct call *call, bool passive, struct addrinfo **found)
{
    const char *host, *port;
    digits number;
    if (!take_host(call, 0, &host))
        return false;
    if (call->self->type == SOCK_RAW)
        return take_raw_addresses(call, host, passive, found);
    return take_port(call, 1, true, number, &port) &&
           resolve(call, host, port, call->self->type, passive ? AI_PASSIVE : 0, found);
}

/* The destination of a message. The host must be an address, which the resolver parses with its zone. */
static bool take_destination(struct call *call, union address *to, socklen_t *length)
{
    struct addrinfo *found;
    const char *host, *port;
    digits number;
    if (call->self->family == AF_UNIX)
        return take_path(call, 1, to, length);
    if (!take_host(call, 1, &host) || (host == NULL && !fail_argument(call, "sendto() takes an address")) ||
        !take_port(call, 2, false, number, &port) ||
        !resolve(call, host, port, SOCK_DGRAM, AI_NUMERICHOST | AI_NUMERICSERV, &found))
        return false;
    *length = found->ai_addrlen;
    memcpy(to, found->ai_addr, *length);
    freeaddrinfo(found);
    return true;
}

/* ---- Sockets ----------------------------------------------------------------------------------------------------- */

static struct held *all_sockets;
static int last_number;

static const struct name FAMILIES[] = {{AF_INET, "inet"}, {AF_INET6, "inet6"}, {AF_UNIX, "unix"}};
static const struct name TYPES[] = {{SOCK_STREAM, "stream"}, {SOCK_DGRAM, "dgram"}, {SOCK_RAW, "raw"}};
static const struct name PROTOCOLS[] = {{IPPROTO_ICMP, "icmp"}, {IPPROTO_ICMPV6, "icmpv6"}};
static const struct name DIRECTIONS[] = {{SHUT_RDWR, "rdwr"}, {SHUT_RD, "rd"}, {SHUT_WR, "wr"}};

static void release(struct held *held)
{
    if (held->fd >= 0)
        close(held->fd);
    free(held);
}

/*
 * Hold a new descriptor and write its socket. It is close-on-exec and blocking, although on BSD an accepted socket
 * inherits the mode of its listener.
 */
static bool hold(struct call *call, struct held *held, int family, int type)
{
    int mode = fcntl(held->fd, F_GETFL);
    if (mode < 0 || fcntl(held->fd, F_SETFD, FD_CLOEXEC) < 0 ||
        ((mode & O_NONBLOCK) != 0 && fcntl(held->fd, F_SETFL, mode & ~O_NONBLOCK) < 0))
        return fail_system(call, errno);
    held->number = ++last_number; /* never reused, so that no late request reaches another socket */
    held->family = family;
    held->type = type;
    held->next = all_sockets;
    all_sockets = held;
    value_socket(call->out, held->number);
    return true;
}

/* socket(domain, type, protocol): the factory. */
static void open_socket(struct call *call)
{
    const struct value *protocol = argument(call, 2);
    int family, type, number = 0;
    if (!take_keyword(call, 0, FAMILIES, COUNT(FAMILIES), &family, "a domain is one of inet, inet6, unix") ||
        !take_keyword(call, 1, TYPES, COUNT(TYPES), &type, "a type is one of stream, dgram, raw"))
        return;
    if (protocol != NULL && protocol->kind == J_WHOLE) {
        if (!is_whole(call, protocol, 0, INT_MAX, "the number of a protocol is from 0 on"))
            return;
        number = (int)protocol->number;
    } else if (protocol != NULL &&
               !take_keyword(call, 2, PROTOCOLS, COUNT(PROTOCOLS), &number, "a protocol is icmp, icmpv6 or a number"))
        return;
    struct held *held = calloc(1, sizeof *held);
    if (held == NULL) {
        fail_system(call, ENOMEM);
        return;
    }
    held->fd = socket(family, type, number);
    if (held->fd < 0)
        fail_system(call, errno);
    if (held->fd < 0 || !hold(call, held, family, type))
        release(held);
}

/* ---- The 18 methods ---------------------------------------------------------------------------------------------- */

/* The end of most methods: true if the system call returned 0, else its failure. */
static void done(struct call *call, int result)
{
    if (result == 0)
        value_true(call->out);
    else
        fail_system(call, errno);
}

static void return_address(struct call *call, int (*ask)(int fd, struct sockaddr *address, socklen_t *length))
{
    union address found = {.room = {0}};
    socklen_t length = sizeof found;
    if (ask(call->self->fd, &found.any, &length) == 0)
        value_address(call->out, &found, length);
    else
        fail_system(call, errno);
}

static void method_getsockname(struct call *call)
{
    return_address(call, getsockname);
}

static void method_getpeername(struct call *call)
{
    return_address(call, getpeername);
}

/* bind() or connect() with one address: 0, or the system's error. */
typedef int attempt(const struct held *self, const struct sockaddr *to, socklen_t length);

static int try_bind(const struct held *self, const struct sockaddr *to, socklen_t length)
{
    return bind(self->fd, to, length) == 0 ? 0 : errno;
}

/*
 * POSIX: an interrupted connect() continues in the background, and cannot be called again. Therefore wait for its end,
 * as long as sndtimeo allows, and read its error.
 */
static int finish_connecting(const struct held *self)
{
    struct pollfd wanted = {.fd = self->fd, .events = POLLOUT};
    struct timeval most = {0, 0};
    socklen_t length = sizeof most;
    int ready, error = 0, milliseconds = -1;
    if (getsockopt(self->fd, SOL_SOCKET, SO_SNDTIMEO, &most, &length) == 0 && (most.tv_sec > 0 || most.tv_usec > 0))
        milliseconds = most.tv_sec < INT_MAX / 1000 - 1 ? (int)(most.tv_sec * 1000 + most.tv_usec / 1000 + 1) : INT_MAX;
    do
        ready = poll(&wanted, 1, milliseconds);
    while (ready < 0 && errno == EINTR);
    if (ready <= 0)
        return ready < 0 ? errno : EINPROGRESS;
    length = sizeof error;
    return getsockopt(self->fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : errno;
}

static int try_connect(const struct held *self, const struct sockaddr *to, socklen_t length)
{
    while (connect(self->fd, to, length) != 0) {
        if (errno != EINTR)
            return errno;
        if (self->family != AF_UNIX)
            return finish_connecting(self);
        /* a UNIX socket that waited for the listener's queue has not begun to connect: call it again */
    }
    return 0;
}

/*
 * Try the addresses of a name in order on one descriptor, which keeps its number and its options. The first success
 * ends the loop; so does a connection that exists or is in progress, which the failure of the next address would hide.
 * Otherwise the last failure is written.
 */
static void first_that_works(struct call *call, attempt *try_one, bool passive)
{
    int error = EADDRNOTAVAIL;
    if (call->self->family == AF_UNIX) {
        union address path;
        socklen_t length;
        if (!take_path(call, 0, &path, &length))
            return;
        error = try_one(call->self, &path.any, length);
    } else {
        struct addrinfo *found;
        if (!take_addresses(call, passive, &found))
            return;
        for (struct addrinfo *each = found; each != NULL; each = each->ai_next) {
            error = try_one(call->self, each->ai_addr, each->ai_addrlen);
            if (error == 0 || error == EINPROGRESS || error == EALREADY || error == EISCONN)
                break;
        }
        freeaddrinfo(found);
    }
    errno = error;
    done(call, error);
}

static void method_bind(struct call *call)
{
    first_that_works(call, try_bind, true);
}

static void method_connect(struct call *call)
{
    first_that_works(call, try_connect, false);
}

/* A negative backlog is 0 (POSIX); one that does not fit an int is the longest that the system allows. */
static void method_listen(struct call *call)
{
    const struct value *backlog = argument(call, 0);
    if (!is_whole(call, backlog, INT64_MIN, INT64_MAX, "a backlog is a whole number"))
        return;
    int64_t length = backlog->number < 0 ? 0 : backlog->number > INT_MAX ? INT_MAX : backlog->number;
    done(call, listen(call->self->fd, (int)length));
}

/* Allocate first: an accepted connection must not be lost for lack of memory. */
static void method_accept(struct call *call)
{
    union address peer = {.room = {0}};
    socklen_t length = sizeof peer;
    struct held *accepted = calloc(1, sizeof *accepted);
    if (accepted == NULL) {
        fail_system(call, ENOMEM);
        return;
    }
    do
        accepted->fd = accept(call->self->fd, &peer.any, &length);
    while (accepted->fd < 0 && errno == EINTR);
    if (accepted->fd < 0)
        fail_system(call, errno);
    if (accepted->fd >= 0 && hold(call, accepted, call->self->family, call->self->type))
        value_address(call->out, &peer, length);
    else
        release(accepted);
}

/* SIGPIPE is ignored in the whole program, so that a closed peer is EPIPE. */
static void send_chunk(struct call *call, const char *bytes, size_t count, const struct sockaddr *to, socklen_t length)
{
    ssize_t sent;
    do
        sent = sendto(call->self->fd, bytes, count, 0, to, length);
    while (sent < 0 && errno == EINTR);
    if (sent >= 0)
        value_number(call->out, sent);
    else
        fail_system(call, errno);
}

static void method_sendto(struct call *call)
{
    const char *bytes;
    size_t count;
    union address to;
    socklen_t length;
    if (take_chunk(call, 3, &bytes, &count) && take_destination(call, &to, &length))
        send_chunk(call, bytes, count, &to.any, length);
}

static void method_send(struct call *call)
{
    const char *bytes;
    size_t count;
    if (take_chunk(call, 1, &bytes, &count))
        send_chunk(call, bytes, count, NULL, 0);
}

/* Receive at most argument 0 and the buffer's size; the data is the first value. */
static bool receive(struct call *call, union address *from, socklen_t *length)
{
    static char buffer[BUFFER_SIZE];
    const struct value *most = argument(call, 0);
    if (!is_whole(call, most, 0, INT64_MAX, "a length is a whole number from 0 on"))
        return false;
    size_t room = most->number < BUFFER_SIZE ? (size_t)most->number : BUFFER_SIZE;
    /* recv(0) on a stream must not wait; the system is asked, as it fails without a connection. */
    int flags = room == 0 && call->self->type == SOCK_STREAM ? MSG_DONTWAIT : 0;
    ssize_t got;
    do
        got = recvfrom(call->self->fd, buffer, room, flags, &from->any, length);
    while (got < 0 && errno == EINTR);
    if (got < 0 && flags != 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        got = 0;
    if (got < 0)
        return fail_system(call, errno);
    value_buffer(call->out, buffer, (size_t)got);
    return true;
}

static void method_recv(struct call *call)
{
    union address from = {.room = {0}};
    socklen_t length = sizeof from;
    receive(call, &from, &length);
}

/* Data of a stream has no address: its sender is the peer, if the system still knows it. */
static void method_recvfrom(struct call *call)
{
    union address from = {.room = {0}};
    socklen_t length = sizeof from;
    if (!receive(call, &from, &length))
        return;
    if (call->self->type == SOCK_STREAM) {
        length = sizeof from;
        if (getpeername(call->self->fd, &from.any, &length) != 0)
            length = 0;
    }
    value_address(call->out, &from, length);
}

/* The descriptor is closed even if close() fails, and its number may be reused at once: it is never closed twice. */
static void method_close(struct call *call)
{
    int fd = call->self->fd;
    call->self->fd = -1;
    if (close(fd) == 0 || errno == EINTR || errno == EINPROGRESS)
        value_true(call->out);
    else
        fail_system(call, errno);
}

static void method_shutdown(struct call *call)
{
    int how = SHUT_RDWR;
    if (argument(call, 0) == NULL ||
        take_keyword(call, 0, DIRECTIONS, COUNT(DIRECTIONS), &how, "what is shut down is one of rdwr, rd, wr"))
        done(call, shutdown(call->self->fd, how));
}

static void method_fileno(struct call *call)
{
    value_number(call->out, call->self->fd);
}

static void method_setblocking(struct call *call)
{
    const struct value *blocking = argument(call, 0);
    if (blocking == NULL || (blocking->kind != J_TRUE && blocking->kind != J_FALSE)) {
        fail_argument(call, "blocking is true or false");
        return;
    }
    int mode = fcntl(call->self->fd, F_GETFL);
    int wanted = blocking->kind == J_TRUE ? mode & ~O_NONBLOCK : mode | O_NONBLOCK;
    done(call, mode < 0 ? -1 : fcntl(call->self->fd, F_SETFL, wanted));
}

/* ---- Options: the shapes of values ------------------------------------------------------------------------------- */

/* The number of an option that this system lacks: getopt and setopt fail as the system call would. */
#define ABSENT (-1)

struct option {
    const char *level_name;
    const char *option_name;
    int level;
    int number;
    void (*get)(struct call *call, const struct option *option);
    void (*set)(struct call *call, const struct option *option, const struct value *value);
};

static bool get_system(struct call *call, const struct option *option, void *data, socklen_t *length)
{
    if (option->number == ABSENT)
        return fail_system(call, ENOPROTOOPT);
    return getsockopt(call->self->fd, option->level, option->number, data, length) == 0 || fail_system(call, errno);
}

static void set_system(struct call *call, const struct option *option, const void *data, size_t length)
{
    if (option->number == ABSENT)
        fail_system(call, ENOPROTOOPT);
    else
        done(call, setsockopt(call->self->fd, option->level, option->number, data, (socklen_t)length));
}

static void get_nothing(struct call *call, const struct option *option)
{
    (void)option;
    fail_system(call, ENOPROTOOPT);
}

static void set_nothing(struct call *call, const struct option *option, const struct value *value)
{
    (void)value;
    get_nothing(call, option);
}

static bool get_int(struct call *call, const struct option *option, int *number)
{
    union {
        int number;
        unsigned char byte;
    } data = {0};
    socklen_t length = sizeof data;
    if (!get_system(call, option, &data, &length))
        return false;
    *number = length == 1 ? data.byte : data.number; /* the BSDs keep some of IP's options in one byte */
    return true;
}

static void get_number(struct call *call, const struct option *option)
{
    int number;
    if (get_int(call, option, &number))
        value_number(call->out, number);
}

/* Some systems return the bit of the flag instead of 1. */
static void get_flag(struct call *call, const struct option *option)
{
    int number;
    if (get_int(call, option, &number))
        value_number(call->out, number != 0);
}

static void set_number(struct call *call, const struct option *option, const struct value *value)
{
    if (!is_whole(call, value, INT_MIN, INT_MAX, "the value is a whole number that an int holds"))
        return;
    int number = (int)value->number;
    set_system(call, option, &number, sizeof number);
}

/* Seconds; 0 is off: nixio cannot request a close that resets the connection. */
static void get_linger(struct call *call, const struct option *option)
{
    struct linger linger = {0, 0};
    socklen_t length = sizeof linger;
    if (get_system(call, option, &linger, &length))
        value_number(call->out, linger.l_onoff ? linger.l_linger : 0);
}

static void set_linger(struct call *call, const struct option *option, const struct value *value)
{
    if (!is_whole(call, value, 0, INT_MAX, "linger is a whole number of seconds, 0 for off"))
        return;
    struct linger linger = {.l_onoff = value->number > 0, .l_linger = (int)value->number};
    set_system(call, option, &linger, sizeof linger);
}

/* A value or a list of two: the second is NULL if it is not given. */
static bool split(struct call *call, const struct value *value, const struct value **first, const struct value **second)
{
    *first = value;
    *second = NULL;
    if (value->kind != J_LIST)
        return true;
    *first = value->first;
    if (*first == NULL || (*first)->next == NULL || (*first)->next->next != NULL)
        return fail_argument(call, "the value is one thing, or a list of two");
    if ((*first)->next->kind != J_NULL)
        *second = (*first)->next;
    return true;
}

static void get_time(struct call *call, const struct option *option)
{
    struct timeval time = {0, 0};
    socklen_t length = sizeof time;
    if (!get_system(call, option, &time, &length))
        return;
    value_number(call->out, time.tv_sec);
    value_number(call->out, time.tv_usec);
}

/* Seconds, or seconds and microseconds. Linux refuses 10^6 microseconds with EDOM; narrower types would truncate. */
static void set_time(struct call *call, const struct option *option, const struct value *value)
{
    const struct value *seconds, *micro;
    if (!split(call, value, &seconds, &micro) ||
        !is_whole(call, seconds, 0, INT_MAX, "a timeout is a whole number of seconds, from 0 on") ||
        (micro != NULL && !is_whole(call, micro, INT64_MIN, INT64_MAX, "microseconds are a whole number")))
        return;
    if (micro != NULL && (micro->number < 0 || micro->number > 999999)) {
        fail_system(call, EDOM);
        return;
    }
    struct timeval time = {.tv_sec = (time_t)seconds->number};
    time.tv_usec = micro == NULL ? 0 : (suseconds_t)micro->number;
    set_system(call, option, &time, sizeof time);
}

/* The name of an interface has at most 15 bytes: Linux truncates a longer one, perhaps to the name of another. */
#define LONGEST_DEVICE 15

static void get_device(struct call *call, const struct option *option)
{
    char name[LONGEST_DEVICE + 2] = "";
    socklen_t length = LONGEST_DEVICE + 1;
    if (get_system(call, option, name, &length))
        value_text(call->out, name, strlen(name));
}

static void set_device(struct call *call, const struct option *option, const struct value *value)
{
    if (value->kind != J_TEXT)
        fail_argument(call, "the name of an interface is a text");
    else if (value->length > LONGEST_DEVICE || memchr(value->bytes, '\0', value->length) != NULL)
        fail_system(call, ENODEV);
    else
        set_system(call, option, value->bytes, value->length + 1);
}

/* A numeric address in its full form. */
static bool take_numeric(struct call *call, const struct value *given, int family, void *address)
{
    if (given->kind != J_TEXT || memchr(given->bytes, '\0', given->length) != NULL ||
        inet_pton(family, given->bytes, address) != 1)
        return fail_argument(call, "an address is in digits, and of the level's family");
    return true;
}

/* ip multicast_if: the address of an interface. (ipv6 multicast_if is an index, a plain number.) */
static void get_interface(struct call *call, const struct option *option)
{
    struct in_addr address = {0};
    socklen_t length = sizeof address;
    char text[INET_ADDRSTRLEN] = "";
    if (!get_system(call, option, &address, &length))
        return;
    inet_ntop(AF_INET, &address, text, sizeof text);
    value_text(call->out, text, strlen(text));
}

static void set_interface(struct call *call, const struct option *option, const struct value *value)
{
    struct in_addr address;
    if (take_numeric(call, value, AF_INET, &address))
        set_system(call, option, &address, sizeof address);
}

/* Memberships: a group, or a group and an interface, which is an address for ip and an index for ipv6. */
static void set_group(struct call *call, const struct option *option, const struct value *value)
{
    const struct value *group, *interface;
    struct ip_mreq wanted;
    memset(&wanted, 0, sizeof wanted);
    if (split(call, value, &group, &interface) && take_numeric(call, group, AF_INET, &wanted.imr_multiaddr) &&
        (interface == NULL || take_numeric(call, interface, AF_INET, &wanted.imr_interface)))
        set_system(call, option, &wanted, sizeof wanted);
}

static void set_group6(struct call *call, const struct option *option, const struct value *value)
{
    const struct value *group, *interface;
    struct ipv6_mreq wanted;
    memset(&wanted, 0, sizeof wanted);
    if (!split(call, value, &group, &interface) || !take_numeric(call, group, AF_INET6, &wanted.ipv6mr_multiaddr) ||
        (interface != NULL && !is_whole(call, interface, 0, INT_MAX, "an interface's index is a number from 0 on")))
        return;
    wanted.ipv6mr_interface = interface == NULL ? 0 : (unsigned)interface->number;
    set_system(call, option, &wanted, sizeof wanted);
}

/* ---- Options: the 29 pairs --------------------------------------------------------------------------------------- */

/* Constants that some systems lack. */
#ifndef SO_PRIORITY
#define SO_PRIORITY ABSENT
#endif
#ifndef SO_BINDTODEVICE
#define SO_BINDTODEVICE ABSENT
#endif
#ifndef TCP_CORK
#define TCP_CORK ABSENT
#endif
#ifndef IP_MTU
#define IP_MTU ABSENT
#endif
#ifndef IPV6_MTU
#define IPV6_MTU ABSENT
#endif
/* macOS counts SO_LINGER in clock ticks; SO_LINGER_SEC is in seconds. */
#ifndef SO_LINGER_SEC
#define SO_LINGER_SEC SO_LINGER
#endif

#define NUMBER get_number, set_number
#define FLAG get_flag, set_number
#define READ_ONLY get_number, set_nothing
#define LINGER get_linger, set_linger
#define TIME get_time, set_time
#define DEVICE get_device, set_device
#define INTERFACE get_interface, set_interface
#define GROUP get_nothing, set_group
#define GROUP6 get_nothing, set_group6

static const struct option OPTIONS[] = {
    {"socket", "keepalive", SOL_SOCKET, SO_KEEPALIVE, FLAG},
    {"socket", "reuseaddr", SOL_SOCKET, SO_REUSEADDR, FLAG},
    {"socket", "sndbuf", SOL_SOCKET, SO_SNDBUF, NUMBER},
    {"socket", "rcvbuf", SOL_SOCKET, SO_RCVBUF, NUMBER},
    {"socket", "priority", SOL_SOCKET, SO_PRIORITY, NUMBER},
    {"socket", "broadcast", SOL_SOCKET, SO_BROADCAST, FLAG},
    {"socket", "linger", SOL_SOCKET, SO_LINGER_SEC, LINGER},
    {"socket", "sndtimeo", SOL_SOCKET, SO_SNDTIMEO, TIME},
    {"socket", "rcvtimeo", SOL_SOCKET, SO_RCVTIMEO, TIME},
    {"socket", "dontroute", SOL_SOCKET, SO_DONTROUTE, FLAG},
    {"socket", "bindtodevice", SOL_SOCKET, SO_BINDTODEVICE, DEVICE},
    {"socket", "error", SOL_SOCKET, SO_ERROR, READ_ONLY},
    {"socket", "oobinline", SOL_SOCKET, SO_OOBINLINE, FLAG},
    {"tcp", "cork", IPPROTO_TCP, TCP_CORK, FLAG},
    {"tcp", "nodelay", IPPROTO_TCP, TCP_NODELAY, FLAG},
    {"ip", "mtu", IPPROTO_IP, IP_MTU, READ_ONLY},
    {"ip", "hdrincl", IPPROTO_IP, IP_HDRINCL, FLAG},
    {"ip", "multicast_ttl", IPPROTO_IP, IP_MULTICAST_TTL, NUMBER},
    {"ip", "multicast_loop", IPPROTO_IP, IP_MULTICAST_LOOP, FLAG},
    {"ip", "multicast_if", IPPROTO_IP, IP_MULTICAST_IF, INTERFACE},
    {"ip", "add_membership", IPPROTO_IP, IP_ADD_MEMBERSHIP, GROUP},
    {"ip", "drop_membership", IPPROTO_IP, IP_DROP_MEMBERSHIP, GROUP},
    {"ipv6", "mtu", IPPROTO_IPV6, IPV6_MTU, NUMBER},
    {"ipv6", "v6only", IPPROTO_IPV6, IPV6_V6ONLY, FLAG},
    {"ipv6", "multicast_hops", IPPROTO_IPV6, IPV6_MULTICAST_HOPS, NUMBER},
    {"ipv6", "multicast_loop", IPPROTO_IPV6, IPV6_MULTICAST_LOOP, FLAG},
    {"ipv6", "multicast_if", IPPROTO_IPV6, IPV6_MULTICAST_IF, NUMBER},
    {"ipv6", "add_membership", IPPROTO_IPV6, IPV6_JOIN_GROUP, GROUP6},
    {"ipv6", "drop_membership", IPPROTO_IPV6, IPV6_LEAVE_GROUP, GROUP6},
};

static const struct option *take_option(struct call *call)
{
    const struct value *level = argument(call, 0), *option = argument(call, 1);
    for (size_t i = 0; level != NULL && option != NULL && i < COUNT(OPTIONS); i++)
        if (is_text(level, OPTIONS[i].level_name) && is_text(option, OPTIONS[i].option_name))
            return &OPTIONS[i];
    fail_argument(call, "there is no such option at that level");
    return NULL;
}

static void method_setopt(struct call *call)
{
    const struct option *option = take_option(call);
    const struct value *value = argument(call, 2);
    if (option != NULL && value != NULL)
        option->set(call, option, value);
    else if (option != NULL)
        fail_argument(call, "setopt() takes a value");
}

static void method_getopt(struct call *call)
{
    const struct option *option = take_option(call);
    if (option != NULL)
        option->get(call, option);
}

/* ================================================================================================================== *
 * 3. The agent
 * ================================================================================================================== */

struct method {
    const char *name;
    void (*run)(struct call *call);
    int most; /* arguments */
};

static const struct method METHODS[] = {
    {"getsockname", method_getsockname, 0},
    {"getpeername", method_getpeername, 0},
    {"bind", method_bind, 2},
    {"connect", method_connect, 2},
    {"listen", method_listen, 1},
    {"accept", method_accept, 0},
    {"sendto", method_sendto, 5},
    {"send", method_send, 3},
    {"write", method_send, 3},
    {"recvfrom", method_recvfrom, 1},
    {"recv", method_recv, 1},
    {"read", method_recv, 1},
    {"close", method_close, 0},
    {"shutdown", method_shutdown, 1},
    {"fileno", method_fileno, 0},
    {"setblocking", method_setblocking, 1},
    {"setopt", method_setopt, 3},
    {"getopt", method_getopt, 2},
};

/*
 * Reply that a request is invalid or, if `missing`, that the implementation lacks the method. The agent continues. The
 * name in the message comes from the request and may be of any length.
 */
static void unsupported(struct reply *out, bool missing, const char *format, ...)
{
    char message[200];
    va_list keywords;
    va_start(keywords, format);
    vsnprintf(message, sizeof message, format, keywords);
    va_end(keywords);
    begin_reply(out, "unsupported");
    put_string(out, ", \"message\": ");
    put_quoted(out, message, strlen(message));
    put_string(out, missing ? ", \"missing\": true" : ", \"missing\": false");
}

static void answer_hello(struct reply *out)
{
    struct utsname system = {.sysname = ""};
    uname(&system);
    for (char *byte = system.sysname; *byte != '\0'; byte++)
        *byte = (char)tolower((unsigned char)*byte);
    begin_reply(out, "hello");
    put_string(out, ", \"protocol\": ");
    put_number(out, PROTOCOL_VERSION);
    put_string(out, ", \"name\": \"c-agent\", \"version\": \"0.1.0\", \"language\": \"C99\", \"platform\": ");
    put_quoted(out, system.sysname, strlen(system.sysname));
    put_string(out, ", \"capabilities\": [\"gc\", \"signals\"], \"buffersize\": ");
    put_number(out, BUFFER_SIZE);
}

/* The pointer to this socket in the list of sockets; it points to NULL if the socket is not held. */
static struct held **place_of(int64_t number)
{
    struct held **place = &all_sockets;
    while (*place != NULL && (*place)->number != number)
        place = &(*place)->next;
    return place;
}

/*
 * C has no garbage collector. A released socket is closed here, as its owner would do. (A number that is not held only
 * requests a collection.)
 */
static void drop_socket(struct held **place)
{
    struct held *found = *place;
    if (found != NULL) {
        *place = found->next;
        release(found);
    }
}

/* Close and drop every socket, ignoring failures of close(). */
static void reset(void)
{
    while (all_sockets != NULL)
        drop_socket(&all_sockets);
}

/* The arguments of a call: decodes buffers, refuses other objects, and limits their number. */
static bool take_arguments(const struct value *request, struct call *call, int most)
{
    struct value *list = member(request, "args", J_LIST);
    if (list == NULL) {
        unsupported(call->out, false, "a call has `args`, a list");
        return false;
    }
    call->arguments = list->first;
    for (struct value *each = list->first; each != NULL; each = each->next) {
        if (each->kind == J_OBJECT && !decode_buffer(each)) {
            unsupported(call->out, false, "an argument that is an object is a buffer in hexadecimal digits");
            return false;
        }
        if (most-- == 0)
            return fail_argument(call, "more arguments than the method has");
    }
    return true;
}

static void answer_call(const struct value *request, struct call *call)
{
    const struct value *number = member(request, "socket", J_WHOLE), *name = member(request, "method", J_TEXT);
    const struct method *method = NULL;
    if (number == NULL || name == NULL) {
        unsupported(call->out, false, "a call has a `socket` and a `method`");
        return;
    }
    call->self = *place_of(number->number);
    for (size_t i = 0; i < COUNT(METHODS) && method == NULL; i++)
        if (is_text(name, METHODS[i].name))
            method = &METHODS[i];
    if (call->self == NULL)
        unsupported(call->out, false, "no socket %lld is held", (long long)number->number);
    else if (method == NULL)
        unsupported(call->out, true, "no method %s", name->bytes);
    else if (take_arguments(request, call, method->most)) {
        if (call->self->fd < 0) /* checked here for all methods: a closed socket has no descriptor */
            fail_system(call, EBADF);
        else
            method->run(call);
    }
}

/* Handle one request and write its reply. The id of the reply is 0 if the request has no valid id. */
static void answer(char *line, size_t length, struct reply *out)
{
    static struct reader in;
    struct call call = {.out = out};
    const struct value *request = read_message(&in, line, length);
    if (request == NULL) {
        unsupported(out, false, "not a request: %s, at byte %lu", in.wrong, (unsigned long)(in.at - line));
        return;
    }
    const struct value *id = member(request, "id", J_WHOLE), *what = member(request, "do", J_TEXT);
    const struct value *number = member(request, "socket", J_WHOLE);
    bool numbered = id != NULL && id->number > INT64_MIN && id->number < INT64_MAX;
    if (numbered)
        out->id = id->number;
    if (!numbered || what == NULL) {
        unsupported(out, false, "a request has an `id`, a number, and says what to `do`");
        return;
    }
    if (is_text(what, "hello"))
        answer_hello(out);
    else if (is_text(what, "socket") && take_arguments(request, &call, 3))
        open_socket(&call);
    else if (is_text(what, "call"))
        answer_call(request, &call);
    else if (is_text(what, "forget") && number != NULL)
        drop_socket(place_of(number->number));
    else if (is_text(what, "reset"))
        reset();
    else if (out->state == NOTHING_YET)
        unsupported(out, false, "no request `%s`, or not all of it", what->bytes);
}

/* ---- Lines ------------------------------------------------------------------------------------------------------- */

struct input {
    char *bytes;
    size_t capacity;
    size_t length; /* bytes in the buffer */
    size_t seen;   /* of these, bytes already searched for a newline */
};

/* Read available bytes, waiting for some; false at end of file. The suite recognises an idle agent by this call. */
static bool read_more(struct input *in)
{
    if (in->length == in->capacity) {
        size_t capacity = in->capacity == 0 ? 65536 : in->capacity * 2;
        char *bytes = realloc(in->bytes, capacity);
        if (bytes == NULL) {
            fprintf(stderr, "c-agent: no memory for a request of more than %lu bytes\n", (unsigned long)in->length);
            return false;
        }
        in->bytes = bytes;
        in->capacity = capacity;
    }
    ssize_t got;
    do
        got = read(STDIN_FILENO, in->bytes + in->length, in->capacity - in->length);
    while (got < 0 && errno == EINTR);
    in->length += got > 0 ? (size_t)got : 0;
    return got > 0;
}

/* Wait for a line; false at end of file. Of a line that is too long only the end is kept. */
static bool read_line(struct input *in, size_t *length, bool *too_long)
{
    *too_long = false;
    for (;;) {
        char *end = in->length > in->seen ? memchr(in->bytes + in->seen, '\n', in->length - in->seen) : NULL;
        if (end != NULL) {
            *length = (size_t)(end - in->bytes);
            return true;
        }
        if (in->length > LONGEST_LINE) {
            *too_long = true;
            in->length = 0;
        }
        in->seen = in->length;
        if (!read_more(in))
            return false;
    }
}

/* Drop the answered line and keep the bytes after it. */
static void drop_line(struct input *in, size_t length)
{
    in->length -= length + 1;
    in->seen = 0;
    memmove(in->bytes, in->bytes + length + 1, in->length);
}

static bool write_reply(const struct reply *out)
{
    size_t written = 0;
    while (written < out->length) {
        ssize_t some = write(STDOUT_FILENO, out->text + written, out->length - written);
        if (some < 0 && errno != EINTR)
            return false;
        written += some > 0 ? (size_t)some : 0;
    }
    return true;
}

static void do_nothing(int number)
{
    (void)number;
}

/*
 * The capability `signals`: SIGUSR1 has a handler that does nothing, without SA_RESTART, so that it interrupts a call
 * and the implementation must repeat it.
 */
static bool handle_signals(void)
{
    struct sigaction interrupting, ignored;
    memset(&interrupting, 0, sizeof interrupting);
    sigemptyset(&interrupting.sa_mask);
    ignored = interrupting;
    interrupting.sa_handler = do_nothing;
    ignored.sa_handler = SIG_IGN;
    return sigaction(SIGUSR1, &interrupting, NULL) == 0 && sigaction(SIGPIPE, &ignored, NULL) == 0;
}

int main(void)
{
    static struct reply out;
    struct input in = {.bytes = NULL};
    size_t length;
    bool too_long, heard = handle_signals();
    while (heard && read_line(&in, &length, &too_long)) {
        out.id = 0;
        out.length = 0;
        out.state = NOTHING_YET;
        if (too_long)
            unsupported(&out, false, "a request of more than %lu bytes", (unsigned long)LONGEST_LINE);
        else
            answer(in.bytes, length, &out);
        end_reply(&out);
        heard = write_reply(&out);
        drop_line(&in, length);
    }
    reset();
    free(in.bytes);
    return heard ? 0 : 1;
}
