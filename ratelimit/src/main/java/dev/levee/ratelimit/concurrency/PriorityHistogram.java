package dev.levee.ratelimit.concurrency;

import dev.levee.core.Criticality;
import dev.levee.core.internal.Priority;
import java.util.concurrent.atomic.AtomicIntegerArray;

/**
 * How many calls of each priority came lately, and from which priority on a share of them is to be refused.
 *
 * <p>A rank is the place of the criticality times 128, plus the cohort: from 0, served to the last, to 511. A call
 * whose cohort is not known counts for all cohorts of its criticality alike, and draws one for each decision.
 *
 * <p>The threshold is the rank at which the refused share of the calls begins, and which part of the calls of that very
 * rank are refused; so the share is met exactly, also when one tenant makes half of the calls.
 *
 * <p>{@link #count} is for all threads; the rest for one at a time.
 */
final class PriorityHistogram {
    static final int LEVELS = Criticality.values().length;
    static final int RANKS = LEVELS * Priority.COHORTS;

    /** How much of what came before a period still counts after it. */
    private static final double MEMORY = 0.5;

    private static final int PADDING = 32;

    /** By rank, and after them by criticality those whose cohort is not known. */
    private final AtomicIntegerArray coming = new AtomicIntegerArray(RANKS + LEVELS + 2 * PADDING);

    private final double[] recent = new double[RANKS];

    /** Counts a call, by its rank or, with a cohort that is not known, by its criticality. */
    void count(int criticality, int cohort) {
        int index = cohort < 0 ? RANKS + criticality : rank(criticality, cohort);
        coming.getAndIncrement(PADDING + index);
    }

    static int rank(int criticality, int cohort) {
        return criticality * Priority.COHORTS + cohort;
    }

    /** Ends a period. Returns how many calls came in it. */
    long endPeriod() {
        long came = 0;
        for (int level = 0; level < LEVELS; level++) {
            int unknown = coming.getAndSet(PADDING + RANKS + level, 0);
            came += unknown;
            for (int cohort = 0; cohort < Priority.COHORTS; cohort++) {
                int rank = rank(level, cohort);
                int known = coming.getAndSet(PADDING + rank, 0);
                came += known;
                recent[rank] = MEMORY * recent[rank] + known + unknown / (double) Priority.COHORTS;
            }
        }
        return came;
    }

    /**
     * Returns the threshold for a share.
     *
     * @param share of the calls to refuse, from 0 to 1
     * @return the rank, plus the part of the calls of that rank that is let in; {@link #RANKS} if none is refused
     */
    double threshold(double share) {
        double all = 0;
        for (double of : recent) {
            all += of;
        }
        if (share <= 0 || all <= 0) {
            return RANKS;
        }
        double left = share * all;
        for (int rank = RANKS - 1; rank >= 0; rank--) {
            if (left <= recent[rank]) {
                return rank + 1 - left / recent[rank];
            }
            left -= recent[rank];
        }
        return 0;
    }
}
