package dev.levee.core.internal;

/**
 * How critical a call is, and which cohort of callers it is for, in ten bits: the place of the {@code Criticality}
 * among its constants, times 256, plus one more than the cohort, or plus 0 if that is not known.
 */
public final class Priority {
    /** How many cohorts there are; a cohort is a number from 0. */
    public static final int COHORTS = 128;

    /** How many bits a priority has. */
    static final int BITS = 10;

    private static final int COHORT_VALUES = 2 * COHORTS;

    /** {@code Criticality.CRITICAL}, the second constant, and no cohort. */
    public static final int DEFAULT = COHORT_VALUES;

    private Priority() {}

    /**
     * Returns the priority of a criticality and a cohort.
     *
     * @param criticality the place of a {@code Criticality} among its constants
     * @param cohort from 0 to {@link #COHORTS} - 1, or -1 for none
     * @return the priority
     */
    public static int of(int criticality, int cohort) {
        return criticality * COHORT_VALUES + cohort + 1;
    }

    /**
     * Returns how critical a call is.
     *
     * @param priority its priority
     * @return the place of the {@code Criticality} among its constants, from 0, the most critical
     */
    public static int criticality(int priority) {
        return priority / COHORT_VALUES;
    }

    /**
     * Returns which cohort of callers a call is for.
     *
     * @param priority its priority
     * @return from 0 to {@link #COHORTS} - 1, or -1 if that is not known
     */
    public static int cohort(int priority) {
        return priority % COHORT_VALUES - 1;
    }
}
