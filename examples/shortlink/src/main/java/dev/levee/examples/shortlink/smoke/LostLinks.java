package dev.levee.examples.shortlink.smoke;

import dev.levee.examples.shortlink.smoke.Request.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The promise that matters most: every link that was acknowledged leads to its URL, whatever died meanwhile.
 *
 * @param acknowledged how many links were
 * @param lost how many of them do not resolve
 */
record LostLinks(int acknowledged, int lost) {
    private static final int ROUNDS = 3;
    private static final long GAP_NANOS = 3_000_000;

    static LostLinks search(List<Outcome> outcomes, LoadDriver driver) {
        List<Request> missing = outcomes.stream()
                .filter(outcome -> outcome.request().kind().shortens() && outcome.isRight())
                .map(outcome -> resolve(outcome.location(), outcome.request().url()))
                .distinct()
                .toList();
        int acknowledged = missing.size();
        for (int round = 0; round < ROUNDS && !missing.isEmpty(); round++) {
            Set<String> found = driver.run(paced(missing), System.nanoTime()).stream()
                    .filter(Outcome::isRight)
                    .map(outcome -> outcome.request().url())
                    .collect(Collectors.toSet());
            missing = missing.stream()
                    .filter(request -> !found.contains(request.url()))
                    .toList();
        }
        return new LostLinks(acknowledged, missing.size());
    }

    private static Request resolve(String link, String url) {
        return new Request(0, Kind.COLD, link.substring(link.lastIndexOf('/') + 1), url, "");
    }

    /** One after the other, each from an address of its own, so that no limit of rate stands in the way. */
    private static List<Request> paced(List<Request> requests) {
        List<Request> paced = new ArrayList<>();
        IntStream.range(0, requests.size()).forEach(i -> {
            Request request = requests.get(i);
            String client = "10.8." + i / 250 + "." + i % 250;
            paced.add(new Request(i * GAP_NANOS, request.kind(), request.code(), request.url(), client));
        });
        return paced;
    }
}
