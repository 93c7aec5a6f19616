/* Zero for what is too small to matter, as the library does it: denormal numbers are slow. */
static number settled(number value)
{
    return value > 1e-20f || value < -1e-20f ? value : 0;
}

static number height_of_events(int32_t times)
{
    return {{ gain }} * (number)times;
}

static number added(const struct layer *l, number drive, weight w, number height)
{
    (void)l;
    return drive + w * height;
}

static void fill(const struct layer *l, number *h, number drive)
{
    const struct memory *m = &l->memory;
    for (int k = l->order - 1; k > 0; k--)
        h[k] = settled(m->keep[k] * h[k] + m->take[k] * h[k - 1]);
    h[0] = settled(m->keep[0] * h[0] + drive);
}

static number signal_of(const struct layer *l, int n, sum mix)
{
    return l->bias[n] + mix;
}

/* How often the neuron spikes, and how high in all. */
static int64_t sigma_delta(struct layer *l, int n, number y, number *height)
{
    number before = settled(l->memory.keep[0] * l->estimate[n]);
    number threshold = l->code.threshold + l->rise[n];
    number wanted = (y - before) / (2 * threshold) + 0.5f;
    int64_t times = 0;

    if (wanted >= 1) {
        times = wanted < 1e9f ? (int64_t)wanted : 1000000000;
        if (l->code.most > 0 && times > l->code.most)
            times = l->code.most;
    }
    *height = 2 * threshold * (number)times;
    l->estimate[n] = before + *height;
    l->rise[n] = settled(l->code.fade * (l->rise[n] + l->code.adaptation * threshold * (number)times));
    return times;
}

/* `most` is what the buckets can at most make of the signal, `largest` what any of them holds. */
static int surely_below_threshold(const struct layer *l, int n, sum most, number largest)
{
    const weight *v = l->bucket_weights + n * l->order;
    sum size = 0;
    for (int k = 0; k < l->order; k++)
        size += v[k] > 0 ? v[k] : -v[k];
    return l->bias[n] + most + l->memory.margin * size * largest < l->code.threshold * (1 - l->memory.margin);
}

/* base to the power of `steps` */
static number power(number base, int64_t steps)
{
    number result = 1;

    for (; steps > 0; steps >>= 1) {
        if (steps & 1)
            result = settled(result * base);
        base = settled(base * base);
    }
    return result;
}

/* Buckets 2^i steps on. */
static void jump(const struct layer *l, number *h, int i)
{
    const number *row = l->memory.powers + (size_t)i * (size_t)(l->order * (l->order + 1) / 2);
    row += l->order * (l->order - 1) / 2;
    for (int k = l->order - 1; k >= 0; k--) {
        number total = 0;

        for (int j = 0; j <= k; j++)
            total += row[j] * h[j];
        h[k] = settled(total);
        row -= k;
    }
    counts.jumps++;
}

/* Steps that were slept through: one by one where they are few, else by powers of the chain. */
static void catch_up(struct layer *l, int n, int64_t steps)
{
    number *h = l->buckets + n * l->order;
    l->estimate[n] *= power(l->memory.keep[0], steps);
    l->rise[n] *= power(l->code.fade, steps);
    if (steps < l->order || l->memory.n_powers == 0) {
        for (; steps > 0 && !is_empty(l, n); steps--) {
            fill(l, h, 0);
            counts.replayed++;
        }
        return;
    }
    if (steps >> l->memory.n_powers) {
        memset(h, 0, (size_t)l->order * sizeof *h);
        return;
    }
    for (int i = 0; steps > 0; i++, steps >>= 1)
        if (steps & 1)
            jump(l, h, i);
}

static void print_score(evidence total, int64_t steps)
{
    printf(" %.9g", total / (double)steps);
}
