#include "dice.h"

/* The step and the finish of splitmix64. */
static uint64_t stir(uint64_t value)
{
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

static const uint64_t step = UINT64_C(0x9e3779b97f4a7c15);

uint64_t dice_mix(uint64_t a, uint64_t b)
{
    return stir(stir(a + step) + b + step);
}

uint64_t dice_roll(struct dice *dice)
{
    dice->state += step;
    return stir(dice->state);
}

uint64_t dice_below(struct dice *dice, uint64_t end)
{
    return end ? dice_roll(dice) % end : 0;
}

uint64_t dice_between(struct dice *dice, uint64_t first, uint64_t last)
{
    return first + dice_below(dice, last - first + 1);
}

bool dice_chance(struct dice *dice, unsigned percent)
{
    return dice_below(dice, 100) < percent;
}

double dice_real(struct dice *dice, double max)
{
    return (double)(dice_roll(dice) >> 11) / (double)(UINT64_C(1) << 53) * max;
}
