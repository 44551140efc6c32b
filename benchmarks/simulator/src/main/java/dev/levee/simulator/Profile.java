package dev.levee.simulator;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.random.RandomGenerator;

/** Latencies that were captured somewhere, as the work of calls. */
public final class Profile implements Work {
    private final double[] quantiles;
    private final double[] millis;

    private Profile(double[] quantiles, double[] millis) {
        this.quantiles = quantiles;
        this.millis = millis;
    }

    /**
     * Reads a file with one number of milliseconds on a line, or with a quantile from 0 to 1 and a number of
     * milliseconds on a line; {@code #} starts a comment. Between two quantiles the latency is interpolated; below the
     * first and above the last it stays.
     *
     * @throws IllegalArgumentException if a line is neither, or there are none
     */
    public static Profile read(Path file) throws IOException {
        return of(Files.readAllLines(file));
    }

    static Profile of(List<String> lines) {
        List<double[]> rows = lines.stream()
                .map(line -> line.replaceFirst("#.*", "").trim())
                .filter(line -> !line.isEmpty())
                .map(Profile::numbers)
                .toList();
        if (rows.isEmpty() || rows.stream().anyMatch(row -> row.length != rows.get(0).length || row.length > 2)) {
            throw new IllegalArgumentException(
                    "a profile needs lines with one number each, or with two numbers each, but had " + rows.size());
        }
        if (rows.get(0).length == 1) {
            double[] sorted = rows.stream().mapToDouble(row -> row[0]).sorted().toArray();
            double[] places = new double[sorted.length];
            Arrays.setAll(places, i -> (i + 0.5) / sorted.length);
            return new Profile(places, sorted);
        }
        List<double[]> sorted =
                rows.stream().sorted(Comparator.comparingDouble(row -> row[0])).toList();
        return new Profile(
                sorted.stream().mapToDouble(row -> row[0]).toArray(),
                sorted.stream().mapToDouble(row -> row[1]).toArray());
    }

    private static double[] numbers(String line) {
        try {
            return Arrays.stream(line.split("[\\s,;]+", -1))
                    .mapToDouble(Double::parseDouble)
                    .toArray();
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("no numbers: " + line, e);
        }
    }

    /** The latency at a quantile, in milliseconds. */
    public double millisAt(double quantile) {
        int found = Arrays.binarySearch(quantiles, quantile);
        if (found >= 0) {
            return millis[found];
        }
        int above = -found - 1;
        if (above == 0 || above == quantiles.length) {
            return millis[above == 0 ? 0 : above - 1];
        }
        double share = (quantile - quantiles[above - 1]) / (quantiles[above] - quantiles[above - 1]);
        return millis[above - 1] + share * (millis[above] - millis[above - 1]);
    }

    @Override
    public double draw(RandomGenerator random) {
        return millisAt(random.nextDouble()) * VirtualTime.MILLI;
    }
}
