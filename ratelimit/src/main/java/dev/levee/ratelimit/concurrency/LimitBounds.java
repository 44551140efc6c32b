package dev.levee.ratelimit.concurrency;

/**
 * Between what a limit may move, and where it begins.
 *
 * @param min the least
 * @param max the most
 * @param initial where it begins
 */
record LimitBounds(int min, int max, int initial) {
    double within(double limit) {
        return Math.max(min, Math.min(max, limit));
    }
}
