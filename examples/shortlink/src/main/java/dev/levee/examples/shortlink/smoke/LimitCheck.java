package dev.levee.examples.shortlink.smoke;

import dev.levee.ratelimit.TokenBucketLimit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * No client is admitted more often than its limit says, by all fronts together: in no window of any length {@code T}
 * more than {@code burst + rate * T}.
 *
 * <p>A request was admitted at some moment between the one in which it was due and the one in which its answer came. So
 * all whose two moments are in a window were admitted in it, and the shortest windows of which that can be said begin
 * where a request was due and end where an answer came: all of these are looked at. What is found to be above the limit
 * is above it for certain; the other way round, up to as many as were under way at the edges may be missed.
 *
 * @param clients how many were looked at
 * @param above how many of them were admitted more often than their limit says
 * @param admitted how often the one was admitted that came closest to its limit
 * @param most the largest share of what a window allows that was admitted in it
 */
record LimitCheck(int clients, int above, int admitted, double most) {
    private static final int TOO_MANY_REQUESTS = 429;

    /** Looks at all that was sent. A request without an answer may have been refused, so it does not count. */
    static LimitCheck of(List<Outcome> outcomes, TokenBucketLimit limit, Function<Request, String> client) {
        Map<String, List<Outcome>> admitted = outcomes.stream()
                .filter(outcome -> outcome.status() != 0 && outcome.status() != TOO_MANY_REQUESTS)
                .collect(Collectors.groupingBy(
                        outcome -> client.apply(outcome.request()), TreeMap::new, Collectors.toList()));
        int above = 0;
        int most = 0;
        double largest = 0;
        for (List<Outcome> ofOne : admitted.values()) {
            double share = largestShare(ofOne, limit);
            above += share > 1 ? 1 : 0;
            if (share > largest) {
                largest = share;
                most = ofOne.size();
            }
        }
        return new LimitCheck(admitted.size(), above, most, Math.round(largest * 10_000) / 10_000.0);
    }

    /** Begins with the window of the last request, and opens it to the left, one request after the other. */
    private static double largestShare(List<Outcome> admitted, TokenBucketLimit limit) {
        double perNano = (double) limit.permits() / limit.per().toNanos();
        List<Outcome> lastFirst = admitted.stream()
                .sorted(Comparator.comparingLong(
                                (Outcome outcome) -> outcome.request().atNanos())
                        .reversed())
                .toList();
        List<Long> ends = new ArrayList<>();
        double largest = 0;
        for (Outcome outcome : lastFirst) {
            insert(ends, outcome.endNanos());
            long start = outcome.request().atNanos();
            for (int i = 0; i < ends.size(); i++) {
                double allowed = limit.burst() + perNano * (ends.get(i) - start);
                largest = Math.max(largest, (i + 1) / allowed);
            }
        }
        return largest;
    }

    private static void insert(List<Long> sorted, long value) {
        int index = sorted.size();
        while (index > 0 && sorted.get(index - 1) > value) {
            index--;
        }
        sorted.add(index, value);
    }

    /** Puts the figures. */
    void report(Report report) {
        report.put("clients", clients);
        report.put("clientsAboveLimit", above);
        report.put("admittedOfGreediest", admitted);
        report.put("mostOfLimit", most);
    }
}
