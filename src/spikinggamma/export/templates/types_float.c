typedef float number;      /* states and heights */
typedef float weight;
typedef float sum;
typedef double evidence;   /* logits, over a recording of any length */
#define SHOWN "%.9g"
#define AS_SHOWN(x) ((double)(x))

struct memory {
    const number *keep, *take;   /* of each bucket */
    const number *powers;        /* the chain over 1, 2, 4, ... steps: a lower triangle each, row by row */
    int n_powers;                /* after 2^n_powers steps nothing is left; 0: no powers */
    number margin;               /* more than rounding can add, relative to the largest bucket */
};

struct code {
    number threshold, adaptation, fade;
    int64_t most;                /* spikes in a step; 0: any number */
};
