typedef int32_t number;         /* states and heights, in units of 2^-STATE_SHIFT */
typedef int{{ bits }}_t weight;
typedef int64_t sum;
typedef int64_t evidence;       /* fewer than 2^32 logits of 32 bits fit */
#define STATE_SHIFT {{ state_shift }}
#define SHOWN "%ld"
#define AS_SHOWN(x) ((long)(x))

struct memory {
    const weight *leak;              /* dt / tau of each bucket, in units of its own: */
    const unsigned char *leak_shift; /* 2^-leak_shift */
    unsigned char weight_shift;      /* units of weights and */
    unsigned char bucket_shift;      /* of bucket weights are 2^-these */
};

struct code {
    number threshold;
    int32_t adaptation, leak;            /* m, and what the rise loses in a step, in units of */
    unsigned char adaptation_shift, leak_shift;   /* 2^-these */
    int64_t most;                        /* spikes in a step; 0: any number */
};
