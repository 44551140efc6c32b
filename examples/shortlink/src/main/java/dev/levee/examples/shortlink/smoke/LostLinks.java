package dev.levee.examples.shortlink.smoke;

import dev.levee.examples.shortlink.smoke.Request.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The promise that matters most: every link that was acknowledged leads to its URL, whatever died meanwhile.
 *
 * @param acknowledged how many links were
 * @param lost how many of them do not resolve
 */
record LostLinks(int acknowledged, int lost) {
    /** A refusal is no loss: then the link is asked for again, later and more slowly. */
    private static final int ROUNDS = 8;

    private static final long GAP_NANOS = 3_000_000;
    private static final int MAX_GAPS = 16;

    /** A breaker that opened in the last round is ready for a call in the next one. */
    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(1_500);

    /**
     * Asks for each of them until it has come.
     *
     * @param calm whether nothing is amiss with the service any more; until then all are asked for again
     */
    static LostLinks search(List<Outcome> outcomes, LoadDriver driver, BooleanSupplier calm) {
        List<Request> links = outcomes.stream()
                .filter(outcome -> outcome.request().kind().shortens() && outcome.isRight())
                .map(outcome -> resolve(outcome.location(), outcome.request().url()))
                .distinct()
                .toList();
        List<Request> missing = links;
        for (int round = 0; round < ROUNDS && !(missing.isEmpty() && calm.getAsBoolean()); round++) {
            List<Request> asked = paced(missing.isEmpty() ? links : missing, round);
            Set<String> found = driver.run(asked, System.nanoTime()).stream()
                    .filter(Outcome::isRight)
                    .map(outcome -> outcome.request().url())
                    .collect(Collectors.toSet());
            missing = missing.stream()
                    .filter(request -> !found.contains(request.url()))
                    .toList();
        }
        return new LostLinks(links.size(), missing.size());
    }

    private static Request resolve(String link, String url) {
        return new Request(0, Kind.COLD, link.substring(link.lastIndexOf('/') + 1), url, "");
    }

    /** One after the other, each from an address of its own, so that no limit of rate stands in the way. */
    private static List<Request> paced(List<Request> requests, int round) {
        long from = round == 0 ? 0 : PAUSE_NANOS;
        long gap = GAP_NANOS * Math.min(1 << round, MAX_GAPS);
        List<Request> paced = new ArrayList<>();
        IntStream.range(0, requests.size()).forEach(i -> {
            Request request = requests.get(i);
            String client = "10.8." + i / 250 + "." + i % 250;
            paced.add(new Request(from + i * gap, request.kind(), request.code(), request.url(), client));
        });
        return paced;
    }
}
