package dev.levee.loadbalancing.strategy;

import dev.levee.core.Environment;
import dev.levee.core.OutcomeRule;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.internal.PaddedLong;
import dev.levee.core.internal.Require;

/**
 * Records a server's load by a counter, and latencies by what the counter said when a request came. A stamp is one more
 * than that. See ADR 43.
 */
final class MedianRecorder implements ServerLoadRecorder {
    private final String name;
    private final OutcomeRule outcomes;
    private final Environment environment;
    private final PaddedLong inFlight;
    private final LatencyByInFlight latencies = new LatencyByInFlight();

    MedianRecorder(String name, OutcomeRule outcomes, Environment environment) {
        this(name, outcomes, environment, 0);
    }

    MedianRecorder(String name, OutcomeRule outcomes, Environment environment, long firstCount) {
        this.name = Require.name(name);
        this.outcomes = Require.nonNull("outcomes", outcomes);
        this.environment = Require.nonNull("environment", environment);
        this.inFlight = new PaddedLong(firstCount);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Environment environment() {
        return environment;
    }

    @Override
    public int timing() {
        return ENTRY | EXIT;
    }

    @Override
    public long tryEnter(long nowNanos) {
        // Never REFUSED, not even after an exit too many.
        return Math.max(inFlight.getAndAdd(1), 0) + 1;
    }

    @Override
    public void exit(long stamp, long startNanos, long endNanos, Verdict verdict, long retryAfterNanos) {
        inFlight.getAndAdd(-1);
        if (verdict == Verdict.SUCCESS) {
            latencies.record(saturated(stamp - 1), endNanos - startNanos, endNanos);
        }
    }

    @Override
    public ServerLoad load() {
        int now = saturated(inFlight.getOpaque()); // opaque: a number to report, old in any mode
        return new ServerLoad(
                now, latencies.near(now, environment.clock().nanoTime(), new long[LatencyByInFlight.SAMPLES]));
    }

    private static int saturated(long count) {
        return (int) Math.min(Math.max(count, 0), Integer.MAX_VALUE);
    }

    @Override
    public OutcomeRule outcomes() {
        return outcomes;
    }

    @Override
    public RefusedException refusal() {
        throw new IllegalStateException("server load recorder \"" + name + "\" never refuses");
    }

    @Override
    public void measure(Sink sink) {
        Require.nonNull("sink", sink);
        ServerLoad load = load();
        sink.value(name, StrategyMetrics.SERVER_IN_FLIGHT, load.inFlight());
        sink.value(name, StrategyMetrics.SERVER_LATENCY, (double) load.latencyNanos());
    }

    @Override
    public String toString() {
        return name + "(server load)";
    }
}
