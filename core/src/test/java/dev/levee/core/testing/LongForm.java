package dev.levee.core.testing;

/**
 * How much a test of interleavings looks at: little in each build, much in {@code .ci/nightly}, which sets the system
 * property {@code levee.long}. See ADR 81.
 */
public final class LongForm {
    /** Factors of the long form; with both it looks at twelve times as many interleavings. */
    private static final int SCENARIOS = 3;

    private static final int SCHEDULES = 4;

    private LongForm() {}

    private static boolean isChosen() {
        return Boolean.getBoolean("levee.long");
    }

    /**
     * Returns how many scenarios to try.
     *
     * @param inBuilds how many are enough for a build
     */
    public static int iterations(int inBuilds) {
        return isChosen() ? inBuilds * SCENARIOS : inBuilds;
    }

    /**
     * Returns how many schedules of each scenario to try.
     *
     * @param inBuilds how many are enough for a build
     */
    public static int invocations(int inBuilds) {
        return isChosen() ? inBuilds * SCHEDULES : inBuilds;
    }
}
