package dev.levee.loadbalancing.discovery;

import dev.levee.core.Environment;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.Text;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

/** A source that polls; each subscription polls for itself. */
final class PollingSource<A> implements EndpointSource<A> {
    static final Duration FILE_INTERVAL = Duration.ofSeconds(2);

    private static final long MAX_NANOS = 60_000_000_000L;
    private static final Polling.Waits RESULT_WAITS = new Polling.Waits(1_000_000_000L, 30_000_000_000L);

    private final String name;
    private final Supplier<Polling.Poll<A>> polls;
    private final Polling.Waits waits;
    private final Environment environment;

    /**
     * A source.
     *
     * @param polls makes the poll of a subscription, with a memory of its own
     */
    PollingSource(String name, Supplier<Polling.Poll<A>> polls, Polling.Waits waits, Environment environment) {
        this.name = Require.name(name);
        this.polls = polls;
        this.waits = waits;
        this.environment = Require.nonNull("environment", environment);
    }

    static <A> EndpointSource<A> function(
            String name,
            Callable<? extends Collection<Endpoint<A>>> function,
            Duration interval,
            Environment environment) {
        Require.nonNull("function", function);
        long nanos = Nanos.of(Require.positive("interval", interval));
        Polling.Poll<A> poll = () -> {
            Collection<Endpoint<A>> endpoints = Require.nonNull("endpoints", function.call());
            return Polling.PollOutcome.all(List.copyOf(endpoints), nanos);
        };
        return new PollingSource<>(name, () -> poll, waits(nanos), environment);
    }

    static <A> EndpointSource<A> results(String name, Callable<PollResult<A>> function, Environment environment) {
        Require.nonNull("function", function);
        Polling.Poll<A> poll = () -> {
            PollResult<A> result = Require.nonNull("result", function.call());
            return new Polling.PollOutcome<>(result.endpoints(), Nanos.of(result.validFor()), result.problem(), true);
        };
        return new PollingSource<>(name, () -> poll, RESULT_WAITS, environment);
    }

    static <A> EndpointSource<A> file(
            Path path, Function<? super String, ? extends A> addresses, Duration interval, Environment environment) {
        Require.nonNull("path", path);
        Require.nonNull("addresses", addresses);
        long nanos = Nanos.of(Require.positive("interval", interval));
        return new PollingSource<>(
                "file " + Text.escaped(path.toString()),
                () -> new EndpointFile<>(path, addresses, nanos),
                waits(nanos),
                environment);
    }

    /** A failure is looked into no sooner than a success, and about once a minute if it lasts. */
    static Polling.Waits waits(long intervalNanos) {
        return new Polling.Waits(intervalNanos, Math.max(intervalNanos, MAX_NANOS));
    }

    @Override
    public Subscription subscribe(Consumer<? super List<Endpoint<A>>> receiver) {
        Require.nonNull("receiver", receiver);
        return Polling.begin(name, polls.get(), waits, environment, receiver);
    }

    @Override
    public String toString() {
        return name;
    }
}
