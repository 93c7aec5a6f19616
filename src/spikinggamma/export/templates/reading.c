#ifndef NEXT_BYTE            /* another source of input can be put here */
#define NEXT_BYTE() getchar()
#define READING_FAILED() ferror(stdin)
#endif

static struct {
    uint64_t place;    /* the line, or the event in binary, from 1 */
    int64_t time_us;   /* of the last event */
    int begun;         /* whether this recording has an event */
} input;

static int complain(const char *unit, const char *what)
{
    fflush(stdout);
    fprintf(stderr, "%s %llu: %s\n", unit, (unsigned long long)input.place, what);
    return 2;
}

static void begin_input(void)
{
    memset(&input, 0, sizeof input);
    begin_recording();
}

/* An event that is well-formed; NULL, or what is wrong with it. */
static const char *accept_event(int64_t time_us, int64_t channel, int64_t times)
{
    if (channel >= CHANNELS)
        return "a channel that the net does not have (0 to {{ net.channels - 1 }})";
    if (time_us >= LONGEST_US)
        return "a time beyond the longest recording";
    if (time_us < input.time_us)
        return "a time before that of the last event";
    input.time_us = time_us;
    input.begun = 1;
    take_event(time_us, (int)channel, times);
    return NULL;
}

/* The end of a recording; `duration_us` 0: as short as its events allow. */
static const char *accept_end(int64_t duration_us)
{
    int64_t least = input.begun ? input.time_us + 1 : 1;

    if (duration_us > LONGEST_US)
        return "a duration beyond the longest recording";
    if (duration_us != 0 && duration_us < least)
        return "a recording that ends before its last event";
    end_recording(duration_us != 0 ? duration_us : least);
    input.time_us = 0;
    input.begun = 0;
    return NULL;
}

static int is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* A whole number at *text, which moves behind it and the blanks that follow; -1 if there is none, or one above 10^15. */
static int64_t whole_number(const char **text)
{
    const char *c = *text;
    int64_t value = 0;

    if (*c < '0' || *c > '9')
        return -1;
    for (; *c >= '0' && *c <= '9'; c++) {
        value = 10 * value + (*c - '0');
        if (value > 1000000000000000LL)
            return -1;
    }
    if (*c != '\0' && !is_blank(*c))
        return -1;
    while (is_blank(*c))
        c++;
    *text = c;
    return value;
}

/* One line without its end; NULL, or what is wrong with it. */
static const char *accept_line(const char *text)
{
    int64_t time_us, channel, times = 1;

    while (is_blank(*text))
        text++;
    if (*text == '\0' || *text == '#')
        return NULL;
    if (strncmp(text, "end", 3) == 0 && (text[3] == '\0' || is_blank(text[3]))) {
        int64_t duration_us = 0;

        text += 3;
        while (is_blank(*text))
            text++;
        if (*text != '\0' && ((duration_us = whole_number(&text)) <= 0 || *text != '\0'))
            return "`end` takes one whole number above 0, the duration in microseconds, or nothing";
        return accept_end(duration_us);
    }
    if ((time_us = whole_number(&text)) < 0)
        return "neither a time in whole microseconds nor `end`";
    if ((channel = whole_number(&text)) < 0)
        return "no channel behind the time, a whole number";
    if (*text != '\0' && ((times = whole_number(&text)) < 1 || times > MOST_AT_ONCE))
        return "a count that is no whole number from 1 to 16777216";
    if (*text != '\0')
        return "more than a time, a channel and a count";
    return accept_event(time_us, channel, times);
}

/* Read lines up to the end of the input. */
static int read_text(void)
{
    char line[128];
    size_t length = 0;
    int byte;

    begin_input();
    input.place = 1;
    while ((byte = NEXT_BYTE()) != EOF || length > 0) {
        const char *wrong;

        if (byte != '\n' && byte != EOF) {
            if (byte == '\0')
                return complain("line", "a byte that is no text");
            /* Only the beginning of a comment is kept. */
            if (length + 1 < sizeof line)
                line[length++] = (char)byte;
            else if (line[0] != '#')
                return complain("line", "longer than 127 characters");
            continue;
        }
        if (length > 0 && line[length - 1] == '\r')
            length--;
        line[length] = '\0';
        length = 0;
        if ((wrong = accept_line(line)) != NULL)
            return complain("line", wrong);
        if (byte == EOF)
            break;
        input.place++;
    }
    if (READING_FAILED()) {
        fprintf(stderr, "the input could not be read\n");
        return 1;
    }
    return input.begun ? complain("line", "the input ends inside a recording, without `end`") : 0;
}

/* Four bytes, little-endian; -1 if no byte is left, -2 if fewer than four are. */
static int64_t four_bytes(void)
{
    int64_t value = 0;
    for (int i = 0; i < 4; i++) {
        int byte = NEXT_BYTE();

        if (byte == EOF)
            return i == 0 ? -1 : -2;
        value |= (int64_t)(byte & 0xff) << (8 * i);
    }
    return value;
}

/* Read events of eight bytes up to the end of the input. */
static int read_binary(void)
{
    int64_t passed, channel, time_us = 0;

    begin_input();
    for (input.place = 1; (passed = four_bytes()) != -1; input.place++) {
        const char *wrong = NULL;

        if (passed < 0 || (channel = four_bytes()) < 0)
            return complain("event", "cut short");
        time_us += passed;
        if (time_us > LONGEST_US)
            return complain("event", "a time beyond the longest recording");
        if (channel == 0xffffffffLL) {
            wrong = accept_end(time_us > input.time_us ? time_us : 0);
            time_us = 0;
        } else if (channel != 0xfffffffeLL) {
            wrong = accept_event(time_us, channel, 1);
        }
        if (wrong != NULL)
            return complain("event", wrong);
    }
    if (READING_FAILED()) {
        fprintf(stderr, "the input could not be read\n");
        return 1;
    }
    return input.begun || time_us > 0 ? complain("event", "the input ends inside a recording, without its end") : 0;
}
