static number saturated(int64_t value)
{
    return value > INT32_MAX ? INT32_MAX : value < -INT32_MAX ? -INT32_MAX : (number)value;
}

/* value / 2^shift, to the nearest, half away from zero; a shift of a negative number would be the compiler's to define. */
static int64_t scaled(int64_t value, int shift)
{
    int64_t half = shift > 0 ? (int64_t)1 << (shift - 1) : 0;

    return value < 0 ? -((half - value) >> shift) : (value + half) >> shift;
}

/* leak times difference, away from zero. */
static int64_t leaked(int64_t leak, int shift, int64_t difference)
{
    int64_t rest = ((int64_t)1 << shift) - 1, product = leak * difference;

    return product < 0 ? -((rest - product) >> shift) : (product + rest) >> shift;
}

static number height_of_events(int32_t times)
{
    return saturated(scaled((int64_t){{ gain.value }} * times, {{ gain.shift }}));
}

static number added(const struct layer *l, number drive, weight w, number height)
{
    return saturated(drive + scaled((int64_t)w * height, l->memory.weight_shift));
}

static void fill(const struct layer *l, number *h, number drive)
{
    const struct memory *m = &l->memory;
    for (int k = l->order - 1; k > 0; k--)
        h[k] += (number)leaked(m->leak[k], m->leak_shift[k], (int64_t)h[k - 1] - h[k]);
    h[0] = saturated(h[0] - leaked(m->leak[0], m->leak_shift[0], h[0]) + drive);
}

static number signal_of(const struct layer *l, int n, sum mix)
{
    return saturated(l->bias[n] + scaled(mix, l->memory.bucket_shift));
}

/* How often the neuron spikes, and how high in all. */
static int64_t sigma_delta(struct layer *l, int n, number y, number *height)
{
    const struct code *c = &l->code;
    number before = (number)(l->estimate[n] - leaked(l->memory.leak[0], l->memory.leak_shift[0], l->estimate[n]));
    int64_t threshold = (int64_t)c->threshold + l->rise[n];
    int64_t missing = (int64_t)y - before, times = 0;
    number rise;

    if (missing >= threshold) {
        times = (missing + threshold) / (2 * threshold);
        if (c->most > 0 && times > c->most)
            times = c->most;
    }
    *height = saturated(2 * threshold * times);
    l->estimate[n] = saturated((int64_t)before + *height);
    rise = saturated(l->rise[n] + scaled(threshold * times * c->adaptation, c->adaptation_shift));
    l->rise[n] = (number)(rise - leaked(c->leak, c->leak_shift, rise));
    return times;
}

/* `most` is what the buckets can at most make of the signal. */
static int surely_below_threshold(const struct layer *l, int n, sum most, number largest)
{
    (void)largest;
    return signal_of(l, n, most) < l->code.threshold;
}

/* Steps that were slept through, one by one until nothing is left: to the bit what they would have been. */
static void catch_up(struct layer *l, int n, int64_t steps)
{
    const struct code *c = &l->code;
    int64_t left;

    for (left = steps; left > 0 && !is_empty(l, n); left--) {
        fill(l, l->buckets + n * l->order, 0);
        counts.replayed++;
    }
    for (left = steps; left > 0 && l->estimate[n] != 0; left--)
        l->estimate[n] -= (number)leaked(l->memory.leak[0], l->memory.leak_shift[0], l->estimate[n]);
    for (left = steps; left > 0 && l->rise[n] != 0; left--)
        l->rise[n] -= (number)leaked(c->leak, c->leak_shift, l->rise[n]);
}

/* total / steps in decimals, to the nearest unit of states. */
static void print_score(evidence total, int64_t steps)
{
    int64_t size = ((total < 0 ? -total : total) + steps / 2) / steps;
    int64_t one = (int64_t)1 << STATE_SHIFT;
    int64_t millionths = ((size & (one - 1)) * 1000000 + one / 2) >> STATE_SHIFT;
    int64_t whole = (size >> STATE_SHIFT) + millionths / 1000000;

    printf(" %s%lld.%06lld", total < 0 ? "-" : "", (long long)whole, (long long)(millionths % 1000000));
}
