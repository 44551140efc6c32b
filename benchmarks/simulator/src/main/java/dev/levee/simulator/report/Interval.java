package dev.levee.simulator.report;

/**
 * A mean over seeds and how far it may be off.
 *
 * @param mean the mean
 * @param half half the width of its 95 % interval by Student's t; 0 for one seed
 */
public record Interval(double mean, double half) {
    /** The 97.5 % point of Student's t for 1, 2, 3 ... degrees of freedom. */
    private static final double[] T = {
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
        2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042
    };

    /** The interval of some values, of which those that are not numbers are left out. */
    public static Interval of(double... values) {
        double sum = 0;
        int count = 0;
        for (double value : values) {
            if (!Double.isNaN(value)) {
                sum += value;
                count++;
            }
        }
        double mean = sum / count;
        double squares = 0;
        for (double value : values) {
            squares += Double.isNaN(value) ? 0 : (value - mean) * (value - mean);
        }
        if (count < 2) {
            return new Interval(mean, 0);
        }
        double t = count - 2 < T.length ? T[count - 2] : 1.96;
        double half = t * Math.sqrt(squares / (count - 1) / count);
        return new Interval(mean, half < 1e-9 * Math.abs(mean) ? 0 : half); // rounding is no spread
    }

    /** The interval of the differences of paired values: those of one seed belong together. */
    public static Interval ofDifferences(double[] values, double[] others) {
        double[] differences = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            differences[i] = values[i] - others[i];
        }
        return of(differences);
    }

    /** Whether 0 is in it. */
    public boolean holdsZero() {
        return Math.abs(mean) <= half;
    }
}
