package dev.levee.loadbalancing.discovery;

import dev.levee.core.Environment;
import dev.levee.core.internal.Require;
import dev.levee.loadbalancing.LoadBalancer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * A source of endpoints for a {@link LoadBalancer}: publishes all of them at first and after each change.
 *
 * <p>A lambda is enough for one of your own: publish the endpoints to the receiver as soon as they are known, if
 * possible before {@code subscribe} returns, and again after each change, and return what stops that.
 *
 * @param <A> the type of the addresses
 * @since 0.1
 */
@FunctionalInterface
public interface EndpointSource<A> {
    /** Stops a subscription. */
    @FunctionalInterface
    interface Subscription extends AutoCloseable {
        /** Stops publishing to the receiver. May be called more than once. */
        @Override
        void close();

        /**
         * Asks the source to look again soon, since the endpoints that it published do not work; a balancer does so
         * when it has none left or all fail. A source that polls does so at most about once a second, and seldomer
         * while its polls fail. Does not block. Default: nothing.
         */
        default void refresh() {}
    }

    /**
     * Publishes the endpoints to a receiver, now and after each change, until the subscription is closed.
     *
     * @param receiver gets all endpoints each time, in any order; must be thread-safe and must not block
     * @return what stops it
     */
    Subscription subscribe(Consumer<? super List<Endpoint<A>>> receiver);

    /**
     * Returns a source of endpoints that never change.
     *
     * @param endpoints the endpoints
     * @param <A> the type of the addresses
     * @return the source
     * @throws NullPointerException if an argument is null
     */
    static <A> EndpointSource<A> of(Collection<Endpoint<A>> endpoints) {
        List<Endpoint<A>> fixed = List.copyOf(Require.nonNull("endpoints", endpoints));
        return receiver -> {
            receiver.accept(fixed);
            return () -> {};
        };
    }

    /**
     * Endpoints of weight 1 that never change, known by their addresses; see {@link Endpoint#of(Object)}.
     *
     * @param addresses the addresses
     * @param <A> the type of the addresses
     * @return the source
     * @throws NullPointerException if an argument is null
     */
    static <A> EndpointSource<A> ofAddresses(Collection<? extends A> addresses) {
        List<Endpoint<A>> endpoints = new ArrayList<>();
        for (A address : Require.nonNull("addresses", addresses)) {
            endpoints.add(Endpoint.of(address));
        }
        return of(endpoints);
    }

    /**
     * Endpoints that your code sets.
     *
     * @param endpoints those to begin with, which may be none
     * @param <A> the type of the addresses
     * @return the source
     */
    static <A> UpdatableEndpoints<A> updatable(Collection<Endpoint<A>> endpoints) {
        return new UpdatableEndpoints<>(endpoints);
    }

    /**
     * Returns the addresses of a host that the JDK's resolver finds, looked up every 30 s.
     *
     * <pre>{@code
     * LoadBalancer.of("catalog", BalancingStrategy.powerOfTwoChoices(), EndpointSource.dns("catalog.internal", 8080));
     * }</pre>
     *
     * <p>This is the plain form. It knows neither the TTL of the addresses nor SRV records, a look-up cannot be bounded
     * in time, and the JDK caches addresses by rules of its own: as long as the security property
     * {@code networkaddress.cache.ttl} says, or 30 s. For discovery that follows TTLs, and for SRV records, use
     * {@code DnsEndpoints} of the module {@code levee-dns}.
     *
     * <p>Look-ups run as the calls of {@link #polling(Callable, Duration)}: the first one on the thread that
     * subscribes, the others on the executor; one that fails changes nothing. Of a host with addresses of both
     * families, those of the family that the JDK names first are used (IPv4, unless
     * {@code java.net.preferIPv6Addresses} is set), so that a host does not count twice. Of more than 4096 addresses
     * the first ones by their text are used, the same each time, and the log has one warning. A literal address is not
     * looked up.
     *
     * @param host the name or literal address
     * @param port the port of all endpoints, from 1 to 65535
     * @return the source; each subscription polls for itself. The addresses are resolved and carry no host name
     * @throws NullPointerException if the host is null
     * @throws IllegalArgumentException if the host is blank or the port is outside
     */
    static EndpointSource<InetSocketAddress> dns(String host, int port) {
        return dns(host, port, Environment.system());
    }

    /**
     * Returns the addresses of a host that the JDK's resolver finds; see {@link #dns(String, int)}.
     *
     * @param host the name or literal address
     * @param port the port of all endpoints, from 1 to 65535
     * @param environment where time, threads and randomness come from, and the listener
     * @return the source
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the host is blank or the port is outside
     */
    static EndpointSource<InetSocketAddress> dns(String host, int port, Environment environment) {
        return dns(host, port, HostLookup.DEFAULT_INTERVAL, environment);
    }

    /**
     * Returns the addresses of a host that the JDK's resolver finds; see {@link #dns(String, int)}.
     *
     * @param host the name or literal address
     * @param port the port of all endpoints, from 1 to 65535
     * @param interval from one look-up to the next; one shorter than the JDK's cache finds the same addresses again
     * @param environment where time, threads and randomness come from; its listener is notified when the source becomes
     *     {@code STALE} or {@code EMPTY}, or is {@code FRESH} again
     * @return the source
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the host is blank, the port is outside or the interval is not more than zero
     */
    static EndpointSource<InetSocketAddress> dns(String host, int port, Duration interval, Environment environment) {
        return HostLookup.source(host, port, interval, environment, InetAddress::getAllByName);
    }

    /**
     * Returns a source that polls a function: a registry, a database, a cloud's list of machines.
     *
     * <p>The first call is made by {@code subscribe}, on its thread, so that a balancer has endpoints once it is made;
     * see {@link #inBackground}. The others are made on the executor, an interval after the one before has ended and up
     * to a tenth later, never two at once. A call that throws, returns null or finds no endpoints changes nothing:
     * those known stay in use, and the next call comes after one interval, two, four and so on, at most a minute (or
     * the interval, if that is longer). To publish that no endpoint is left, use {@link #updatable}. A call that hangs
     * is reported after 30 s and holds one thread: bound its time yourself.
     *
     * @param function finds all endpoints; may block and may throw
     * @param interval from one call to the next
     * @param <A> the type of the addresses
     * @return the source; each subscription calls for itself
     * @throws IllegalArgumentException if the interval is not more than zero
     */
    static <A> EndpointSource<A> polling(Callable<? extends Collection<Endpoint<A>>> function, Duration interval) {
        return polling(function, interval, Environment.system());
    }

    /**
     * Returns a source that polls a function; see {@link #polling(Callable, Duration)}.
     *
     * @param function finds all endpoints; may block and may throw
     * @param interval from one call to the next
     * @param environment where time, threads and randomness come from, and the listener
     * @param <A> the type of the addresses
     * @return the source
     * @throws IllegalArgumentException if the interval is not more than zero
     */
    static <A> EndpointSource<A> polling(
            Callable<? extends Collection<Endpoint<A>>> function, Duration interval, Environment environment) {
        return polling("polling", function, interval, environment);
    }

    /**
     * Returns a source that polls a function; see {@link #polling(Callable, Duration)}.
     *
     * @param name what the log and the listener call the source
     * @param function finds all endpoints; may block and may throw
     * @param interval from one call to the next
     * @param environment where time, threads and randomness come from, and the listener that is notified when the
     *     source becomes {@code STALE}, {@code EMPTY} or {@code FRESH} again
     * @param <A> the type of the addresses
     * @return the source
     * @throws IllegalArgumentException if the name is blank or the interval is not more than zero
     */
    static <A> EndpointSource<A> polling(
            String name,
            Callable<? extends Collection<Endpoint<A>>> function,
            Duration interval,
            Environment environment) {
        return PollingSource.function(name, function, interval, environment);
    }

    /**
     * Returns the endpoints that a function finds together with the time for which they are valid: for a directory that
     * says so, such as one with a TTL.
     *
     * <p>As {@link #polling(Callable, Duration)}, but the next call comes when the result is no longer valid, and up to
     * a tenth later; after a failure it comes after 1 s, 2 s, 4 s and so on, at most 30 s.
     *
     * @param name what the log and the listener call the source
     * @param function finds all endpoints; may block and may throw. Never runs twice at once for one subscription
     * @param environment where time, threads and randomness come from; its listener is notified when the source becomes
     *     {@code STALE} or {@code EMPTY}, or is {@code FRESH} again
     * @param <A> the type of the addresses
     * @return the source; each subscription calls for itself
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank
     */
    static <A> EndpointSource<A> polling(String name, Callable<PollResult<A>> function, Environment environment) {
        return PollingSource.results(name, function, environment);
    }

    /**
     * Endpoints that a file lists, looked at every 2 s.
     *
     * <p>One endpoint a line: its address, then {@code NAME=VALUE} for what differs from the defaults: {@code weight},
     * {@code priority}, {@code id}; any other name is a label. What follows a {@code #} is a comment.
     *
     * <pre>{@code
     * 10.0.0.1:8080 weight=3 zone=eu-1
     * [2001:db8::1]:8080 priority=1        # only if the others are gone
     * catalog-3.internal:8080 id=third
     * }</pre>
     *
     * <p>The contents are compared, so it works on every file system and with links that are swapped. A file that is
     * gone, has no endpoints or one wrong line changes nothing: those known stay in use. A change counts once it has
     * stood for a quarter of a second, in case its writer is half-way; a writer that can, writes another file and
     * renames it. The file is read first by {@code subscribe}, on its thread, and then on the executor. At most 16 MB.
     *
     * @param path the file, in UTF-8
     * @return the source; each subscription reads for itself. A host that is a name stays unresolved
     */
    static EndpointSource<InetSocketAddress> file(Path path) {
        return file(path, Environment.system());
    }

    /**
     * Returns a source that polls a file every 2 s; see {@link #file(Path)}.
     *
     * @param path the file, in UTF-8
     * @param environment where time, threads and randomness come from, and the listener
     * @return the source
     */
    static EndpointSource<InetSocketAddress> file(Path path, Environment environment) {
        return file(path, HostPort::parse, PollingSource.FILE_INTERVAL, environment);
    }

    /**
     * Returns a source that polls a file; see {@link #file(Path)}.
     *
     * @param path the file, in UTF-8
     * @param addresses makes an address of the first word of a line; what it throws makes the file a wrong one
     * @param interval from one poll to the next
     * @param environment where time, threads and randomness come from, and the listener that is notified when the
     *     source becomes {@code STALE}, {@code EMPTY} or {@code FRESH} again
     * @param <A> the type of the addresses
     * @return the source
     * @throws IllegalArgumentException if the interval is not more than zero
     */
    static <A> EndpointSource<A> file(
            Path path, Function<? super String, ? extends A> addresses, Duration interval, Environment environment) {
        return PollingSource.file(path, addresses, interval, environment);
    }

    /**
     * Returns a source of the endpoints of several sources together.
     *
     * <p>The sources are subscribed to one after the other. Nothing is published until every source has been subscribed
     * to; from then on a source that has not answered yet delays no other, and counts as empty. An endpoint of two
     * sources is one to a balancer, with the sum of the weights; an id with two addresses makes the balancer refuse the
     * set and keep its old one.
     *
     * @param sources the sources
     * @param <A> the type of the addresses
     * @return the source
     * @throws NullPointerException if an argument is null
     */
    @SafeVarargs
    static <A> EndpointSource<A> merge(EndpointSource<A>... sources) {
        List<EndpointSource<A>> all = new ArrayList<>();
        for (EndpointSource<A> source : sources) {
            all.add(Require.nonNull("source", source));
        }
        return new MergedSource<>(all);
    }

    /**
     * Returns this source with other addresses, such as URIs instead of sockets. Ids, weights, priorities and labels
     * stay.
     *
     * @param function makes the new address of an old one; called for every endpoint at every change, and must give
     *     equal addresses for equal ones
     * @param <B> the type of the new addresses
     * @return the source
     * @throws NullPointerException if an argument is null
     */
    default <B> EndpointSource<B> map(Function<? super A, ? extends B> function) {
        Require.nonNull("function", function);
        return mapEndpoints(endpoint -> new Endpoint<>(
                endpoint.id(),
                function.apply(endpoint.address()),
                endpoint.weight(),
                endpoint.priority(),
                endpoint.labels()));
    }

    /**
     * Returns this source with other endpoints: another weight, a label, another id.
     *
     * @param function makes the new endpoint of an old one; called for every endpoint at every change. Its exceptions
     *     go to the source, which reports them and keeps polling, and the receiver keeps its endpoints
     * @param <B> the type of the new addresses
     * @return the source
     * @throws NullPointerException if an argument is null
     */
    default <B> EndpointSource<B> mapEndpoints(Function<? super Endpoint<A>, Endpoint<B>> function) {
        return new MappedSource<>(this, Require.nonNull("function", function), endpoint -> true);
    }

    /**
     * Returns a source of those endpoints that pass. If none passes an empty set is published: that is no failure.
     *
     * @param predicate whether an endpoint passes; called for every endpoint at every change
     * @return the source
     * @throws NullPointerException if an argument is null
     */
    default EndpointSource<A> filter(Predicate<? super Endpoint<A>> predicate) {
        return new MappedSource<>(this, endpoint -> endpoint, Require.nonNull("predicate", predicate));
    }

    /**
     * Returns this source, subscribed to on the executor of an environment, so that no thread waits for its first
     * answer. Until that comes there are no endpoints, and a balancer refuses calls. For programs that must start
     * whether the directory answers or not, and for threads that must not block.
     *
     * @param environment the environment of that executor
     * @return the source
     */
    default EndpointSource<A> inBackground(Environment environment) {
        return new BackgroundSource<>(this, environment);
    }

    /**
     * Returns this source with endpoints that stay for a time after they have been left out: for a directory whose
     * answers show some of the endpoints only, in turn, such as a DNS server that returns eight of many addresses.
     * Without it an endpoint joins and leaves with every answer, and what is known of it is lost. Not for a directory
     * whose answers are complete: one that has really gone gets calls for as long.
     *
     * @param time how long; more than the time in which each endpoint is shown at least once
     * @param environment where time and timers come from
     * @return the source
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the time is not more than zero
     */
    default EndpointSource<A> lingering(Duration time, Environment environment) {
        return new LingeringSource<>(this, Require.positive("time", time), environment);
    }
}
