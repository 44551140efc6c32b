package dev.levee.loadbalancing;

/**
 * Decides whether so few endpoints are healthy that health itself is in doubt, or the rest would be crushed: for each
 * level of priority, as Envoy does (load balancing: priority levels, panic threshold).
 *
 * <p>A level can take its healthy share times 1.4 of all load, at most all. If the levels can take all load together,
 * none panics: calls fail over. Otherwise a level whose healthy share is below the threshold panics, until its share is
 * above the threshold by a tenth of all (at most all) or the levels can take all load again. By default a level of few
 * endpoints panics only when none of them is healthy, unlike in Envoy. See ADR 46 and ADR 65.
 *
 * @see <a
 *     href="https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/panic_threshold">
 *     Envoy: Panic threshold</a>
 */
final class Panic {
    private static final double OVERPROVISION = 1.4;
    private static final double HYSTERESIS = 0.1;

    /** Of fewer endpoints than this, a share says little, and each one that is down is a large part of the calls. */
    private static final int SMALL = 10;

    /** 0 if no level ever panics. */
    private final double threshold;

    private final boolean sparesSmallLevels;

    Panic(double threshold) {
        this(threshold, false);
    }

    /** @param sparesSmallLevels whether a level of few endpoints panics only when none of them is healthy */
    Panic(double threshold, boolean sparesSmallLevels) {
        this.threshold = threshold;
        this.sparesSmallLevels = sparesSmallLevels;
    }

    /**
     * Returns which levels panic.
     *
     * @param healthy how many endpoints of each level are healthy
     * @param total how many there are, not counting those that drain
     * @param before which levels panicked so far
     */
    boolean[] levels(int[] healthy, int[] total, boolean[] before) {
        boolean[] panics = new boolean[healthy.length];
        if (threshold == 0.0) {
            return panics;
        }
        double capacity = 0.0;
        for (int i = 0; i < healthy.length; i++) {
            if (total[i] > 0) {
                capacity += Math.min(1.0, OVERPROVISION * healthy[i] / total[i]);
            }
        }
        if (capacity >= 1.0 - 1e-9) {
            return panics;
        }
        for (int i = 0; i < healthy.length; i++) {
            if (sparesSmallLevels && total[i] < SMALL) {
                panics[i] = total[i] > 0 && healthy[i] == 0;
                continue;
            }
            double limit = before[i] ? Math.min(1.0, threshold + HYSTERESIS) : threshold;
            panics[i] = total[i] > 0 && healthy[i] < limit * total[i] - 1e-9;
        }
        return panics;
    }

    /**
     * Returns which levels let all their endpoints be used: those that panic, except one without any healthy endpoint
     * while another level has one.
     */
    static boolean[] open(int[] healthy, boolean[] panics) {
        boolean none = true;
        for (int count : healthy) {
            none &= count == 0;
        }
        boolean[] open = new boolean[panics.length];
        for (int i = 0; i < panics.length; i++) {
            open[i] = panics[i] && (none || healthy[i] > 0);
        }
        return open;
    }
}
