package dev.levee.examples.shortlink.smoke;

import dev.levee.examples.shortlink.node.Code;
import dev.levee.examples.shortlink.smoke.Request.Kind;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/**
 * The load: the same in every run, fixed before it starts, so that a slow service does not get less of it.
 *
 * @param requests in the order in which they are sent
 * @param stored the URLs that must have a link before
 */
record Workload(List<Request> requests, List<String> stored) {
    /** Requests per second of ordinary clients: arrivals at random (a Poisson process). */
    static final int RATE = 200;
    /** Guesses per second of the one client that scans for codes. */
    static final int GUESSES = 80;
    /** How many cold links are requested within half a second, when the database has just become slow. */
    static final int CROWD = 120;

    private static final int CLIENTS = 200;
    private static final double SHORTEN_SHARE = 0.08;
    private static final double COLD_SHARE = 0.28;

    /**
     * Makes the load.
     *
     * @param urls the well-known URLs
     * @param rate requests per second of ordinary clients
     * @param nanos how long it is
     * @param againNanos what came in so much of its end comes once again after it, at the same moments and of the same
     *     kinds, so that the two can be compared; 0 for nothing
     * @param crowdsAtNanos when crowds come
     */
    static Workload of(List<String> urls, int rate, long nanos, long againNanos, long... crowdsAtNanos) {
        return new Maker(urls, rate).make(nanos, againNanos, crowdsAtNanos);
    }

    private static final class Maker {
        private final Random random = new Random(42);
        private final List<String> urls;
        private final int rate;
        private final Zipf zipf;
        private final List<String> stored;
        private final List<Request> requests = new ArrayList<>();
        private int made;
        private long end;

        Maker(List<String> urls, int rate) {
            this.urls = urls;
            this.rate = rate;
            this.zipf = new Zipf(urls.size());
            this.stored = new ArrayList<>(urls);
        }

        Workload make(long nanos, long againNanos, long... crowdsAtNanos) {
            end = nanos + againNanos;
            Map<Long, Kind> again = new TreeMap<>();
            double meanGap = 1e9 / (rate + GUESSES);
            for (double at = gap(meanGap); at < nanos; at += gap(meanGap)) {
                Kind kind = random.nextInt(rate + GUESSES) < GUESSES ? Kind.GUESS : kind();
                add((long) at, kind);
                if ((long) at >= nanos - againNanos) {
                    again.put((long) at + againNanos, kind);
                }
            }
            for (long crowd : crowdsAtNanos) {
                for (int i = 0; i < CROWD; i++) {
                    addCold(crowd + i * 4_000_000L, "10.9." + i / 250 + "." + i % 250);
                }
            }
            again.forEach(this::add);
            requests.sort(Comparator.comparingLong(Request::atNanos));
            return new Workload(List.copyOf(requests), List.copyOf(stored));
        }

        private double gap(double mean) {
            return -mean * Math.log(1 - random.nextDouble());
        }

        private Kind kind() {
            double draw = random.nextDouble();
            return draw < SHORTEN_SHARE ? Kind.SHORTEN : draw < SHORTEN_SHARE + COLD_SHARE ? Kind.COLD : Kind.POPULAR;
        }

        private void add(long at, Kind kind) {
            String client = "10.0.0." + random.nextInt(CLIENTS);
            switch (kind) {
                case POPULAR -> {
                    String url = urls.get(zipf.draw(random));
                    requests.add(new Request(at, kind, Code.of(url, 0), url, client));
                }
                case COLD -> addCold(at, client);
                case SHORTEN -> addShorten(at, client);
                case REPEAT, OWN -> throw new IllegalArgumentException("comes with what it follows");
                case GUESS -> requests.add(new Request(at, kind, Code.of("guess " + at, 0), "", "10.66.6.6"));
            }
        }

        /** Every second one has a key and is sent again, sometimes before the first one can have been answered. */
        private void addShorten(long at, String client) {
            String url = fresh("new");
            if (made % 2 == 0) {
                requests.add(new Request(at, Kind.SHORTEN, "", url, client));
                return;
            }
            String key = "key " + made;
            requests.add(new Request(at, Kind.SHORTEN, "", url, client, key));
            long again = at + (made % 8 == 1 ? 1 : 1_000) * 1_000_000L;
            if (again < end) {
                requests.add(new Request(again, Kind.REPEAT, "", url, client, key));
            }
        }

        private void addCold(long at, String client) {
            String url = fresh("cold");
            stored.add(url);
            requests.add(new Request(at, Kind.COLD, Code.of(url, 0), url, client));
        }

        private String fresh(String why) {
            String url = urls.get(made % urls.size());
            return url + (url.contains("?") ? "&" : "?") + why + "=" + made++;
        }
    }
}
