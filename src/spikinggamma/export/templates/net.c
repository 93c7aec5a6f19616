/*
 * {{ title }}
 *
 * A trained spiking net as one C99 program, written by spikinggamma {{ version }}. It needs the C library and nothing else,
 * allocates no memory, and takes {{ net.dt_ms }} ms a step. To compile:
 *
 *     cc -std=c99 -O2 -o net {{ file_name }}
 *
 *     net [-q] [-c] [-b] < events > answers
 *
 *     -q  do not print output events
 *     -c  print what was computed after each recording
 *     -b  events come in binary
 *
 * Input, a line each; fields are whole decimal numbers parted by blanks:
 *
 *     TIME_US CHANNEL [COUNT]   COUNT spikes (1 if not given) of a channel from 0 to {{ net.channels - 1 }}; times never fall
 *     end [DURATION_US]         ends a recording; as short as its events allow if not given
 *     # ...                     a comment; empty lines are ignored too
 *
 * Time begins at 0 in every recording. Events of {{ net.fold }} neighbouring channel{{ "s" if net.fold > 1 else "" }} make one of the {{ net.layers[0].inputs }} inputs.
 * In binary an event is eight bytes, two little-endian numbers of four: microseconds since the event before (at first, since
 * 0), and its channel; channel 0xffffffff ends the recording at that time (0: as short as its events allow, if that is
 * also the time of the last event), 0xfffffffe only lets time pass.
 *
 * Output:
 *
 *     spike TIME_US LAYER NEURON COUNT     output events of hidden layers 1 to {{ net.layers | length - 1 }}; the time is its step's beginning
{% if net.decides == "by step" %}
 *     step TIME_US CLASS                   the decision at each step
 *     class CLASS STEPS SCORE ...          after each recording: the decision and logits of its last step
{% elif net.decides == "at the end" %}
 *     class CLASS STEPS SCORE ...          after each recording; scores are the logits of the last step
{% else %}
 *     class CLASS STEPS SCORE ...          after each recording; scores are the logits' mean over its steps
{% endif %}
 *     count events=... ...                 after each recording, if -c was given
 *
 * Exit codes: 0 done, 2 bad input (a message names the line, or in binary the event), 1 input or output failed.
 *
{% include "numbers_" ~ kind ~ ".txt" %}
 *
 * What is computed. Every step of every neuron, as the library does it:
 *
 *     u = sum of w times height of the spikes that arrive          drive
 *     h0 = keep0 h0 + u,  hk = keepk hk + takek h(k-1)             buckets, keep = 1 - dt / tau, take = dt / tau
 *     x = b + sum of vk hk,  y = max(x, 0)                         signal
 *     n = floor((y - keep0 e) / (2 threshold) + 1/2)               spikes, if above 0; e = keep0 e + 2 threshold n
 *     a = fade (a + m threshold n), threshold = threshold0 + a     adaptation
 *
 * Products are taken over arriving spikes only, column by column. A neuron without input that provably cannot spike
 * before its next input is asleep, and costs nothing until then; it then catches up on the steps that it missed. The
 * proof: a step moves a bucket to somewhere between what it holds and what the bucket before holds, so none ever exceeds
 * the largest, nor x what they could at most make of it.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define STEP_NS {{ net.step_ns }}LL   /* nanoseconds a step */
#ifndef LONGEST_US          /* longest recording that is accepted: a day, or what keeps 2^32 steps from being reached */
#define LONGEST_US {{ net.longest_us }}LL
#endif
#if LONGEST_US < 1 || LONGEST_US > {{ net.longest_allowed_us }}LL
#error "LONGEST_US must be from 1 to {{ net.longest_allowed_us }}"
#endif
#define MOST_AT_ONCE 16777216  /* spikes of one input in a step; more are not counted */

enum {
    CHANNELS = {{ net.channels }},
    FOLD = {{ net.fold }},
    INPUTS = {{ net.layers[0].inputs }},
    LAYERS = {{ net.layers | length }},
    CLASSES = {{ net.layers[-1].neurons }},
    MOST_SENDERS = {{ most_senders }}   /* of any layer */
};

/* ---- numbers ------------------------------------------------------------------------------------------------------- */

{% include "types_" ~ kind ~ ".c" %}

/* A layer: constants, then what it remembers. */
struct layer {
    int neurons, order;            /* order: buckets of a neuron */
    const weight *weights;         /* what each sender adds to every neuron: a row a sender */
    const weight *bucket_weights;  /* v: a row a neuron */
    const number *bias;
    struct memory memory;          /* how buckets keep and take */
    struct code code;              /* how spikes are made; unused by the read-out */
    number *drive;                 /* u of this step, zero after it */
    number *buckets;               /* h: a row a neuron */
    number *estimate;              /* e, what listeners believe of y */
    number *rise;                  /* a, what the threshold is above its rest */
    unsigned char *asleep;
    int64_t *behind;               /* first step that a sleeping neuron has not taken */
    int n_awake;
};

struct spike {
    int sender;
    number height;
};

/* ---- the net ------------------------------------------------------------------------------------------------------- */

{% for layer in layers %}
{{ layer.tables }}
static number drive_{{ loop.index }}[{{ layer.neurons }}], buckets_{{ loop.index }}[{{ layer.neurons }} * {{ layer.order }}];
static number estimate_{{ loop.index }}[{{ layer.neurons }}], rise_{{ loop.index }}[{{ layer.neurons }}];
static unsigned char asleep_{{ loop.index }}[{{ layer.neurons }}];
static int64_t behind_{{ loop.index }}[{{ layer.neurons }}];

{% endfor %}
static struct layer layers[LAYERS] = {
{% for layer in layers %}
    {
        .neurons = {{ layer.neurons }}, .order = {{ layer.order }},
        .weights = weights_{{ loop.index }}, .bucket_weights = bucket_weights_{{ loop.index }}, .bias = bias_{{ loop.index }},
        .memory = { {{ layer.memory }} },
        .code = { {{ layer.code }} },
        .drive = drive_{{ loop.index }}, .buckets = buckets_{{ loop.index }}, .estimate = estimate_{{ loop.index }}, .rise = rise_{{ loop.index }},
        .asleep = asleep_{{ loop.index }}, .behind = behind_{{ loop.index }}
    }{{ "," if not loop.last }}
{% endfor %}
};

static int64_t now;                          /* the step that is being filled with events */
static int32_t waiting[INPUTS];              /* spikes of each input in it */
static struct spike spikes[MOST_SENDERS];    /* on their way to the next layer; while waiting, inputs that have some */
static int n_waiting;
static evidence gathered[CLASSES];
static int decision;
static int quiet, counting;                  /* -q, -c */

static struct {
    uint64_t events;    /* spikes that came in */
    uint64_t spikes;    /* that hidden neurons sent */
    uint64_t products;  /* weights times arriving spikes */
    uint64_t updates;   /* steps that neurons took, read-out included */
    uint64_t skipped;   /* steps that they slept through */
    uint64_t replayed;  /* slept steps that buckets took afterwards, one by one */
    uint64_t jumps;     /* products with a power of the chain, which took many at once */
} counts;

/* ---- a neuron ------------------------------------------------------------------------------------------------------ */

/* Return whether nothing is left of a neuron's past input. */
static int is_empty(const struct layer *l, int n)
{
    const number *h = l->buckets + n * l->order;
    for (int k = 0; k < l->order; k++)
        if (h[k] != 0)
            return 0;
    return 1;
}

{% include "neuron_" ~ kind ~ ".c" %}

/* sum of vk hk */
static sum mixed(const struct layer *l, int n)
{
    const number *h = l->buckets + n * l->order;
    const weight *v = l->bucket_weights + n * l->order;
    sum total = 0;
    for (int k = 0; k < l->order; k++)
        total += (sum)v[k] * h[k];
    return total;
}

/* Return whether the neuron is silent until its next input; see the proof at the top. */
static int cannot_speak(const struct layer *l, int n)
{
    const number *h = l->buckets + n * l->order;
    const weight *v = l->bucket_weights + n * l->order;
    number high = 0, low = 0;
    sum most = 0;
    for (int k = 0; k < l->order; k++) {
        if (h[k] > high)
            high = h[k];
        if (h[k] < low)
            low = h[k];
    }
    for (int k = 0; k < l->order; k++)
        most += (sum)v[k] * (v[k] > 0 ? high : low);
    return surely_below_threshold(l, n, most, high > -low ? high : -low);
}

#ifdef NO_SLEEP   /* to see what sleep saves */
enum { MAY_SLEEP = 0 };
#else
enum { MAY_SLEEP = 1 };
#endif

static void put_to_sleep(struct layer *l, int n)
{
    l->asleep[n] = 1;
    l->behind[n] = now + 1;
    l->n_awake--;
}

static void wake(struct layer *l, int n)
{
    catch_up(l, n, now - l->behind[n]);
    l->asleep[n] = 0;
    l->n_awake++;
}

/* ---- a step -------------------------------------------------------------------------------------------------------- */

static long long begin_us(int64_t step)
{
    return (long long)(step * STEP_NS / 1000);
}

#ifdef TRACE
#define SHOW_SIGNAL(layer, neuron, x) \
    printf("signal %lld %d %d " SHOWN "\n", begin_us(now), (layer), (neuron), AS_SHOWN(x))
#else
#define SHOW_SIGNAL(layer, neuron, x) ((void)0)
#endif

/* Add the columns of the senders that spiked to the drive. */
static void hear(struct layer *l, int n_spikes)
{
    for (int s = 0; s < n_spikes; s++) {
        const weight *column = l->weights + (size_t)spikes[s].sender * (size_t)l->neurons;
        for (int n = 0; n < l->neurons; n++)
            l->drive[n] = added(l, l->drive[n], column[n], spikes[s].height);
    }
    counts.products += (uint64_t)n_spikes * (uint64_t)l->neurons;
}

/* Return the signal of neuron n, which is awake at this step, after its current input. */
static number listen(struct layer *l, int n)
{
    fill(l, l->buckets + n * l->order, l->drive[n]);
    l->drive[n] = 0;
    counts.updates++;
    return signal_of(l, n, mixed(l, n));
}

/* A step of hidden layer `index`; returns how many of its neurons spiked, which are then in `spikes`. */
static int speak(int index, int driven)
{
    struct layer *l = &layers[index];
    int n_spikes = 0;

    if (!driven && l->n_awake == 0) {
        counts.skipped += (uint64_t)l->neurons;
        return 0;
    }
    for (int n = 0; n < l->neurons; n++) {
        number height;
        int64_t times;

        if (l->asleep[n]) {
            if (!driven) {
                counts.skipped++;
                continue;
            }
            wake(l, n);
        }
        number x = listen(l, n);
        SHOW_SIGNAL(index + 1, n, x);
        times = sigma_delta(l, n, x > 0 ? x : 0, &height);
        if (times > 0) {
            spikes[n_spikes].sender = n;
            spikes[n_spikes].height = height;
            n_spikes++;
            counts.spikes += (uint64_t)times;
            if (!quiet)
                printf("spike %lld %d %d %lld\n", begin_us(now), index + 1, n, (long long)times);
        } else if (!driven && MAY_SLEEP && cannot_speak(l, n)) {
            put_to_sleep(l, n);
        }
    }
    return n_spikes;
}

/* Class with the largest evidence; the first of several. */
static int decided(void)
{
    int best = 0;

    for (int c = 1; c < CLASSES; c++)
        if (gathered[c] > gathered[best])
            best = c;
    return best;
}

/* A step of the read-out. */
static void read_out(int driven)
{
    struct layer *l = &layers[LAYERS - 1];
    for (int c = 0; c < CLASSES; c++) {
        number x = l->bias[c];

        if (l->asleep[c] && driven)
            wake(l, c);
        if (l->asleep[c]) {
            counts.skipped++;
        } else {
            x = listen(l, c);
            if (!driven && MAY_SLEEP && is_empty(l, c))
                put_to_sleep(l, c);
        }
        SHOW_SIGNAL(LAYERS, c, x);
{% if net.decides == "by the mean" %}
        gathered[c] += x;
{% else %}
        gathered[c] = x;
{% endif %}
    }
{% if net.decides == "by step" %}
    decision = decided();
    if (!quiet)
        printf("step %lld %d\n", begin_us(now), decision);
{% endif %}
}

/* All layers take the step `now`, with the events that wait for it. */
static void take_step(void)
{
    int n_spikes = n_waiting;

    for (int i = 0; i < n_waiting; i++) {
        spikes[i].height = height_of_events(waiting[spikes[i].sender]);
        waiting[spikes[i].sender] = 0;
    }
    n_waiting = 0;
    for (int i = 0; i < LAYERS; i++) {
        hear(&layers[i], n_spikes);
        if (i < LAYERS - 1)
            n_spikes = speak(i, n_spikes > 0);
        else
            read_out(n_spikes > 0);
    }
    now++;
}

{% if net.decides != "by step" %}
/* Steps through which everything sleeps, all at once. */
static void sleep_until(int64_t step)
{
    int64_t steps = step - now;
    for (int i = 0; i < LAYERS; i++)
        counts.skipped += (uint64_t)steps * (uint64_t)layers[i].neurons;
    for (int c = 0; c < CLASSES; c++)
{% if net.decides == "by the mean" %}
        gathered[c] += (evidence)steps * layers[LAYERS - 1].bias[c];
{% else %}
        gathered[c] = layers[LAYERS - 1].bias[c];
{% endif %}
    now = step;
}

{% endif %}
/* Take every step before `step`. */
static void run_until(int64_t step)
{
    while (now < step) {
{% if net.decides != "by step" %}
        int awake = n_waiting;

        for (int i = 0; i < LAYERS; i++)
            awake += layers[i].n_awake;
        if (awake == 0) {
            sleep_until(step);
            return;
        }
{% endif %}
        take_step();
    }
}

/* ---- a recording --------------------------------------------------------------------------------------------------- */

static void begin_recording(void)
{
    now = 0;
    n_waiting = 0;
    decision = 0;
    memset(waiting, 0, sizeof waiting);
    memset(gathered, 0, sizeof gathered);
    memset(&counts, 0, sizeof counts);
    for (int i = 0; i < LAYERS; i++) {
        struct layer *l = &layers[i];
        size_t bytes = (size_t)l->neurons * sizeof(number);

        memset(l->drive, 0, bytes);
        memset(l->buckets, 0, bytes * (size_t)l->order);
        memset(l->estimate, 0, bytes);
        memset(l->rise, 0, bytes);
        l->n_awake = 0;
        for (int n = 0; n < l->neurons; n++) {
            l->behind[n] = 0;
            l->asleep[n] = (unsigned char)(MAY_SLEEP && (i < LAYERS - 1 ? cannot_speak(l, n) : is_empty(l, n)));
            l->n_awake += !l->asleep[n];
        }
    }
}

static void take_event(int64_t time_us, int channel, int64_t times)
{
    int input = channel / FOLD;

    run_until(time_us * 1000 / STEP_NS);
    if (waiting[input] == 0)
        spikes[n_waiting++].sender = input;
    waiting[input] = (int32_t)(times < MOST_AT_ONCE - waiting[input] ? waiting[input] + times : MOST_AT_ONCE);
    counts.events += (uint64_t)times;
}

static void end_recording(int64_t duration_us)
{
    run_until((duration_us * 1000 + STEP_NS - 1) / STEP_NS);
{% if net.decides != "by step" %}
    decision = decided();
{% endif %}
    printf("class %d %lld", decision, (long long)now);
    for (int c = 0; c < CLASSES; c++)
        print_score(gathered[c]{{ ", now" if net.decides == "by the mean" else ", 1" }});
    putchar('\n');
    if (counting)
        printf("count events=%llu spikes=%llu products=%llu updates=%llu skipped=%llu replayed=%llu jumps=%llu\n",
               (unsigned long long)counts.events, (unsigned long long)counts.spikes,
               (unsigned long long)counts.products, (unsigned long long)counts.updates,
               (unsigned long long)counts.skipped, (unsigned long long)counts.replayed,
               (unsigned long long)counts.jumps);
    fflush(stdout);
    begin_recording();
}

/* ---- reading ------------------------------------------------------------------------------------------------------- */

{% include "reading.c" %}

#ifndef NO_MAIN
int main(int argc, char **argv)
{
    int binary = 0, status;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-q") == 0) {
            quiet = 1;
        } else if (strcmp(argv[i], "-c") == 0) {
            counting = 1;
        } else if (strcmp(argv[i], "-b") == 0) {
            binary = 1;
        } else {
            fprintf(stderr, "usage: %s [-q] [-c] [-b] < events > answers\n", argv[0]);
            return 2;
        }
    }
    status = binary ? read_binary() : read_text();
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "the answers could not be written\n");
        return 1;
    }
    return status;
}
#endif
