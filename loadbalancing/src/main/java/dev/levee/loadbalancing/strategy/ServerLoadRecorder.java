package dev.levee.loadbalancing.strategy;

import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.Measured;
import dev.levee.core.OutcomeRule;

/**
 * Measures the load of a server, its requests in flight and how long they take, to answer load probes: the server's
 * half of {@linkplain BalancingStrategy#probing() probing}.
 *
 * <pre>{@code
 * ServerLoadRecorder recorder = ServerLoadRecorder.of("api");
 * Response response = recorder.call(() -> handle(request)); // or callAsync, or within a pipeline
 * response.header(ServerLoad.HEADER, recorder.load().toText());
 * }</pre>
 *
 * <p>It is a {@link Gate} that admits every request. Put it outermost, so that what waits in the server counts as in
 * flight. A framework that calls back at the start and the end of a request uses {@link #tryEnter} and {@link #exit};
 * the stamp must come back once.
 *
 * <p>The latency is the median of the last up to 32 successful requests that came while as many others were in flight
 * as now, or as near to that as there are any of the last ten seconds. Failures count as in flight but not for the
 * latency: they would make a broken server seem fast. (Bartek Wydrowski, Robert Kleinberg, Stephen M. Rumble and Aaron
 * Archer, Load is not what you should balance: Introducing Prequal, NSDI 2024.)
 *
 * <p>Thread-safe, never blocks. A request costs two writes to one counter and three to a ring of samples and allocates
 * nothing, but for the rings: 550 bytes for each number of requests in flight that occurs, at most 120 of them.
 *
 * @see <a href="https://www.usenix.org/conference/nsdi24/presentation/wydrowski">Prequal, NSDI 2024</a>
 * @since 0.1
 */
public interface ServerLoadRecorder extends Gate, Measured {
    /**
     * Returns a recorder in the machine's time, with the standard rule of what is a failure.
     *
     * @param name what metrics call it, not blank
     * @return the recorder
     * @throws NullPointerException if the name is null
     * @throws IllegalArgumentException if the name is blank
     */
    static ServerLoadRecorder of(String name) {
        return of(name, Environment.system());
    }

    /**
     * Returns a recorder with the standard rule of what is a failure.
     *
     * @param name what metrics call it, not blank
     * @param environment where the time comes from
     * @return the recorder
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank
     */
    static ServerLoadRecorder of(String name, Environment environment) {
        return of(name, OutcomeRule.standard(), environment);
    }

    /**
     * Returns a recorder.
     *
     * @param name what metrics call it, not blank
     * @param outcomes which requests succeed
     * @param environment where the time comes from
     * @return the recorder
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank
     */
    static ServerLoadRecorder of(String name, OutcomeRule outcomes, Environment environment) {
        return new MedianRecorder(name, outcomes, environment);
    }

    /**
     * Returns the load of this server: how many requests are in flight now, and how long a request that comes now
     * takes, by recent ones. Allocates the result and room for 32 samples. Reads the samples of one number in flight,
     * or of more if that has none.
     *
     * @return the load
     */
    ServerLoad load();

    /**
     * Reports {@code server.in.flight} and {@code server.latency.nanos} (nanoseconds, -1 if unknown), the two numbers
     * of {@link #load}.
     */
    @Override
    void measure(Sink sink);
}
