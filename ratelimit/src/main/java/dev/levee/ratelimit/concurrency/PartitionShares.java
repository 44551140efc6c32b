package dev.levee.ratelimit.concurrency;

/**
 * Splits a limit into whole permits by shares, at least one each but for a share of nothing: what is left goes to the
 * largest fractions.
 */
final class PartitionShares {
    private final double[] shares;
    private final int[] parts;

    /**
     * For shares.
     *
     * @param shares each from 0, 1 in sum but for rounding
     */
    PartitionShares(double... shares) {
        this.shares = shares.clone();
        this.parts = new int[shares.length];
    }

    int count() {
        return shares.length;
    }

    /**
     * Splits a limit. One thread at a time.
     *
     * @param limit at least as many as there are shares of more than 0
     * @return the parts, valid until the next call; they are the limit in sum
     */
    int[] split(int limit) {
        int left = limit;
        for (int i = 0; i < parts.length; i++) {
            parts[i] = shares[i] == 0 ? 0 : Math.max(1, (int) Math.floor(limit * shares[i] + 1e-9));
            left -= parts[i];
        }
        for (; left > 0; left--) {
            parts[furthest(limit, 1)]++;
        }
        for (; left < 0; left++) {
            parts[furthest(limit, -1)]--;
        }
        return parts;
    }

    /** The part that is furthest below what it should be, or above it; never one that would become 0. */
    private int furthest(int limit, int sign) {
        int found = -1;
        double most = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < parts.length; i++) {
            double off = sign * (limit * shares[i] - parts[i]);
            if (off > most && shares[i] > 0 && (sign > 0 || parts[i] > 1)) {
                most = off;
                found = i;
            }
        }
        return found;
    }
}
