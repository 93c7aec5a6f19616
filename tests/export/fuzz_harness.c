/*
 * Many inputs for an exported program in one process: compiled with -DPROGRAM="net.c". Standard input holds them one after the
 * other: a byte, 'b' for binary or 't' for text, four little-endian bytes of length, and so many bytes. Each ends with a
 * line `status N` on standard error.
 */
#include <stdio.h>

static int next_byte(void);
#define NEXT_BYTE() next_byte()
#define READING_FAILED() 0
#define NO_MAIN
#include PROGRAM

static long bytes_left;

static int next_byte(void)
{
    if (bytes_left == 0)
        return EOF;
    bytes_left--;
    return getchar();
}

int main(void)
{
    int kind;

    while ((kind = getchar()) != EOF) {
        int status;

        bytes_left = 0;
        for (int shift = 0; shift < 32; shift += 8)
            bytes_left |= (long)getchar() << shift;
        status = kind == 'b' ? read_binary() : read_text();
        while (next_byte() != EOF)
            continue;
        fprintf(stderr, "status %d\n", status);
    }
    return 0;
}
