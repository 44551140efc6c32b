package dev.levee.circuitbreaker;

/** How many calls there were, and how many of them failed or were slow. */
record Counts(long calls, long failures, long slow) {
    static final Counts NONE = new Counts(0, 0, 0);

    double failureRate() {
        return rate(failures, calls);
    }

    double slowRate() {
        return rate(slow, calls);
    }

    static double rate(long some, long all) {
        return all == 0 ? Double.NaN : some / (double) all;
    }

    static String percent(double rate) {
        return Double.isNaN(rate) ? "none" : Math.round(rate * 1000) / 10.0 + " %";
    }
}
