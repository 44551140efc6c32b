package dev.levee.examples.shortlink.smoke;

import dev.levee.examples.shortlink.smoke.Request.Kind;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * Says of each outcome whether it was right, and if not, whether it could have been.
 *
 * <p>A redirect could be answered if the database was live all the time, or if a node that lived had answered the same
 * code before, and so has it in its cache. The yardstick is that of the complete service, also when something is taken
 * out.
 */
final class Judge {
    /** How long a redirect that cannot be answered may take to say so. */
    static final int DEGRADED_MILLIS = 300;

    private final FaultLog faults;
    private final Map<String, Map<String, Long>> cachedSince = new HashMap<>();

    /** The first acknowledged answer of each key. */
    private final Map<String, Outcome> firsts = new HashMap<>();

    /** All that happened, warm-up included. */
    Judge(List<Outcome> outcomes, FaultLog faults) {
        this.faults = faults;
        for (Outcome outcome : outcomes) {
            if (outcome.request().kind() == Kind.SHORTEN
                    && !outcome.request().key().isEmpty()
                    && outcome.isRight()) {
                firsts.put(outcome.request().key(), outcome);
            }
            if (outcome.request().kind().isRedirect() && outcome.isRight()) {
                cachedSince
                        .computeIfAbsent(outcome.request().code(), code -> new HashMap<>())
                        .merge(outcome.node(), outcome.endNanos(), Math::min);
            }
        }
    }

    /** What an outcome counts as. */
    enum Verdict {
        OK,
        DEGRADED,
        REFUSED_BY_RATE_LIMIT,
        FAILED
    }

    Verdict judge(Outcome outcome) {
        if (outcome.isRight()) {
            return Verdict.OK;
        }
        if (outcome.status() == 429 && (outcome.request().kind() == Kind.GUESS || faults.doLimitsRefill(outcome))) {
            return Verdict.REFUSED_BY_RATE_LIMIT;
        }
        return couldBeAnswered(outcome) ? Verdict.FAILED : Verdict.DEGRADED;
    }

    /** Another link than the first request was promised, or work that was done a second time. */
    private boolean isWrongRepeat(Outcome repeat) {
        Outcome first = firsts.get(repeat.request().key());
        if (first == null) {
            return false;
        }
        return !first.code().equals(repeat.code())
                || (!repeat.replayed() && first.endNanos() < repeat.request().atNanos());
    }

    private boolean couldBeAnswered(Outcome outcome) {
        return faults.isDatabaseLive(outcome)
                || cachedSince.getOrDefault(outcome.request().code(), Map.of()).entrySet().stream()
                        .anyMatch(node -> node.getValue() < outcome.request().atNanos()
                                && faults.isAlive(node.getKey(), outcome.endNanos()));
    }

    /** Puts figures to the outcomes that count. */
    void report(List<Outcome> counted, Report report) {
        Predicate<Outcome> redirect = outcome -> outcome.request().kind().isRedirect();
        Predicate<Outcome> guess = outcome -> outcome.request().kind() == Kind.GUESS;
        Predicate<Outcome> degraded = outcome -> judge(outcome) == Verdict.DEGRADED;
        Predicate<Outcome> failed = outcome -> judge(outcome) == Verdict.FAILED;
        Predicate<Outcome> hit = Outcome::cacheHit;
        Predicate<Outcome> late = outcome -> outcome.latencyNanos() > DEGRADED_MILLIS * 1_000_000L;

        long redirectsRight = count(counted, redirect.and(Outcome::isRight));
        long redirectsFailed = count(counted, redirect.and(failed));
        report.put("requests", counted.size());
        report.put("ok", count(counted, Outcome::isRight));
        report.put("degraded", count(counted, degraded));
        report.put("refusedByRateLimit", count(counted, it -> judge(it) == Verdict.REFUSED_BY_RATE_LIMIT));
        report.put("failed", count(counted, failed));
        report.put("redirects", count(counted, redirect));
        report.put("redirectsCold", count(counted, it -> it.request().kind() == Kind.COLD));
        report.put("redirectsFailed", redirectsFailed);
        report.put("redirectsAnsweredOfAnswerable", share(redirectsRight, redirectsRight + redirectsFailed));
        report.put("p50Ms", percentile(counted, guess.negate(), 0.50));
        report.put("p99Ms", percentile(counted, guess.negate(), 0.99));
        report.put("p99DuringFaultMs", percentile(counted, guess.negate().and(faults::isDuringFault), 0.99));
        report.put("degradedP50Ms", percentile(counted, degraded, 0.50));
        report.put("degradedMaxMs", percentile(counted, degraded, 1));
        report.put("degradedTooLate", count(counted, redirect.and(degraded).and(late)));
        report.put("cacheHitRatio", share(count(counted, redirect.and(hit)), redirectsRight));
        report.put("guessesAnswered", count(counted, guess.and(Outcome::isRight)));
        Predicate<Outcome> repeat = outcome -> outcome.request().kind() == Kind.REPEAT && outcome.isRight();
        report.put("idempotentRepeats", count(counted, repeat));
        report.put("idempotentWrong", count(counted, repeat.and(this::isWrongRepeat)));
        report.put("nodesKilled", faults.nodesKilled());
    }

    /** Whether of the redirects that could be answered at least such a share was; so it is if there are none. */
    static boolean enoughAnswered(Report report, double share) {
        return report.get("redirects") == 0 || report.get("redirectsAnsweredOfAnswerable") >= share;
    }

    private static long count(List<Outcome> outcomes, Predicate<Outcome> which) {
        return outcomes.stream().filter(which).count();
    }

    private static double share(long part, long whole) {
        return whole == 0 ? 0 : Math.floor(10_000.0 * part / whole) / 10_000;
    }

    /** In milliseconds; 0 if there is nothing to rank. */
    private static double percentile(List<Outcome> outcomes, Predicate<Outcome> which, double quantile) {
        long[] sorted = outcomes.stream()
                .filter(which)
                .mapToLong(Outcome::latencyNanos)
                .sorted()
                .toArray();
        int rank = (int) Math.ceil(quantile * sorted.length);
        return sorted.length == 0 ? 0 : Math.round(sorted[Math.max(rank, 1) - 1] / 1e5) / 10.0;
    }
}
